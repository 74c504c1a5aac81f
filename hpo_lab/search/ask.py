"""The one question that an experiment puts to its search algorithm."""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from operator import attrgetter

from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.experiment.trial import Trial
from hpo_lab.search.algorithm import Ask, get_algorithm, read_settings
from hpo_lab.search.axis import Axis
from hpo_lab.search.space import Assignment, Space

__all__ = ["InvalidSuggestion", "suggest"]

_TRIES = 4


class InvalidSuggestion(RuntimeError):
    """An algorithm answered with something that is no assignment of the space."""


def suggest(
    spec: ExperimentSpec, number: int, trials: Sequence[Trial], *, uid: str = ""
) -> Assignment | None:
    """The assignment of trial *number*: the same answer to the same question, anywhere.

    In a finite space no assignment is given twice; where the algorithm keeps repeating
    itself, one of those left is drawn uniformly.

    Args:
        spec: The experiment, free of problems.
        number: The trial's number, from 0.
        trials: Trials of the experiment in any order; only those with lower numbers count.
        uid: What tells this experiment from others; seeds the search where neither
            `spec.seed` nor the setting `random_state` does.

    Returns:
        Values by parameter name, in the order of the parameters; None when the search has
        nothing left.

    Raises:
        LookupError: The algorithm is unknown or cannot be loaded.
        InvalidSuggestion: The algorithm's answer lies outside the space.
    """
    algorithm = get_algorithm(spec.algorithm.algorithm_name)
    settings = read_settings(algorithm, spec.algorithm.settings)
    space = Space.of(spec.parameters)
    earlier = _earlier(trials, number)
    given = settings.get("random_state") if spec.seed is None else spec.seed
    shared = str(uid if given is None else given)
    source = f"{shared}/{number}"
    if number < len(spec.initial_points):
        return _initial(space, spec.initial_points[number], random.Random(_seed(source)))
    answer: Assignment | None = None
    for retry in range(_TRIES):
        seed = _seed(f"{source}/{retry}")
        question = Ask(spec, number, earlier, seed, _seed(shared), settings)
        answer = algorithm.suggest(question)
        if answer is None:
            return None
        if (reason := space.violation(answer)) is not None:
            raise InvalidSuggestion(f"{algorithm.name!r}, asked for trial {number}: {reason}")
        if not _is_used(answer, earlier):
            break
    else:
        if space.cardinality is not None:
            answer = _one_left(space, space.cardinality, earlier, random.Random(_seed(source)))
    if answer is None:
        return None
    return {p.name: answer[p.name] for p in spec.parameters if p.name in answer}


def _initial(space: Space, point: Mapping[str, Value], rng: random.Random) -> Assignment:
    """The given point; what it leaves open is drawn, what is inactive is dropped."""

    def choose(axis: Axis) -> Value:
        name = axis.parameter.name
        return point[name] if name in point else axis.value_at(rng.random())

    return space.assign(choose)


def _earlier(trials: Sequence[Trial], number: int) -> Sequence[Trial]:
    """The trials below *number*, sorted; they mostly are already."""
    numbers = [trial.number for trial in trials]
    if numbers != sorted(numbers):
        trials = sorted(trials, key=attrgetter("number"))
    return trials[: bisect_left(trials, number, key=attrgetter("number"))]


def _is_used(assignment: Assignment, earlier: Sequence[Trial]) -> bool:
    """Whether one of the *earlier* trials has the same assignment; True is not 1."""
    # One value rules out nearly all of thousands of trials, cheaply.
    name, value = next(iter(assignment.items()), ("", None))
    alike = [t.assignments for t in earlier if t.assignments.get(name) == value]
    return any(
        used == assignment
        and all(isinstance(v, bool) is isinstance(assignment[key], bool) for key, v in used.items())
        for used in alike
    )


def _one_left(
    space: Space, total: int, earlier: Sequence[Trial], rng: random.Random
) -> Assignment | None:
    """An assignment that no *earlier* trial has, drawn uniformly; None if all are used."""
    numbers = {space.index_of(trial.assignments) for trial in earlier}
    used = sorted(number for number in numbers if number is not None)
    if len(used) >= total:
        return None
    index = rng.randrange(total - len(used))
    for taken in used:
        if taken <= index:
            index += 1
    return space.assignment_at(index)


def _seed(text: str) -> int:
    """A seed in [0, 2**32) that depends on *text* alone, in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest())
