"""Fronts of points with several losses."""

from __future__ import annotations

import math
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.pareto import fronts

Point = tuple[float, ...]


def dominates(one: Point, other: Point) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def peeled(points: list[Point]) -> list[list[int]]:
    """All fronts by the definition: what nothing dominates, again and again."""
    rest, found = list(range(len(points))), []
    while rest:
        front = [p for p in rest if not any(dominates(points[o], points[p]) for o in rest)]
        found.append(front)
        rest = [p for p in rest if p not in front]
    return found


LOSSES = st.one_of(st.integers(0, 4).map(float), st.floats(allow_nan=False), st.just(-math.inf))


@given(
    st.integers(1, 4).flatmap(lambda size: st.lists(st.tuples(*[LOSSES] * size), max_size=40)),
    st.integers(1, 45),
)
def test_fronts_are_those_of_the_definition(points: list[Point], count: int) -> None:
    points.sort()
    expected = peeled(points)
    held = [0, *accumulate(map(len, expected))]
    assert fronts(points, count) == [
        front for front, before in zip(expected, held, strict=False) if before < count
    ]


def test_a_front_of_thousands_costs_no_more_than_its_points() -> None:
    compared = 0

    class Loss(float):
        def __le__(self, other: float) -> bool:
            nonlocal compared
            compared += 1
            return float(self) <= other

    points = [(float(place), Loss(-place)) for place in range(5000)]
    assert fronts(points, 20) == [list(range(5000))]
    assert compared < 20 * len(points)
