"""What the model-based algorithms have in common: they learn, and forget nothing."""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np
import pytest

from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search import bayesian, cmaes, optuna_parzen, samples, space

from .asking import suggest

MIXED = (
    {"name": "x", "parameterType": "double", "feasibleSpace": {"min": -5, "max": 10}},
    {"name": "lr", "parameterType": "double"}
    | {"feasibleSpace": {"min": 1e-5, "max": 1, "distribution": "logUniform"}},
    {"name": "n", "parameterType": "int", "feasibleSpace": {"min": 1, "max": 9}},
    {"name": "opt", "parameterType": "categorical", "feasibleSpace": {"list": ["a", "b", True]}},
    {"name": "beta", "parameterType": "double", "when": 'opt == "a"'}
    | {"feasibleSpace": {"min": 0, "max": 1}},
)
MODELS = ("bayesianoptimization", "cmaes", "tpe")
DONE = TrialState.SUCCEEDED


def experiment(
    algorithm: str, parameters: Any = MIXED, direction: str = "minimize", **settings: Any
) -> ExperimentSpec:
    return ExperimentSpec.model_validate(
        {
            "parameters": parameters,
            "objective": {"type": direction, "objectiveMetricName": "loss"},
            "algorithm": {
                "algorithmName": algorithm,
                "algorithmSettings": [{"name": k, "value": v} for k, v in settings.items()],
            },
        }
    )


def loss(made: dict[str, Any]) -> float:
    return (
        ((made["x"] - 6) / 15) ** 2
        + ((math.log10(made["lr"]) + 4) / 5) ** 2
        + ((made["n"] - 7) / 9) ** 2
    )


def search(
    spec: ExperimentSpec, count: int, sign: float = 1, state: TrialState = DONE
) -> list[Trial]:
    trials: list[Trial] = []
    while len(trials) < count:
        made = suggest(spec, len(trials), trials)
        assert made is not None
        metric = {"loss": Metric.single(sign * loss(made))}
        trials.append(Trial(len(trials), made, state, metric))
    return trials


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
@pytest.mark.parametrize(("algorithm", "count"), [("bayesianoptimization", 20), ("cmaes", 60)])
def test_it_beats_random_search(algorithm: str, count: int, direction: str, sign: float) -> None:
    found = {
        name: statistics.median(
            min(
                loss(dict(trial.assignments))
                for trial in search(
                    experiment(name, direction=direction, random_state=seed), count, sign
                )
            )
            for seed in range(3)
        )
        for name in (algorithm, "random")
    }
    assert found[algorithm] < 0.5 * found["random"]


def forget() -> None:
    space._space.cache_clear()
    samples._sampled.cache_clear()
    optuna_parzen._told_once.cache_clear()
    cmaes._course.cache_clear()


@pytest.mark.parametrize("algorithm", MODELS)
def test_what_is_kept_between_questions_changes_no_answer(algorithm: str) -> None:
    spec = experiment(algorithm, random_state=3)
    trials = search(experiment("random", random_state=1), 40)
    changed = list(trials)
    changed[7] = Trial(7, trials[7].assignments, TrialState.FAILED)
    changed[11] = Trial(11, trials[12].assignments, DONE, {"loss": Metric.single(-9.0)})
    changed[20] = Trial(20, trials[20].assignments, TrialState.RUNNING)
    histories = [trials[:25], trials, changed, trials[10:], trials]
    kept = [suggest(spec, 40, told) for told in histories]
    fresh = []
    for told in histories:
        forget()
        fresh.append(suggest(spec, 40, told))
    assert kept == fresh
    assert kept[1] != kept[2]


def test_equal_values_of_other_types_are_not_taken_for_one_another() -> None:
    listed = {"name": "v", "parameterType": "categorical", "feasibleSpace": {"list": [1, True]}}
    spec = experiment("tpe", [MIXED[0], listed], n_startup_trials=1)

    def trials(value: Value) -> list[Trial]:
        metric = {"loss": Metric.single(0.0)}
        return [Trial(i, {"x": i / 2, "v": value}, DONE, metric) for i in range(12)]

    answers = [suggest(spec, n, trials(v)) for v in (1, True) for n in range(12, 30)]
    forget()
    again = [suggest(spec, n, trials(v)) for v in (True, 1) for n in range(12, 30)]
    assert answers == again[18:] + again[:18]
    assert answers[:18] != answers[18:]


@pytest.mark.parametrize("algorithm", MODELS)
@pytest.mark.parametrize("state", [TrialState.FAILED, TrialState.EARLY_STOPPED])
def test_nothing_but_failures_is_survived(algorithm: str, state: TrialState) -> None:
    trials = search(experiment(algorithm, random_state=0), 40, state=state)
    assert len({repr(trial.assignments) for trial in trials}) == 40


@pytest.mark.parametrize("algorithm", MODELS)
@pytest.mark.parametrize("scale", [0.0, 1e300, 1e-300])
def test_values_of_any_size_are_survived(algorithm: str, scale: float) -> None:
    assert len(search(experiment(algorithm, random_state=0), 30, sign=scale)) == 30


@pytest.mark.parametrize(
    ("algorithm", "settings"),
    [
        ("cmaes", {"sigma": 0.05}),
        ("cmaes", {"sigma": 50}),
        ("bayesianoptimization", {"n_initial_points": 5}),
        ("bayesianoptimization", {"acq_func": "LCB"}),
        ("bayesianoptimization", {"acq_func": "PI"}),
        ("bayesianoptimization", {"acq_func": "gp_hedge"}),
        ("bayesianoptimization", {"acq_optimizer": "sampling"}),
        ("multivariate-tpe", {"n_startup_trials": 4}),
    ],
)
def test_a_setting_has_an_effect(algorithm: str, settings: dict[str, Any]) -> None:
    plain = search(experiment(algorithm, random_state=0), 14)
    changed = search(experiment(algorithm, random_state=0, **settings), 14)
    assert plain != changed


def test_multivariate_tpe_is_tpe() -> None:
    trials = search(experiment("random"), 30)
    made = [suggest(experiment(name), 30, trials) for name in ("tpe", "multivariate-tpe")]
    assert made[0] == made[1]


def test_tpe_learns_from_the_best_however_long_ago() -> None:
    spec = experiment("tpe", random_state=4)
    count = optuna_parzen.HISTORY + 200
    trials = search(experiment("random", random_state=4), count)
    good: dict[str, Value] = {"x": -5.0, "lr": 1.0, "n": 1, "opt": "b"}
    early = [Trial(i, good, DONE, {"loss": Metric.single(-1.0)}) for i in range(20)]
    made = [suggest(spec, n, [*early, *trials[20:]]) for n in range(count, count + 10)]
    assert sum(float(str((m or {})["x"])) < -2 for m in made) >= 8


def test_bayesian_optimisation_hands_over_to_tpe() -> None:
    count = bayesian.MOST_TRIALS + 1
    trials = search(experiment("random"), count)
    handed = [suggest(experiment(n), count, trials) for n in ("bayesianoptimization", "tpe")]
    assert handed[0] == handed[1]
    before = [suggest(experiment(n), count, trials[1:]) for n in ("bayesianoptimization", "tpe")]
    assert before[0] != before[1]


def test_the_gradient_of_the_model_leads_to_its_length_scales() -> None:
    from hpo_lab.search.gaussian_process import fit

    rng = np.random.default_rng(0)
    points = rng.random((60, 3))
    points[:, 2] = np.floor(points[:, 2] * 2) / 2 + 0.25
    values = np.sin(7 * points[:, 0]) + (points[:, 2] > 0.5)
    values = (values - values.mean()) / values.std()
    process = fit(points, np.array([False, False, True]), values)
    # The second column says nothing, the first most.
    assert process.weights[0] > 20 * process.weights[1]
    unseen = rng.random((20, 3))
    unseen[:, 2] = np.floor(unseen[:, 2] * 2) / 2 + 0.25
    truth = np.sin(7 * unseen[:, 0]) + (unseen[:, 2] > 0.5)
    mean, deviation = process.predict(unseen)
    assert np.max(np.abs(np.corrcoef(mean, truth)[0, 1] - 1)) < 0.01
    believed = process.conditioned(unseen)
    again, narrower = believed.predict(unseen)
    assert np.allclose(again, mean, atol=1e-3)
    assert np.all(narrower <= deviation + 1e-6)
