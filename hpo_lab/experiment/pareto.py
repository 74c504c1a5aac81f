"""Fronts of points with several losses: no point of a front is better than another in all."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import le

__all__ = ["fronts"]


class _Front:
    """The places of its points, and what can only belong to a later front.

    Points come in ascending order. So one is dominated where a point before it is as good in
    the losses behind the first, and of these only the best have to be looked at: with two
    losses that is a single number, however many points the front has.
    """

    def __init__(self) -> None:
        self.places: list[int] = []
        self._edge: list[tuple[float, ...]] = []

    def add(self, place: int, rest: tuple[float, ...]) -> None:
        self.places.append(place)
        if len(rest) > 1:
            self._edge = [other for other in self._edge if not all(map(le, rest, other))]
            self._edge.append(rest)
        else:
            # A single number that comes to an open front is the best of it.
            self._edge = [rest]

    def is_open(self, rest: tuple[float, ...]) -> bool:
        """Whether none of its points dominates one with *rest* behind the first loss."""
        # A loop, since generators would take a third of the time of a search.
        for other in self._edge:  # noqa: SIM110
            if all(map(le, other, rest)):
                return False
        return True


def fronts(points: Sequence[tuple[float, ...]], count: int) -> list[list[int]]:
    """The places of *points* by front: a point is dominated by some of each front before its own.

    Args:
        points: Losses, smaller being better in each; in ascending order.
        count: As many fronts are found as it takes to hold so many points.
    """
    found: list[_Front] = []
    before: tuple[float, ...] | None = None
    level = held = 0
    for place, point in enumerate(points):
        rest = point[1:]
        if point != before:
            before, level = point, 0
            # The first front is asked by itself: most points of a trade-off are of it.
            if found and not found[0].is_open(rest):
                level = bisect_left(found, True, lo=1, key=lambda front: front.is_open(rest))
        if level == len(found):
            if held >= count:
                continue
            found.append(_Front())
        found[level].add(place, rest)
        held += 1
        while held - len(found[-1].places) >= count:
            held -= len(found.pop().places)
    return [front.places for front in found]
