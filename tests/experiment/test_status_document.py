"""Experiments, trials and suggestions as Katib's tools read them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from hpo_lab.experiment.model import MetricStrategyType
from hpo_lab.experiment.rendering import render_trial
from hpo_lab.experiment.status import ExperimentState, conditions_of
from hpo_lab.experiment.status_document import (
    experiment_status,
    suggestion_document,
    timestamp,
    trial_document,
)
from hpo_lab.experiment.trial import Metric, Trial, TrialState, trial_name
from tests.experiment.manifests import experiment, spec

CREATED = (ExperimentState.CREATED, "ExperimentCreated", "Experiment is created", 1000.5)
RUNNING = (ExperimentState.RUNNING, "ExperimentRunning", "Experiment is running", 1010.0)
SUCCEEDED = (ExperimentState.SUCCEEDED, "ExperimentMaxTrialsReached", "done", 1100.0)
RESTARTING = (ExperimentState.RESTARTING, "ExperimentRestarting", "again", 1200.0)


def states(*history: Any) -> list[tuple[str, bool, float]]:
    return [(each.type, each.status, each.changed_at) for each in conditions_of(history)]


def test_conditions_through_the_life_of_an_experiment() -> None:
    assert states(CREATED) == [("Created", True, 1000.5)]
    assert states(CREATED, RUNNING) == [("Created", True, 1000.5), ("Running", True, 1010)]
    assert states(CREATED, RUNNING, SUCCEEDED) == [
        ("Created", True, 1000.5),
        ("Running", False, 1100),
        ("Succeeded", True, 1100),
    ]
    assert states(CREATED, RUNNING, SUCCEEDED, RESTARTING) == [
        ("Created", True, 1000.5),
        ("Running", False, 1100),
        ("Restarting", True, 1200),
    ]
    again = (*RUNNING[:3], 1300.0)
    assert states(CREATED, RUNNING, SUCCEEDED, RESTARTING, again) == [
        ("Created", True, 1000.5),
        ("Restarting", False, 1300),
        ("Running", True, 1300),
    ]


def test_a_repeated_state_is_updated_and_has_not_changed() -> None:
    later = (*RUNNING[:2], "3 trials are running", 1020.0)
    _, running = conditions_of([CREATED, RUNNING, later])
    assert (running.changed_at, running.updated_at) == (1010, 1020)
    assert running.message == "3 trials are running"


def test_katib_calls_it_a_success_where_all_trials_of_a_notebook_failed() -> None:
    reason = "ExperimentMaxTrialsReached"
    said = (ExperimentState.FAILED, reason, "All 3 trials failed with NameError: x", 1.0)
    (condition,) = conditions_of([said])
    assert (condition.type, condition.reason) == ("Succeeded", reason)
    assert condition.message == "Experiment has succeeded because max trial count has reached"


def test_times_are_rfc_3339() -> None:
    assert timestamp(0) == "1970-01-01T00:00:00Z"
    assert timestamp(1769851800.999) == "2026-01-31T09:30:00Z"
    assert timestamp(None) is None


def trials() -> list[Trial]:
    values = {"accuracy": Metric.of([0.5, 0.9, 0.8])}
    ended = {"started_at": 1010.0, "completed_at": 1050.0}
    return [
        Trial(2, {"lr": 0.03, "layers": 2}, TrialState.RUNNING, started_at=1020.0),
        Trial(0, {"lr": 0.01, "layers": 5}, TrialState.SUCCEEDED, values, **ended),
        Trial(1, {"lr": 0.02, "layers": 4}, TrialState.FAILED, message="out of memory", **ended),
        Trial(3, {"lr": 0.02, "layers": 3}),
        Trial(4, {"lr": 0.02, "layers": 2}, TrialState.METRICS_UNAVAILABLE, **ended),
    ]


def test_the_status_of_an_experiment_has_katibs_shape() -> None:
    conditions = conditions_of([CREATED, RUNNING])
    status = experiment_status(experiment(), conditions, trials(), now=1060.0)
    assert status == {
        "startTime": "1970-01-01T00:16:40Z",
        "lastReconcileTime": "1970-01-01T00:17:40Z",
        "conditions": [
            {
                "type": "Created",
                "status": "True",
                "reason": "ExperimentCreated",
                "message": "Experiment is created",
                "lastUpdateTime": "1970-01-01T00:16:40Z",
                "lastTransitionTime": "1970-01-01T00:16:40Z",
            },
            {
                "type": "Running",
                "status": "True",
                "reason": "ExperimentRunning",
                "message": "Experiment is running",
                "lastUpdateTime": "1970-01-01T00:16:50Z",
                "lastTransitionTime": "1970-01-01T00:16:50Z",
            },
        ],
        "currentOptimalTrial": {
            "bestTrialName": "random-example-0",
            "parameterAssignments": [
                {"name": "lr", "value": "0.01"},
                {"name": "layers", "value": "5"},
            ],
            "observation": {
                "metrics": [{"name": "accuracy", "min": "0.5", "max": "0.9", "latest": "0.8"}]
            },
        },
        "pendingTrialList": ["random-example-3"],
        "runningTrialList": ["random-example-2"],
        "succeededTrialList": ["random-example-0"],
        "failedTrialList": ["random-example-1"],
        "metricsUnavailableTrialList": ["random-example-4"],
        "trials": 5,
        "trialsPending": 1,
        "trialsRunning": 1,
        "trialsSucceeded": 1,
        "trialsFailed": 1,
        "trialMetricsUnavailable": 1,
    }


def test_the_status_of_an_ended_experiment_has_a_completion_time() -> None:
    conditions = conditions_of([CREATED, RUNNING, SUCCEEDED])
    status = experiment_status(experiment(), conditions, [], now=1100.0)
    assert status["completionTime"] == "1970-01-01T00:18:20Z"
    assert [each["status"] for each in status["conditions"]] == ["True", "False", "True"]
    assert "currentOptimalTrial" not in status and "trials" not in status


def test_a_suggestion_stays_small_however_many_trials_there_are() -> None:
    conditions = conditions_of([CREATED, RUNNING, SUCCEEDED])
    assert len(json.dumps(suggestion_document(experiment(), conditions, 10_000))) < 4096


def test_a_trial_has_katibs_shape() -> None:
    one = experiment(
        lambda d: (
            d["metadata"].update(labels={"team": "vision"}),
            d["spec"]["objective"].update(additionalMetricNames=["loss"]),
            d["spec"]["trialTemplate"].update(retain=True),
        )
    )
    trial = trials()[1]
    name = trial_name(one.name, trial.number)
    job = render_trial(one, name, trial.assignments)
    document = trial_document(one, trial, run_spec=job)
    assert document["metadata"] == {
        "name": "random-example-0",
        "namespace": "kubeflow",
        "labels": {"team": "vision", "katib.kubeflow.org/experiment": "random-example"},
    }
    assert document["spec"]["objective"]["metricStrategies"] == [
        {"name": "accuracy", "value": "max"},
        {"name": "loss", "value": "max"},
    ]
    assert document["spec"]["runSpec"] == job
    assert document["spec"]["retainRun"] is True
    assert document["spec"]["metricsCollector"] == {"collector": {"kind": "StdOut"}}
    assert 'type=="Complete"' in document["spec"]["successCondition"]
    assert document["status"]["completionTime"] == "1970-01-01T00:17:30Z"
    assert [(each["type"], each["status"]) for each in document["status"]["conditions"]] == [
        ("Running", "False"),
        ("Succeeded", "True"),
    ]
    json.dumps(document)


@pytest.mark.parametrize(
    ("trial", "reason", "message"),
    [
        (trials()[2], "TrialFailed", "out of memory"),
        (trials()[4], "MetricsUnavailable", "Metrics are not available"),
        (trials()[0], "TrialRunning", "Trial is running"),
    ],
)
def test_a_trial_says_why_it_is_in_its_state(trial: Trial, reason: str, message: str) -> None:
    last = trial_document(experiment(), trial)["status"]["conditions"][-1]
    assert (last["reason"], last["message"], last["status"]) == (reason, message, "True")


def test_a_suggestion_counts_the_assignments() -> None:
    one = experiment(spec(earlyStopping={"algorithmName": "medianstop"}))
    document = suggestion_document(one, conditions_of([CREATED]), 5)
    assert document["metadata"] == {"name": "random-example", "namespace": "kubeflow"}
    assert document["spec"] == {
        "algorithm": {"algorithmName": "random", "algorithmSettings": []},
        "earlyStopping": {"algorithmName": "medianstop", "algorithmSettings": []},
        "requests": 5,
        "resumePolicy": "Never",
    }
    assert document["status"]["suggestionCount"] == 5


@pytest.mark.parametrize(
    ("values", "smallest", "largest", "latest"),
    [
        ([0.5, 0.9, 0.8], 0.5, 0.9, 0.8),
        ([3.0], 3.0, 3.0, 3.0),
        # Katib would take a trial that reported no number for the best one.
        ([0.5, math.nan], 0.5, 0.5, None),
        ([math.nan], None, None, None),
        ([math.inf, 1.0], 1.0, 1.0, 1.0),
    ],
)
def test_the_strategies_pick_from_the_finite_values(
    values: list[float], smallest: float | None, largest: float | None, latest: float | None
) -> None:
    metric = Metric.of(values)
    assert metric.by(MetricStrategyType.MIN) == smallest
    assert metric.by(MetricStrategyType.MAX) == largest
    assert metric.by(MetricStrategyType.LATEST) == latest


def test_a_metric_without_a_number_is_unavailable_in_the_document() -> None:
    trial = Trial(0, {}, TrialState.METRICS_UNAVAILABLE, {"accuracy": Metric.of([math.nan])})
    (metric,) = trial_document(experiment(), trial)["status"]["observation"]["metrics"]
    assert metric == {
        "name": "accuracy",
        "min": "unavailable",
        "max": "unavailable",
        "latest": "nan",
    }


def test_metrics_that_were_not_reported_are_listed_as_unavailable() -> None:
    described = experiment()
    name = described.spec.objective.objective_metric_name
    objective = described.spec.objective.model_copy(update={"additional_metric_names": ("other",)})
    spec = described.spec.model_copy(update={"objective": objective})
    described = described.model_copy(update={"spec": spec})
    trial = Trial(0, {}, TrialState.SUCCEEDED, {name: Metric.of([1.0])})
    first, second = trial_document(described, trial)["status"]["observation"]["metrics"]
    assert first["latest"] == "1.0"
    assert second == {"name": "other", **dict.fromkeys(("min", "max", "latest"), "unavailable")}
    assert "observation" not in trial_document(described, Trial(1, {}, TrialState.FAILED))["status"]
