"""The one question that an experiment puts to its search algorithm."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

from hpo_lab.experiment.model import ExperimentSpec, FeasibleSpace, Parameter, Value
from hpo_lab.experiment.trial import Trial
from hpo_lab.search.algorithm import WAIT, Algorithm, Ask, Suggestion, Wait, get_algorithm
from hpo_lab.search.axis import Axis
from hpo_lab.search.distinct import Unused, Used
from hpo_lab.search.history import History
from hpo_lab.search.points import POINT, Points, next_point
from hpo_lab.search.setting import read_settings
from hpo_lab.search.space import Assignment, Space

__all__ = ["InvalidSuggestion", "suggest"]

_TRIES = 4


class InvalidSuggestion(RuntimeError):
    """An algorithm's answer is no assignment of the space, or waits for nothing."""


def suggest(
    spec: ExperimentSpec, number: int, trials: Iterable[Trial] | History, *, uid: str = ""
) -> Suggestion | Wait | None:
    """What trial *number* is to try: the same answer to the same question, anywhere.

    In a finite space a plain assignment is not given twice; where the algorithm keeps
    repeating itself, an unused assignment is drawn uniformly.

    Args:
        spec: The experiment, free of problems.
        number: The trial's number, from 0.
        trials: Trials of the experiment in any order, those that it learns from under
            negative numbers; only those with lower numbers count. With a `History` of these,
            kept from question to question, a question costs less.
        uid: What tells this experiment from others; seeds the search where neither
            `spec.seed` nor the setting `random_state` does.

    Returns:
        Values by parameter name, in the order of the parameters, with what goes with them;
        `WAIT` when one of the unfinished trials has to end first; None when the search has
        nothing left.

    Raises:
        LookupError: The algorithm is unknown or cannot be loaded.
        InvalidSuggestion: The algorithm's answer lies outside the space, or it waits
            although no trial is unfinished.
    """
    algorithm = get_algorithm(spec.algorithm.algorithm_name)
    settings = read_settings(algorithm, spec.algorithm.settings)
    space = Space.of(spec.parameters)
    history = (trials if isinstance(trials, History) else History(trials)).before(number)
    random_state = settings.get("random_state") if spec.seed is None else spec.seed
    shared = str(uid if random_state is None else random_state)
    source = f"{shared}/{number}"
    point = _point(spec, space, history, random.Random(_seed(source)))
    if point is not None and not algorithm.takes_points:
        return point
    question = Ask(spec, number, history, _seed(source), _seed(shared), settings, point)
    answer = _answer(algorithm, question, space, source)
    if answer is None:
        return None
    if isinstance(answer, Wait):
        if not history.has_unfinished:
            raise InvalidSuggestion(
                f"{algorithm.name!r}, asked for trial {number}: waits though every trial has ended"
            )
        return WAIT
    assignments = answer.assignments
    if not spec.parameters:
        # Architectures: what is assigned is a matter between algorithm and trial.
        return answer
    ordered = {p.name: assignments[p.name] for p in spec.parameters if p.name in assignments}
    return replace(answer, assignments=ordered)


def _point(
    spec: ExperimentSpec, space: Space, history: History, rng: random.Random
) -> Suggestion | None:
    """The next point that a person gave as a suggestion; None when there is none.

    What the point leaves open is drawn by *rng*, what is inactive is dropped.
    """
    waiting = next_point(spec, history.index(Points))
    if waiting is None:
        return None
    label, values = waiting

    def choose(axis: Axis) -> Value:
        name = axis.parameter.name
        return values[name] if name in values else axis.value_at(rng.random())

    used = history.index(Used)
    assignment = space.assign(choose)
    for _ in range(_TRIES):
        if assignment not in used:
            break
        assignment = space.assign(choose)
    else:
        # A person who gives all of a point wants to see it again.
        assignment = _unused(spec, values, history, rng) or assignment
    return Suggestion(assignment, labels={POINT: label})


def _unused(
    spec: ExperimentSpec, values: Mapping[str, Value], history: History, rng: random.Random
) -> Assignment | None:
    """An assignment with these *values* that no trial has; None where there is none."""
    space = Space([_fixed(each, values) for each in spec.parameters])
    if space.cardinality is None:
        return None
    unused = Unused(space)
    for trial in history:
        unused.put(trial, None)
    return unused.draw(rng)


def _fixed(parameter: Parameter, values: Mapping[str, Value]) -> Parameter:
    """*parameter* with a single value where *values* has it."""
    if parameter.name not in values:
        return parameter
    value = values[parameter.name]
    if parameter.choices:
        feasible = FeasibleSpace(list=(value,))
    else:
        assert isinstance(value, int | float)
        feasible = FeasibleSpace(min=value, max=value)
    return parameter.model_copy(update={"feasible_space": feasible})


def _answer(
    algorithm: Algorithm, question: Ask, space: Space, source: str
) -> Suggestion | Wait | None:
    is_finite = space.cardinality is not None
    answer: Assignment | None = None
    for retry in range(_TRIES):
        made = algorithm.suggest(replace(question, seed=_seed(f"{source}/{retry}")))
        if made is None or isinstance(made, Wait):
            return made
        assignments = made.assignments if isinstance(made, Suggestion) else made
        reason = space.violation(assignments) if question.spec.parameters else None
        if reason is not None:
            raise InvalidSuggestion(
                f"{algorithm.name!r}, asked for trial {question.number}: {reason}"
            )
        if isinstance(made, Suggestion):
            return made
        answer = made
        # Draws from a continuum do not repeat themselves.
        can_repeat = is_finite or algorithm.uses_history
        if not can_repeat or answer not in question.history.index(Used):
            break
    else:
        if is_finite:
            answer = question.history.index(Unused, space).draw(random.Random(_seed(source)))
    return None if answer is None else Suggestion(answer)


def _seed(text: str) -> int:
    """A seed in [0, 2**32) that depends on *text* alone, in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest())
