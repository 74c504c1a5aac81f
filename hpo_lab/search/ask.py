"""The one question that an experiment puts to its search algorithm."""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Trial
from hpo_lab.search.algorithm import (
    WAIT,
    Algorithm,
    Ask,
    Suggestion,
    Wait,
    get_algorithm,
    read_settings,
)
from hpo_lab.search.distinct import is_used, one_left
from hpo_lab.search.points import next_point
from hpo_lab.search.space import Assignment, Space

__all__ = ["InvalidSuggestion", "suggest"]

_TRIES = 4


class InvalidSuggestion(RuntimeError):
    """An algorithm's answer is no assignment of the space, or waits for nothing."""


def suggest(
    spec: ExperimentSpec, number: int, trials: Sequence[Trial], *, uid: str = ""
) -> Suggestion | Wait | None:
    """What trial *number* is to try: the same answer to the same question, anywhere.

    In a finite space a plain assignment is not given twice; where the algorithm keeps
    repeating itself, one of those left is drawn uniformly.

    Args:
        spec: The experiment, free of problems.
        number: The trial's number, from 0.
        trials: Trials of the experiment in any order, those that it learns from under
            negative numbers; only those with lower numbers count.
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
    earlier = _earlier(trials, number)
    given = settings.get("random_state") if spec.seed is None else spec.seed
    shared = str(uid if given is None else given)
    source = f"{shared}/{number}"
    question = Ask(spec, number, earlier, _seed(source), _seed(shared), settings)
    point = next_point(spec, question.own, random.Random(_seed(source)))
    if point is not None and not getattr(algorithm, "takes_points", False):
        return point
    answer = _answer(algorithm, replace(question, point=point), space, source)
    if answer is None:
        return None
    if isinstance(answer, Wait):
        if all(trial.is_final for trial in earlier):
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


def _answer(
    algorithm: Algorithm, question: Ask, space: Space, source: str
) -> Suggestion | Wait | None:
    number, own = question.number, question.own
    can_repeat = algorithm.uses_history or space.cardinality is not None
    answer: Assignment | None = None
    for retry in range(_TRIES):
        made = algorithm.suggest(replace(question, seed=_seed(f"{source}/{retry}")))
        if made is None or isinstance(made, Wait):
            return made
        assignments = made.assignments if isinstance(made, Suggestion) else made
        reason = space.violation(assignments) if question.spec.parameters else None
        if reason is not None:
            raise InvalidSuggestion(f"{algorithm.name!r}, asked for trial {number}: {reason}")
        if isinstance(made, Suggestion):
            return made
        answer = made
        # Draws from a continuum do not repeat themselves.
        if not can_repeat or not is_used(answer, own):
            break
    else:
        if space.cardinality is not None:
            answer = one_left(space, space.cardinality, own, random.Random(_seed(source)))
    return None if answer is None else Suggestion(answer)


def _earlier(trials: Sequence[Trial], number: int) -> Sequence[Trial]:
    """The trials below *number*, sorted; they mostly are already."""
    numbers = [trial.number for trial in trials]
    if numbers != sorted(numbers):
        trials = sorted(trials, key=attrgetter("number"))
    return trials[: bisect_left(trials, number, key=attrgetter("number"))]


def _seed(text: str) -> int:
    """A seed in [0, 2**32) that depends on *text* alone, in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest())
