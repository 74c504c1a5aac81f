"""Pareto fronts: no point of a front is better than another point of it in all losses."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import le

__all__ = ["fronts"]


class _Front:
    """The places of a front's points, and the edge of the region that they dominate.

    Points come in ascending order. So a point is dominated when an earlier point is as good
    in its tail, the losses behind the first. Only the best tails have to be compared: with
    two losses that is a single number, however many points the front has.
    """

    def __init__(self) -> None:
        self.places: list[int] = []
        self._edge: list[tuple[float, ...]] = []

    def add(self, place: int, tail: tuple[float, ...]) -> None:
        self.places.append(place)
        if len(tail) > 1:
            self._edge = [edge for edge in self._edge if not all(map(le, tail, edge))]
            self._edge.append(tail)
        else:
            # The latest number in an open front is the lowest.
            self._edge = [tail]

    def is_open(self, tail: tuple[float, ...]) -> bool:
        """Whether no point of the front dominates a later point with *tail*."""
        # A loop, since a generator here would take a third of the time of a search.
        for edge in self._edge:  # noqa: SIM110
            if all(map(le, edge, tail)):
                return False
        return True


def fronts(points: Sequence[tuple[float, ...]], count: int) -> list[list[int]]:
    """The places of *points* by front; every earlier front has points that dominate a point.

    Args:
        points: Losses, smaller being better in each; in ascending order.
        count: The fronts returned are the first that together hold at least *count* points.
    """
    result: list[_Front] = []
    before: tuple[float, ...] | None = None
    level = held = 0
    for place, point in enumerate(points):
        tail = point[1:]
        if point != before:
            before, level = point, 0
            # The first front comes before the bisection: most points of a trade-off are in it.
            if result and not result[0].is_open(tail):
                level = bisect_left(result, True, lo=1, key=lambda front: front.is_open(tail))
        if level == len(result):
            if held >= count:
                continue
            result.append(_Front())
        result[level].add(place, tail)
        held += 1
        while held - len(result[-1].places) >= count:
            held -= len(result.pop().places)
    return [front.places for front in result]
