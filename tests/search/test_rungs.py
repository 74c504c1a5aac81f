from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.search.rungs import bracket, hyperband, levels


def test_the_brackets_are_those_of_the_paper() -> None:
    resources = levels(1, 81, 3)
    assert resources == (1, 3, 9, 27, 81)
    table = [[(rung.size, resources[rung.level]) for rung in rungs] for rungs in hyperband(5, 3)]
    assert table == [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(34, 3), (11, 9), (3, 27), (1, 81)],
        [(15, 9), (5, 27), (1, 81)],
        [(8, 27), (2, 81)],
        [(5, 81)],
    ]


@pytest.mark.parametrize(
    ("least", "most", "eta", "expected"),
    [
        (1, 243, 3, [1, 3, 9, 27, 81, 243]),
        (1, 1000, 10, [1, 10, 100, 1000]),
        (0.001, 1, 10, [0.001, 0.01, 0.1, 1]),
        (1, 100, 3, [100 / 81, 100 / 27, 100 / 9, 100 / 3, 100]),
        (5, 5, 3, [5]),
        (5, 4, 3, [4]),
    ],
)
def test_levels_divide_the_most(
    least: float, most: float, eta: float, expected: list[float]
) -> None:
    assert levels(least, most, eta) == pytest.approx(expected)


@given(st.floats(0.01, 100), st.floats(1, 2000), st.floats(2, 10))
def test_levels_reach_from_the_least_to_the_most(least: float, factor: float, eta: float) -> None:
    found = levels(least, least * factor, eta)
    assert found[-1] == least * factor
    assert least * (1 - 1e-6) <= found[0] < least * eta * (1 + 1e-6)


@given(st.integers(1, 6), st.sampled_from([2.0, 2.5, 3.0, 4.0]))
def test_every_bracket_ends_on_the_last_rung_and_uses_about_as_much(count: int, eta: float) -> None:
    brackets = hyperband(count, eta)
    assert [len(rungs) for rungs in brackets] == list(range(count, 0, -1))
    costs = []
    for rungs in brackets:
        sizes = [rung.size for rung in rungs]
        assert sizes == sorted(sizes, reverse=True) and sizes[-1] >= 1
        assert rungs[-1].level == count - 1
        costs.append(sum(rung.size * eta ** (rung.level - count + 1) for rung in rungs))
    # The budget of a bracket is `count` times the most; sizes are rounded up to whole trials.
    assert all(cost <= count + math.ceil(eta) for cost in costs)


def test_a_bracket_of_few_still_reaches_its_end() -> None:
    assert [rung.size for rung in bracket(5, 0, 4, 3)] == [5, 1, 1, 1, 1]
