"""Bayesian optimisation: the model, the promise and trials that are asked for together."""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.acquisition import (
    Acquisition,
    Promise,
    expected_improvement,
    lower_confidence_bound,
    probability_of_improvement,
)
from hpo_lab.search.bayesian import _normalised
from hpo_lab.search.gaussian_process import Array, GaussianProcess, fit
from hpo_lab.search.samples import Sample, SampleOutcome

from .asking import suggest

PLANE = [
    {"name": n, "parameterType": "double", "feasibleSpace": {"min": 0, "max": 1}} for n in "xy"
]
LOSSES = st.floats(-1e9, 1e9).map(lambda value: Sample({}, SampleOutcome.MEASURED, value))


def learned(rng: np.random.Generator) -> GaussianProcess:
    points = rng.random((30, 3))
    points[:, 2] = points[:, 2] > 0.5
    values = np.sin(5 * points[:, 0]) + points[:, 1] ** 2 + points[:, 2]
    return fit(points, np.array([False, False, True]), (values - values.mean()) / values.std())


@pytest.mark.parametrize(
    "acquisition", [expected_improvement, probability_of_improvement, lower_confidence_bound]
)
@pytest.mark.parametrize("best", [-3.0, -1.5, 0.5])
def test_the_slope_of_a_promise_is_that_of_its_values(
    acquisition: Acquisition, best: float
) -> None:
    rng = np.random.default_rng(1)
    promise = Promise(learned(rng).conditioned(rng.random((4, 3))), acquisition, best)
    step = 1e-5 * np.eye(3)[:2]
    for point in rng.random((8, 3)):
        point[2] = 1.0
        value, slope = promise.slope(point)
        assert math.isclose(value, promise.at(point[None])[0], rel_tol=1e-9)
        differences = (promise.at(point + step) - promise.at(point - step)) / 2e-5
        assert np.allclose(slope[:2], differences, rtol=1e-3, atol=1e-3 * np.abs(slope).max())
        assert slope[2] == 0


def test_what_was_expected_narrows_the_process_and_moves_it_nowhere() -> None:
    rng = np.random.default_rng(2)
    process, unseen = learned(rng), rng.random((20, 3))
    narrowed = process.conditioned(unseen[:5])
    (mean, deviation), (again, narrower) = process.predict(unseen), narrowed.predict(unseen)
    assert np.allclose(mean, again, rtol=1e-9)
    assert np.all(narrower <= deviation + 1e-9)
    assert np.all(narrower[:5] < 0.5 * deviation[:5])


def test_few_points_in_many_dimensions_are_not_taken_for_noise() -> None:
    rng = np.random.default_rng(3)
    residuals = []
    for _ in range(5):
        points = rng.random((25, 6))
        values: Array = -np.exp(-4 * np.sum((points - 0.4) ** 2, axis=1))
        values = (values - values.mean()) / values.std()
        mean, _ = fit(points, np.zeros(6, dtype=bool), values).predict(points)
        residuals.append(float(np.std(values - mean)))
    assert max(residuals) < 0.001


@given(st.lists(LOSSES, min_size=1, max_size=20), st.integers(0, 3))
def test_losses_keep_their_order_and_a_failure_is_the_worst(
    measured: list[Sample], failures: int
) -> None:
    failed = [Sample({}, SampleOutcome.FAILED, math.inf)] * failures
    normal = _normalised([*measured, *failed])
    raw = [one.loss for one in measured]
    assert np.all(np.diff(normal[: len(raw)][np.argsort(raw, kind="stable")]) >= 0)
    assert np.all(normal[len(raw) :] >= normal.max())
    assert abs(normal.mean()) < 1e-6
    # Squares of the smallest differences are no numbers any more.
    assert math.isclose(normal.std(), 1, rel_tol=1e-6) or (np.ptp(raw) < 1e-150 and not failures)


def test_losses_that_diverged_leave_the_differences_of_the_good_ones() -> None:
    good = [Sample({}, SampleOutcome.MEASURED, loss) for loss in np.linspace(0, 1, 20)]
    bad = [Sample({}, SampleOutcome.MEASURED, loss) for loss in (1e6, 1e9, 1e12)]
    normal = _normalised([*good, *bad])
    assert np.ptp(normal[:10]) > 0.1


def branin(x: float, y: float) -> float:
    """Branin's function on the unit square: three minima of equal depth."""
    x, y = 15 * x - 5, 15 * y
    bend = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return bend**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def nearest_pair(seed: int) -> float:
    """How near the nearest two of eight trials are that are asked for together."""
    document: dict[str, Any] = {
        "parameters": PLANE,
        "seed": seed,
        "parallelTrialCount": 8,
        "objective": {"type": "minimize", "objectiveMetricName": "loss"},
        "algorithm": {"algorithmName": "bayesianoptimization"},
    }
    spec = ExperimentSpec.model_validate(document)
    trials = []
    for number, (x, y) in enumerate(np.random.default_rng(seed).random((18, 2)).tolist()):
        metrics = {"loss": Metric.single(branin(x, y))}
        trials.append(Trial(number, {"x": x, "y": y}, TrialState.SUCCEEDED, metrics))
    for number in range(18, 26):
        made = suggest(spec, number, trials)
        assert made is not None
        trials.append(Trial(number, made, TrialState.RUNNING))
    asked = np.array([[t.assignments[n] for n in "xy"] for t in trials[18:]], dtype=float)
    distance = np.max(np.abs(asked[:, None] - asked), axis=2)
    return float(np.min(distance[np.triu_indices(8, 1)]))


def test_trials_asked_for_together_keep_apart() -> None:
    # Where what is believed of a running trial is no record, the next one lies beside it, a
    # ten thousandth of the range away.
    assert statistics.median(nearest_pair(seed) for seed in range(5)) > 0.002
