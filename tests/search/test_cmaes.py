from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.cmaes import Course, StrategyParameters
from hpo_lab.search.evolution import Evolution, default_population
from hpo_lab.search.samples import Sample, SampleOutcome
from hpo_lab.search.space import Space

from .asking import suggest

DONE = TrialState.SUCCEEDED


def double(name: str) -> dict[str, Any]:
    return {"name": name, "parameterType": "double", "feasibleSpace": {"min": 0, "max": 1}}


def experiment(*parameters: Any, parallel: int = 1, **given: Any) -> ExperimentSpec:
    return ExperimentSpec.model_validate(
        {
            "parameters": parameters,
            "parallelTrialCount": parallel,
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {
                "algorithmName": "cmaes",
                "algorithmSettings": [{"name": k, "value": v} for k, v in given.items()],
            },
        }
    )


PLANE = double("x"), double("y")


def ellipse(made: Any) -> float:
    return float((made["x"] - 0.8) ** 2 + 20 * (made["y"] - 0.3) ** 2)


def ended(trial: Trial, loss: float) -> Trial:
    return Trial(trial.number, trial.assignments, DONE, {"loss": Metric.single(loss)})


def test_a_rotated_ill_conditioned_ellipsoid_is_solved() -> None:
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    scales = np.logspace(0, 4, 5)
    evolution = Evolution.begin(np.full(5, 0.5), 0.3, default_population(5))
    goal = rng.random(5)
    for _ in range(250):
        samples = np.array(
            [evolution.at(rng.standard_normal(5)) for _ in range(evolution.population)]
        )
        losses = ((samples - goal) @ turn) ** 2 @ scales
        evolution = evolution.after(samples[np.argsort(losses)])
    assert np.max(np.abs(evolution.mean - goal)) < 1e-4
    # It has learned that the directions differ.
    assert evolution.condition > 100


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 10), st.floats(1e-3, 1e6))
def test_samples_from_elsewhere_do_not_blow_it_up(seed: int, sigma: float, far: float) -> None:
    rng = np.random.default_rng(seed)
    evolution = Evolution.begin(np.full(3, 0.5), sigma, 7)
    for _ in range(20):
        moved = evolution.after(far * rng.standard_normal((7, 3)))
        assert moved.sigma <= evolution.sigma * 2.72
        assert np.all(np.abs(moved.mean - evolution.mean) < 20 * evolution.spread.max())
        evolution = moved
    assert np.all(np.isfinite(evolution.covariance))
    assert np.linalg.eigvalsh(evolution.covariance)[0] > 0


@pytest.mark.parametrize("parallel", [1, 8, 25])
def test_batches_of_any_size_are_learned_from(parallel: int) -> None:
    found = []
    for seed in range(3):
        spec = experiment(*PLANE, parallel=parallel, random_state=seed)
        trials: list[Trial] = []
        while len(trials) < 150:
            asked = []
            for number in range(len(trials), len(trials) + parallel):
                made = suggest(spec, number, [*trials, *asked])
                assert made is not None
                asked.append(Trial(number, made, TrialState.RUNNING))
            assert len({repr(trial.assignments) for trial in asked}) == parallel
            trials += [ended(trial, ellipse(trial.assignments)) for trial in asked]
        found.append(min(ellipse(trial.assignments) for trial in trials))
    # 150 uniform draws come within 0.005 of the minimum, as a median.
    assert statistics.median(found) < 0.001


def test_a_trial_that_runs_on_holds_up_nothing() -> None:
    spec = experiment(*PLANE, random_state=1)
    trials: list[Trial] = []
    for number in range(80):
        made = suggest(spec, number, trials)
        assert made is not None
        running = Trial(number, made, TrialState.RUNNING)
        trials.append(running if number == 2 else ended(running, ellipse(made)))
    assert min(ellipse(trial.assignments) for trial in trials) < 0.002


def test_failed_trials_are_the_worst_of_their_generation() -> None:
    spec = experiment(*PLANE, random_state=1)
    trials: list[Trial] = []
    for number in range(120):
        made = suggest(spec, number, trials)
        assert made is not None
        # The minimum lies where trials fail.
        if float(str(made["x"])) > 0.6:
            trials.append(Trial(number, made, TrialState.FAILED))
        else:
            trials.append(ended(Trial(number, made), ellipse(made)))
    late = [float(str(trial.assignments["x"])) for trial in trials[-20:]]
    assert 0.5 < statistics.median(late) < 0.65


def test_steps_do_not_hold_it_where_it_is() -> None:
    whole = {"name": "n", "parameterType": "int", "feasibleSpace": {"min": 0, "max": 20}}
    few = {"name": "k", "parameterType": "discrete", "feasibleSpace": {"list": [1, 2, 4, 8]}}
    found = []
    for seed in range(5):
        spec = experiment(PLANE[0], whole, few, random_state=seed, sigma=0.05)
        trials: list[Trial] = []
        for number in range(150):
            made: Any = suggest(spec, number, trials)
            loss = (made["x"] - 0.8) ** 2 + ((made["n"] - 17) / 20) ** 2 + (made["k"] != 8)
            trials.append(ended(Trial(number, made), loss))
        best: Any = min(trials, key=lambda trial: trial.metrics["loss"].latest).assignments
        found.append((best["n"], best["k"]))
    assert found.count((17, 8)) >= 4


def runs(strategy: str, count: int) -> list[tuple[int, int]]:
    """Number and population of the run after each generation of equal losses."""
    axes = Space(experiment(*PLANE).parameters).axes
    course = Course(axes, StrategyParameters(0.2, strategy, 6, seed=1))
    rng = np.random.default_rng(0)
    told = [
        Sample({"x": u, "y": v}, SampleOutcome.MEASURED, 1.0) for u, v in rng.random((count, 2))
    ]
    seen = []
    for end in range(0, count, 3):
        run = course.after(told[:end])
        if not seen or seen[-1] != (run.number, run.evolution.population):
            seen.append((run.number, run.evolution.population))
    assert (
        Course(axes, StrategyParameters(0.2, strategy, 6, seed=1)).after(told).number == seen[-1][0]
    )
    return seen


def test_a_run_that_gains_nothing_is_followed_by_a_larger_one() -> None:
    assert runs("none", 600) == [(0, 6)]
    assert runs("ipop", 900)[:4] == [(0, 6), (1, 12), (2, 24), (3, 48)]
    populations = [population for _, population in runs("bipop", 1500)]
    assert populations[:2] == [6, 12]
    # Small runs take their turn until they have cost as much as the large one.
    assert populations[2] < 12
    assert 24 in populations


def test_restarts_leave_a_local_minimum() -> None:
    def loss(made: Any) -> float:
        near = (made["x"] - 0.45) ** 2 + (made["y"] - 0.5) ** 2
        narrow = (made["x"] - 0.95) ** 2 + (made["y"] - 0.05) ** 2
        return float(min(0.1 + 30 * near, narrow))

    def best(strategy: str) -> float:
        spec = experiment(*PLANE, random_state=3, restart_strategy=strategy, sigma=0.05)
        trials: list[Trial] = []
        for number in range(600):
            made = suggest(spec, number, trials)
            assert made is not None
            trials.append(ended(Trial(number, made), loss(made)))
        return min(loss(trial.assignments) for trial in trials)

    assert best("none") > 0.09
    assert best("ipop") < 0.01
    assert best("bipop") < 0.01
