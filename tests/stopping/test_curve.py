"""The curve of a trial: what counts at which step."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.model import MetricStrategyType
from hpo_lab.stopping.curve import Curve

MIN, MAX, LATEST = MetricStrategyType.MIN, MetricStrategyType.MAX, MetricStrategyType.LATEST
POINTS = st.lists(
    st.tuples(
        st.none() | st.integers(0, 6),
        st.floats(-10, 10) | st.sampled_from([math.nan, math.inf, -math.inf]),
    ),
    max_size=12,
)


def test_reports_without_a_step_are_counted_from_one():
    curve = Curve(LATEST).then([(None, 0.1), (None, 0.2)]).then([(None, 0.3)])
    assert list(curve) == [(1, 0.1), (2, 0.2), (3, 0.3)]


@pytest.mark.parametrize(("strategy", "expected"), [(MIN, 1.0), (MAX, 3.0), (LATEST, 2.0)])
def test_of_several_values_at_one_step_the_strategy_picks(strategy, expected):
    curve = Curve(strategy).then([(0, 9.0), (4, 1.0), (4, 3.0), (4, 2.0)])
    assert list(curve) == [(0, 9.0), (4, expected)]


def test_what_is_not_finite_is_kept_and_never_counts():
    curve = Curve(MIN).then([(1, 2.0), (2, math.nan), (3, math.inf), (4, 4.0)])
    assert [math.isfinite(value) for _, value in curve] == [True, False, False, True]
    assert (curve.value(), curve.mean(), curve.best(minimize=True)) == (2.0, 3.0, 2.0)
    latest = Curve(LATEST).then([(1, 2.0), (2, math.nan)])
    assert (latest.value(1), latest.value()) == (2.0, None)
    assert Curve(MIN).then([(1, math.nan)]).mean() is None


@given(POINTS, st.integers(0, 12), st.sampled_from(MetricStrategyType))
def test_a_curve_in_parts_is_that_of_the_whole(points, cut, strategy):
    whole = Curve(strategy).then(points)
    parts = Curve(strategy).then(points[:cut]).then(points[cut:])
    assert parts.steps == whole.steps and repr(parts.values) == repr(whole.values)
    assert list(whole.steps) == sorted(set(whole.steps))


@given(POINTS, st.integers(-1, 8), st.sampled_from([MIN, MAX]))
def test_what_counts_up_to_a_step_is_that_of_the_points_before(points, until, strategy):
    steps = [count if step is None else step for count, (step, _) in enumerate(points, 1)]
    curve = Curve(strategy).then(points)
    finite = [v for s, (_, v) in zip(steps, points, strict=True) if s <= until and math.isfinite(v)]
    pick = min if strategy is MIN else max
    assert curve.value(until) == (pick(finite) if finite else None)
    kept = [v for s, v in curve if s <= until and math.isfinite(v)]
    mean = curve.mean(until)
    assert mean == pytest.approx(sum(kept) / len(kept)) if kept else mean is None
