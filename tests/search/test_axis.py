from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import pytest

from hpo_lab.experiment.model import Distribution, FeasibleSpace, Parameter, Value
from hpo_lab.search.space import unit_of, value_at


def parameter(kind: str, **space: Any) -> Parameter:
    return Parameter(name="x", parameter_type=kind, feasible_space=FeasibleSpace(**space))


def draws(p: Parameter, count: int = 4000) -> list[Any]:
    rng = random.Random(1)
    return [value_at(p, rng.random()) for _ in range(count)]


def chi_square(values: list[Value], expected: dict[Value, float]) -> float:
    seen = Counter(values)
    assert set(seen) <= set(expected)
    total = len(values)
    return sum((seen[v] - total * p) ** 2 / (total * p) for v, p in expected.items())


@pytest.mark.parametrize(
    ("p", "values"),
    [
        (parameter("int", min=1, max=6), [1, 2, 3, 4, 5, 6]),
        (parameter("int", min=1, max=5, step=2), [1, 3, 5]),
        (parameter("int", min=0, max=5, step=3), [0, 3]),
        (parameter("int", min=-2, max=2), [-2, -1, 0, 1, 2]),
        (parameter("double", min=0.1, max=0.5, step=0.1), [0.1, 0.2, 0.3, 0.4, 0.5]),
        (parameter("double", min=0.1, max=1, step=0.25), [0.1, 0.35, 0.6, 0.85]),
        (parameter("discrete", list=("1", "2.5", "8")), [1, 2.5, 8]),
        (parameter("categorical", list=("a", True, None, 1, 1.5)), ["a", True, None, 1, 1.5]),
        (parameter("double", min=2, max=2), [2.0]),
    ],
)
def test_a_finite_range_has_its_values_all_equally_likely(
    p: Parameter, values: list[Value]
) -> None:
    drawn = draws(p)
    keyed = [(type(v), v) for v in drawn]
    expected = {(type(v), v): 1 / len(values) for v in values}
    # The 99.9 % quantile of chi square with 5 degrees of freedom, the most there are here.
    assert chi_square(keyed, expected) < 20.5  # type: ignore[arg-type]


def test_an_integer_on_a_log_scale_thins_out_evenly() -> None:
    p = parameter("int", min=1, max=1000, distribution=Distribution.LOG_UNIFORM)
    drawn = draws(p)
    thirds = Counter(min(int(math.log10(v)), 2) for v in drawn)
    assert all(abs(count / len(drawn) - 1 / 3) < 0.03 for count in thirds.values())
    expected = {k: math.log((k + 1) / k) / math.log(1001) for k in range(1, 1001)}
    seen = Counter(drawn)
    assert all(abs(seen[k] / len(drawn) - expected[k]) < 0.02 for k in (1, 2, 3, 1000))


@pytest.mark.parametrize("kind", ["double", "int"])
def test_a_normal_is_truncated_to_its_bounds_and_centred(kind: str) -> None:
    p = parameter(kind, min=10, max=70, distribution=Distribution.NORMAL)
    drawn = draws(p)
    mean = sum(drawn) / len(drawn)
    deviation = math.sqrt(sum((v - mean) ** 2 for v in drawn) / len(drawn))
    assert min(drawn) >= 10 and max(drawn) <= 70
    assert abs(mean - 40) < 0.6
    # A normal cut at three standard deviations keeps 0.9866 of its own.
    assert abs(deviation - 10 * 0.9866) < 0.4


def test_a_log_normal_is_centred_on_the_geometric_mean() -> None:
    p = parameter("double", min=1e-4, max=1, distribution=Distribution.LOG_NORMAL)
    logs = [math.log10(v) for v in draws(p)]
    assert min(logs) >= -4 and max(logs) <= 0
    assert abs(sum(logs) / len(logs) + 2) < 0.05


def test_values_keep_their_types() -> None:
    assert type(value_at(parameter("double", min=0, max=4, step=1), 0.5)) is float
    assert type(value_at(parameter("int", min=1.0, max=4.0), 0.5)) is int


@pytest.mark.parametrize("distribution", list(Distribution))
@pytest.mark.parametrize("step", [None, 0.1])
def test_the_ends_of_the_unit_interval_are_the_ends_of_the_range(
    distribution: Distribution, step: float | None
) -> None:
    p = parameter("double", min=0.1, max=0.7, step=step, distribution=distribution)
    assert 0.1 <= value_at(p, 0.0) == pytest.approx(0.1)
    assert pytest.approx(0.7) == value_at(p, math.nextafter(1.0, 0.0)) <= 0.7


def test_the_unit_of_a_foreign_value_is_an_error() -> None:
    with pytest.raises(ValueError):
        unit_of(parameter("categorical", list=("a", "b")), "c")
    with pytest.raises(ValueError, match="'c' is no number"):
        unit_of(parameter("double", min=0, max=1), "c")


def test_wide_integers_are_exact() -> None:
    p = parameter("int", min=10**17, max=10**17 + 2)
    assert sorted(set(draws(p, 50))) == [10**17, 10**17 + 1, 10**17 + 2]
    assert [value_at(p, unit_of(p, v)) for v in (10**17, 10**17 + 1)] == [10**17, 10**17 + 1]
