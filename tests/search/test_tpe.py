from __future__ import annotations

import logging
import math
import statistics
import subprocess
import sys
import warnings
from typing import Any

import pytest

from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.experiment.trial import Metric, Trial, TrialState

from .asking import suggest

MIXED = (
    {"name": "lr", "parameterType": "double"}
    | {"feasibleSpace": {"min": 1e-5, "max": 1, "distribution": "logUniform"}},
    {"name": "dropout", "parameterType": "double", "feasibleSpace": {"min": 0, "max": 1}},
    {"name": "units", "parameterType": "int", "feasibleSpace": {"min": 1, "max": 256}},
    {"name": "batch", "parameterType": "discrete"}
    | {"feasibleSpace": {"list": [8, 16, 32, 64, 128, 256]}},
    {"name": "opt", "parameterType": "categorical"}
    | {"feasibleSpace": {"list": ["sgd", "adam", "lion", "rmsprop"]}},
)


def experiment(algorithm: str, direction: str = "minimize", **settings: Any) -> ExperimentSpec:
    return ExperimentSpec.model_validate(
        {
            "parameters": MIXED,
            "objective": {"type": direction, "objectiveMetricName": "loss"},
            "algorithm": {
                "algorithmName": algorithm,
                "algorithmSettings": [{"name": k, "value": v} for k, v in settings.items()],
            },
        }
    )


def quadratic(x: dict[str, Any]) -> float:
    """Zero at its only minimum, at most 5."""
    return (
        ((math.log10(x["lr"]) + 3) / 3) ** 2
        + (x["dropout"] - 0.2) ** 2
        + ((x["units"] - 200) / 256) ** 2
        + ((math.log2(x["batch"]) - 5) / 5) ** 2
        + 0.5 * (x["opt"] != "adam")
    )


def search(spec: ExperimentSpec, count: int, sign: float = 1) -> list[Trial]:
    trials: list[Trial] = []
    for number in range(count):
        made = suggest(spec, number, trials)
        assert made is not None
        loss = Metric.single(sign * quadratic(made))
        trials.append(Trial(number, made, TrialState.SUCCEEDED, {"loss": loss}))
    return trials


def best(trials: list[Trial]) -> float:
    return min(abs(trial.metrics["loss"].latest) for trial in trials)


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_it_beats_random_search(direction: str, sign: float) -> None:
    found = {
        name: [
            best(search(experiment(name, direction, random_state=seed), 30, sign))
            for seed in range(3)
        ]
        for name in ("tpe", "random")
    }
    assert statistics.median(found["tpe"]) < 0.6 * statistics.median(found["random"])


@pytest.mark.parametrize(
    "settings",
    [
        {"gamma": 0.25, "prior_weight": 0.5, "n_EI_candidates": 8},
        {"n_startup_trials": 4, "n_ei_candidates": 8},
        {"multivariate": "false"},
    ],
)
def test_every_setting_has_an_effect(settings: dict[str, Any]) -> None:
    plain = search(experiment("tpe", random_state=0), 16)
    changed = search(experiment("tpe", random_state=0, **settings), 16)
    assert plain[:4] == changed[:4]
    assert plain != changed


def test_a_search_that_starts_again_goes_on_as_if_it_had_not_stopped() -> None:
    spec = experiment("tpe", random_state=5)
    trials = search(spec, 20)
    for number in (0, 9, 10, 15, 19):
        assert suggest(spec, number, trials[:number]) == trials[number].assignments


def test_failures_are_no_results() -> None:
    spec = experiment("tpe", random_state=1, n_startup_trials=5)
    trials = search(spec, 8)
    made: dict[str, Value] = dict(trials[0].assignments)
    nan = {"loss": Metric.single(math.nan)}
    low = {"loss": Metric.single(-100.0)}
    failures = [
        Trial(8, made, TrialState.FAILED, low),
        Trial(8, made, TrialState.KILLED, low),
        Trial(8, made, TrialState.METRICS_UNAVAILABLE),
        Trial(8, made, TrialState.SUCCEEDED, nan),
        Trial(8, made, TrialState.SUCCEEDED),
        Trial(8, made, TrialState.EARLY_STOPPED, nan),
    ]
    answers = [suggest(spec, 9, [*trials, failure]) for failure in failures]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0] != suggest(spec, 9, [*trials, Trial(8, made, TrialState.SUCCEEDED, low)])


def near(one: dict[str, Value] | None, other: dict[str, Value]) -> bool:
    assert one is not None
    return abs(float(str(one["dropout"])) - float(str(other["dropout"]))) < 0.1


def test_running_trials_are_kept_away_from() -> None:
    spec = experiment("tpe", random_state=2)
    trials = search(spec, 30)
    likely = suggest(spec, 30, trials)
    assert likely is not None

    def answers(state: TrialState) -> int:
        others = [Trial(30 + i, likely, state) for i in range(8)]
        return sum(near(suggest(spec, n, [*trials, *others]), likely) for n in range(38, 58))

    assert answers(TrialState.RUNNING) < answers(TrialState.FAILED)


def test_a_trial_stopped_early_ranks_below_those_that_finished() -> None:
    spec = experiment("tpe", random_state=3)
    trials = search(spec, 30)
    odd: dict[str, Value] = {"lr": 1.0, "dropout": 1.0, "units": 1, "batch": 256, "opt": "rmsprop"}
    lucky = {"loss": Metric.single(-5.0)}

    def answers(state: TrialState) -> int:
        stopped = [Trial(30 + i, odd, state, lucky) for i in range(4)]
        return sum(near(suggest(spec, n, [*trials, *stopped]), odd) for n in range(34, 44))

    assert answers(TrialState.SUCCEEDED) > 5 > answers(TrialState.EARLY_STOPPED)


def test_optuna_says_nothing_and_is_left_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    import optuna

    filters, level = list(warnings.filters), optuna.logging.get_verbosity()
    log = logging.getLogger("optuna.storages._in_memory")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search(experiment("tpe", gamma=0.3, prior_weight=2), 12)
    assert not caught
    assert capfd.readouterr() == ("", "")
    assert list(warnings.filters) == filters
    assert optuna.logging.get_verbosity() == level
    assert log.level == logging.NOTSET


def test_nothing_heavy_is_imported_for_another_algorithm() -> None:
    program = (
        "import sys, hpo_lab.search.ask, hpo_lab.search.random; "
        "sys.exit('optuna' in sys.modules or 'numpy' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
