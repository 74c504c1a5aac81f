"""How configurations come onto rungs: new ones begin, the best of a rung are promoted."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Final

from hpo_lab.experiment.model import Objective
from hpo_lab.experiment.trial import Trial, TrialState, losses, violations
from hpo_lab.search.algorithm import Ask, Suggestion
from hpo_lab.search.distinct import is_used, one_left
from hpo_lab.search.fidelity import Fidelity
from hpo_lab.search.space import Assignment, Space

__all__ = ["RUNG", "Draw", "begin", "best", "drawn_at_random", "promote"]

RUNG: Final = "rung"
"""The label with a trial's rung, counted from 0."""

_RESOURCE = "resource"
_TRIES = 4

Draw = Callable[[random.Random], Assignment]
"""Makes a configuration from random numbers."""


def begin(ask: Ask, fidelity: Fidelity, level: int, draw: Draw, **labels: str) -> Suggestion | None:
    """A trial of a new configuration; None when all have been tried at this level.

    Args:
        ask: The question; a point that a person gave comes first.
        fidelity: Of its experiment.
        level: Where the configuration begins.
        draw: Makes it.
        **labels: Where in the search it is.
    """
    resource = {fidelity.name: fidelity.resources[level]}
    labels |= {_RESOURCE: str(fidelity.resources[level])}
    if ask.point is not None:
        assignments = {**ask.point.assignments, **resource}
        return Suggestion(assignments, labels={**labels, **ask.point.labels})
    rng = random.Random(ask.seed)
    made: Assignment = {}
    for _ in range(_TRIES):
        made = {**draw(rng), **resource}
        if not is_used(made, ask.own):
            return Suggestion(made, labels=labels)
    total = fidelity.space.cardinality
    if total is None:
        return Suggestion(made, labels=labels)
    used = [fidelity.configuration(trial) for trial in fidelity.at(level, ask.own)]
    left = one_left(fidelity.space, total, used, rng)
    return None if left is None else Suggestion({**left, **resource}, labels=labels)


def promote(
    ask: Ask, fidelity: Fidelity, level: int, among: Iterable[Trial], **labels: str
) -> Suggestion | None:
    """A trial of *level* that goes on with the first of *among* that has not gone on yet."""
    resource = {fidelity.name: fidelity.resources[level]}
    parents = {trial.parent for trial in ask.own}
    for trial in among:
        made = {**trial.assignments, **resource}
        # In a small space another configuration that began there may be the same.
        if trial.number not in parents and not is_used(made, ask.own):
            labels |= {_RESOURCE: str(fidelity.resources[level])}
            return Suggestion(made, parent=trial.number, labels=labels)
    return None


def best(objective: Objective, trials: Iterable[Trial], count: int) -> list[Trial]:
    """The *count* best of *trials*, or fewer: one without a finite value is never among them.

    Those that keep the constraints come before those that break them, by how much. The
    earlier of two equals is the better one.
    """
    ranked = [
        (sum(violations(objective, trial)), loss, trial.number, trial)
        for trial in trials
        if trial.state in (TrialState.SUCCEEDED, TrialState.EARLY_STOPPED)
        and (loss := losses(objective, trial)) is not None
    ]
    return [trial for *_, trial in sorted(ranked)[:count]]


def drawn_at_random(space: Space) -> Draw:
    """Draws from the distributions of the parameters of *space*."""
    return lambda rng: space.assign(lambda axis: axis.value_at(rng.random()))
