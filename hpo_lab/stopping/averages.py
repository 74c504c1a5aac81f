"""The averages of many curves up to a step."""

from __future__ import annotations

from array import array
from bisect import bisect_right, insort
from collections import OrderedDict

from hpo_lab.stopping.curve import Curve

__all__ = ["Averages"]

_MOST = 2_000_000
"""The most sorted averages that are kept, of 8 bytes each, unless a single step has more."""


class Averages:
    """What curves that do not change any more are on average up to any step.

    The first question about a step looks at every curve. From then on a curve that is added
    takes its place among the averages there. Where more steps are asked about than can be
    kept, those that were not asked about for the longest time are forgotten.
    """

    def __init__(self) -> None:
        # Of each curve the steps and its running average there.
        self._curves: list[tuple[array[int], array[float]]] = []
        self._sorted: OrderedDict[int, array[float]] = OrderedDict()

    def add(self, curve: Curve) -> None:
        """Take in a curve."""
        points = [(step, mean) for step in curve.steps if (mean := curve.mean(step)) is not None]
        if not points:
            return
        steps, means = zip(*points, strict=True)
        self._curves.append((array("q", steps), array("d", means)))
        for step, before in self._sorted.items():
            if end := bisect_right(steps, step):
                insort(before, means[end - 1])

    def until(self, step: int) -> array[float]:
        """The averages of the curves up to *step*, sorted; without those that have none yet."""
        if step not in self._sorted:
            until = [
                means[end - 1]
                for steps, means in self._curves
                if (end := bisect_right(steps, step))
            ]
            self._sorted[step] = array("d", sorted(until))
        self._sorted.move_to_end(step)
        while len(self._sorted) > 1 and len(self._sorted) * len(self._curves) > _MOST:
            self._sorted.popitem(last=False)
        return self._sorted[step]
