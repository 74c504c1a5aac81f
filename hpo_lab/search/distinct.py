"""Keeping the trials of an experiment apart: which assignments are used, which are left."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Any

from hpo_lab.experiment.model import Value
from hpo_lab.experiment.trial import Trial
from hpo_lab.search.space import Assignment, Space

__all__ = ["Unused", "Used"]


class Used:
    """The index of the assignments that trials of the experiment have."""

    def __init__(self) -> None:
        self._keys: set[Any] = set()

    def put(self, trial: Trial, before: Trial | None) -> None:
        """Take in a trial."""
        if before is None and trial.number >= 0:
            self._keys.add(_key(trial.assignments))

    def __contains__(self, assignment: Mapping[str, Value]) -> bool:
        """Whether a trial has this assignment; True is not 1."""
        return _key(assignment) in self._keys


def _key(assignment: Mapping[str, Value]) -> Any:
    return tuple(
        (name, isinstance(assignment[name], bool), assignment[name]) for name in sorted(assignment)
    )


class Unused:
    """The index of the assignments of a finite space that no trial of the experiment has.

    Args:
        space: The space.
        resource: A parameter that is not in the space, and its value: only trials that have
            it count.
    """

    def __init__(self, space: Space, resource: tuple[str, Value] | None = None) -> None:
        self._space = space
        self._resource = resource
        # The numbers of the used assignments, ascending.
        self._used: list[int] = []

    def put(self, trial: Trial, before: Trial | None) -> None:
        """Take in a trial."""
        if before is not None or trial.number < 0:
            return
        assignments = dict(trial.assignments)
        if self._resource is not None:
            name, value = self._resource
            if assignments.pop(name, None) != value:
                return
        number = self._space.index_of(assignments)
        if number is None:
            return
        place = bisect_left(self._used, number)
        if place == len(self._used) or self._used[place] != number:
            self._used.insert(place, number)

    def draw(self, rng: random.Random) -> Assignment | None:
        """An assignment that no trial has, drawn uniformly; None if all are used."""
        used, total = self._used, self._space.cardinality
        assert total is not None
        if len(used) >= total:
            return None
        drawn = rng.randrange(total - len(used))
        # As many used assignments come before it as leave no more than *drawn* unused ones.
        before = bisect_right(range(len(used)), drawn, key=lambda place: used[place] - place)
        return self._space.assignment_at(drawn + before)
