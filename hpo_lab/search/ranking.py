"""Trials in groups by their labels, such as bracket and rung, and ranked within each group."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from hpo_lab.experiment.model import Objective
from hpo_lab.experiment.trial import MEASURED, Trial, losses, violations

__all__ = ["Group", "Groups", "Rank", "rank_of"]


class Rank(NamedTuple):
    """What trials with a finite value are sorted by, the best first.

    Attributes:
        broken: By how much the trial breaks the constraints, in sum.
        losses: Its objectives, smaller being better.
        number: Its number: the earlier of two equals is the better one.
    """

    broken: float
    losses: tuple[float, ...]
    number: int


def rank_of(objective: Objective, trial: Trial) -> Rank | None:
    """The rank of *trial*; None when it has no finite value, or has not ended with it."""
    if trial.state not in MEASURED:
        return None
    values = losses(objective, trial)
    if values is None:
        return None
    return Rank(sum(violations(objective, trial)), values, trial.number)


@dataclass(slots=True)
class Group:
    """Some trials of an experiment.

    Attributes:
        size: How many there are.
        unfinished: How many of them have not ended.
        latest: The highest number; None where there is no trial.
        ranked: The ranks of those that have one, sorted.
        waiting: The ranks of those that no trial continues from, sorted.
    """

    size: int = 0
    unfinished: int = 0
    latest: int | None = None
    ranked: list[Rank] = field(default_factory=list)
    waiting: list[Rank] = field(default_factory=list)

    def waiting_among_best(self, count: int) -> Iterator[int]:
        """The numbers of those of the *count* best that no trial continues from, best first."""
        for rank in self.waiting:
            if bisect_left(self.ranked, rank) >= count:
                return
            yield rank.number

    def best(self, count: int) -> list[int]:
        """The numbers of the *count* best, or fewer, the best first."""
        return [rank.number for rank in islice(self.ranked, count)]


class Groups:
    """The index of the trials of the experiment by their values of some labels.

    Args:
        objective: Ranks the trials.
        *labels: The labels; without any all trials are one group.
    """

    def __init__(self, objective: Objective, *labels: str) -> None:
        self._objective = objective
        self._labels = labels
        self._groups: defaultdict[tuple[str | None, ...], Group] = defaultdict(Group)
        self._ranks: dict[int, tuple[Group, Rank]] = {}
        self._parents: set[int] = set()

    def __getitem__(self, values: tuple[str, ...]) -> Group:
        """The trials with these *values* of the labels."""
        return self._groups.get(values) or Group()

    def put(self, trial: Trial, before: Trial | None) -> None:
        """Take in a trial."""
        number = trial.number
        if number < 0:
            return
        group = self._groups[tuple(trial.labels.get(label) for label in self._labels)]
        group.unfinished += not trial.is_final
        if before is None:
            group.size, group.latest = group.size + 1, number
            self._continue(trial.parent)
        else:
            group.unfinished -= not before.is_final
        if number in self._ranks:
            _, rank = self._ranks.pop(number)
            _remove(group.ranked, rank)
            _remove(group.waiting, rank)
        new = rank_of(self._objective, trial)
        if new is not None:
            self._ranks[number] = group, new
            insort(group.ranked, new)
            if number not in self._parents:
                insort(group.waiting, new)

    def _continue(self, parent: int | None) -> None:
        """A trial continues from *parent*."""
        if parent is None:
            return
        self._parents.add(parent)
        if parent in self._ranks:
            group, rank = self._ranks[parent]
            _remove(group.waiting, rank)


def _remove(ranks: list[Rank], rank: Rank) -> None:
    place = bisect_left(ranks, rank)
    if place < len(ranks) and ranks[place] == rank:
        del ranks[place]
