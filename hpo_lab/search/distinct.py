"""Keeping the trials of an experiment apart: which assignments are used, which are left."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hpo_lab.experiment.trial import Trial
from hpo_lab.search.space import Assignment, Space

__all__ = ["is_used", "one_left"]


def is_used(assignment: Assignment, earlier: Sequence[Trial]) -> bool:
    """Whether one of the *earlier* trials has the same assignment; True is not 1."""
    # One value rules out nearly all of thousands of trials, cheaply.
    name, value = next(iter(assignment.items()), ("", None))
    alike = [t.assignments for t in earlier if t.assignments.get(name) == value]
    return any(
        used == assignment
        and all(isinstance(v, bool) is isinstance(assignment[key], bool) for key, v in used.items())
        for used in alike
    )


def one_left(
    space: Space, total: int, earlier: Sequence[Trial], rng: random.Random
) -> Assignment | None:
    """An assignment that no *earlier* trial has, drawn uniformly; None if all are used.

    Args:
        space: A finite space.
        total: How many assignments it has.
        earlier: Trials.
        rng: What draws.
    """
    numbers = {space.index_of(trial.assignments) for trial in earlier}
    used = sorted(number for number in numbers if number is not None)
    if len(used) >= total:
        return None
    index = rng.randrange(total - len(used))
    for taken in used:
        if taken <= index:
            index += 1
    return space.assignment_at(index)
