"""How configurations come onto rungs: new ones begin, the best of a rung are promoted."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Final

from hpo_lab.search.algorithm import Ask, Suggestion
from hpo_lab.search.distinct import Unused, Used
from hpo_lab.search.fidelity import Fidelity
from hpo_lab.search.space import Assignment, Space

__all__ = ["RUNG", "Draw", "begin", "drawn_at_random", "promote"]

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
    used = ask.history.index(Used)
    made: Assignment = {}
    for _ in range(_TRIES):
        made = {**draw(rng), **resource}
        if made not in used:
            return Suggestion(made, labels=labels)
    if fidelity.space.cardinality is None:
        return Suggestion(made, labels=labels)
    (item,) = resource.items()
    unused = ask.history.index(Unused, fidelity.space, item).draw(rng)
    return None if unused is None else Suggestion({**unused, **resource}, labels=labels)


def promote(
    ask: Ask, fidelity: Fidelity, level: int, numbers: Iterable[int], **labels: str
) -> Suggestion | None:
    """A trial of *level* that goes on with the first of the trials *numbers* that can.

    None where none can: in a small space another configuration that began there may be the
    same.
    """
    resource = {fidelity.name: fidelity.resources[level]}
    used = ask.history.index(Used)
    for number in numbers:
        made = {**ask.history[number].assignments, **resource}
        if made not in used:
            labels |= {_RESOURCE: str(fidelity.resources[level])}
            return Suggestion(made, parent=number, labels=labels)
    return None


def drawn_at_random(space: Space) -> Draw:
    """Draws from the distributions of the parameters of *space*."""
    return lambda rng: space.assign(lambda axis: axis.value_at(rng.random()))
