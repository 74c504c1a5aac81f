"""The averages of many curves, against a look at each of them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.model import MetricStrategyType
from hpo_lab.stopping import averages
from hpo_lab.stopping.averages import Averages
from hpo_lab.stopping.curve import Curve

VALUES = st.floats(-10, 10) | st.sampled_from([math.nan, math.inf, -math.inf])
CURVES = st.lists(st.tuples(st.none() | st.integers(0, 8), VALUES), max_size=6)


@pytest.mark.parametrize("most", [0, 6, averages._MOST])
@given(st.lists(CURVES | st.integers(-1, 9), max_size=30))
def test_at_any_time_and_up_to_any_step_they_are_those_of_the_curves(most, acts):
    known, curves = Averages(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(averages, "_MOST", most)
        for act in acts:
            if isinstance(act, list):
                curves.append(Curve(MetricStrategyType.LATEST).then(act))
                known.add(curves[-1])
            else:
                means = [mean for one in curves if (mean := one.mean(act)) is not None]
                assert list(known.until(act)) == sorted(means)


def test_steps_that_were_not_asked_about_for_long_are_forgotten(monkeypatch):
    monkeypatch.setattr(averages, "_MOST", 2)
    known = Averages()
    known.add(Curve(MetricStrategyType.LATEST).then([(1, 1.0), (2, 3.0)]))
    for step in (1, 2, 1, 3):
        known.until(step)
    assert list(known._sorted) == [1, 3]
