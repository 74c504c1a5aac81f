"""Experiments, trials and suggestions as the documents that Katib's tools read.

Follows the status fields of `pkg/apis/controller/{experiments,trials,suggestions}/v1beta1`.
Values are text, times are RFC 3339 in UTC, and what is zero or empty is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from hpo_lab.experiment.job_status import job_conditions
from hpo_lab.experiment.model import ExperimentDocument, MetricsCollector, Objective
from hpo_lab.experiment.parameter import as_texts
from hpo_lab.experiment.status import ExperimentState, StatusCondition
from hpo_lab.experiment.trial import (
    Metric,
    Trial,
    TrialState,
    latest_text,
    optimal_trial,
    pareto_front,
    trial_name,
)

__all__ = [
    "COUNTERS",
    "assignment_list",
    "condition_document",
    "ended_at",
    "experiment_status",
    "metric_document",
    "started_at",
    "suggestion_document",
    "timestamp",
    "trial_document",
    "trial_status",
]

_UNAVAILABLE = "unavailable"
COUNTERS: Final = {
    TrialState.CREATED: ("pendingTrialList", "trialsPending"),
    TrialState.RUNNING: ("runningTrialList", "trialsRunning"),
    TrialState.SUCCEEDED: ("succeededTrialList", "trialsSucceeded"),
    TrialState.FAILED: ("failedTrialList", "trialsFailed"),
    TrialState.KILLED: ("killedTrialList", "trialsKilled"),
    TrialState.EARLY_STOPPED: ("earlyStoppedTrialList", "trialsEarlyStopped"),
    TrialState.METRICS_UNAVAILABLE: ("metricsUnavailableTrialList", "trialMetricsUnavailable"),
}
"""The fields with the names and with the count of the trials in each state."""


def timestamp(seconds: float | None) -> str | None:
    """*seconds* since the epoch as Kubernetes writes a time: `2026-01-31T09:30:00Z`."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(math.floor(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def experiment_status(
    experiment: ExperimentDocument,
    conditions: Sequence[StatusCondition],
    trials: Iterable[Trial],
    *,
    now: float,
) -> dict[str, Any]:
    """The `status` of an Experiment.

    Args:
        experiment: The document.
        conditions: Its conditions; see `conditions_of`.
        trials: All its trials, in any order.
        now: Seconds since the epoch; becomes the time of reconciliation.
    """
    trials = sorted(trials, key=lambda trial: trial.number)
    status: dict[str, Any] = {
        "startTime": timestamp(started_at(conditions)),
        "completionTime": timestamp(ended_at(conditions)),
        "lastReconcileTime": timestamp(now),
        "conditions": [condition_document(condition) for condition in conditions],
        "currentOptimalTrial": _optimal(experiment, trials),
        "paretoFront": _front(experiment, trials),
    }
    for state, (list_name, _) in COUNTERS.items():
        status[list_name] = [
            trial_name(experiment.name, trial.number) for trial in trials if trial.state is state
        ]
    status["trials"] = len(trials)
    for state, (_, counter) in COUNTERS.items():
        status[counter] = sum(trial.state is state for trial in trials)
    return _compact(status)


def trial_document(
    experiment: ExperimentDocument, trial: Trial, *, run_spec: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A trial as a Trial object.

    Args:
        experiment: The experiment that the trial belongs to.
        trial: The trial.
        run_spec: The object that the trial runs, from `render_trial`.
    """
    spec = experiment.spec
    template = spec.trial_template
    collector = spec.metrics_collector_spec or MetricsCollector()
    conditions = job_conditions(template, *template.kind) if template else None
    labels = dict(experiment.metadata.labels or {})
    labels["katib.kubeflow.org/experiment"] = experiment.name
    return {
        "apiVersion": experiment.api_version,
        "kind": "Trial",
        "metadata": {
            "name": trial_name(experiment.name, trial.number),
            "namespace": experiment.namespace,
            "labels": labels,
        },
        "spec": _compact(
            {
                "objective": _objective(spec.objective),
                "parameterAssignments": assignment_list(experiment, trial),
                "runSpec": run_spec,
                "retainRun": template.retain if template else None,
                "metricsCollector": collector.to_document(),
                "primaryPodLabels": template and template.pod_labels,
                "primaryContainerName": template and template.primary_container_name,
                "successCondition": conditions and conditions.success,
                "failureCondition": conditions and conditions.failure,
            }
        ),
        "status": trial_status(spec.objective, trial),
    }


def suggestion_document(
    experiment: ExperimentDocument, conditions: Sequence[StatusCondition], count: int
) -> dict[str, Any]:
    """The suggestions for an experiment, as a Suggestion object.

    The object counts the assignments and does not list them: Katib's list exceeds the size
    limit of an object at a few thousand trials. Each trial holds its own assignment.

    Args:
        experiment: The experiment, whose name the suggestion shares.
        conditions: The conditions of the experiment.
        count: How many trials it has.
    """
    spec = experiment.spec
    return {
        "apiVersion": experiment.api_version,
        "kind": "Suggestion",
        "metadata": {"name": experiment.name, "namespace": experiment.namespace},
        "spec": _compact(
            {
                "algorithm": spec.algorithm.to_document(),
                "earlyStopping": spec.early_stopping and spec.early_stopping.to_document(),
                "requests": count,
                "resumePolicy": spec.resume_policy.value,
            }
        ),
        "status": _compact(
            {
                "suggestionCount": count,
                "startTime": timestamp(started_at(conditions)),
                "completionTime": timestamp(ended_at(conditions)),
                "conditions": [condition_document(condition) for condition in conditions],
            }
        ),
    }


def started_at(conditions: Sequence[StatusCondition]) -> float | None:
    """When an experiment with these *conditions* began, in seconds since the epoch."""
    return min((condition.changed_at for condition in conditions), default=None)


def ended_at(conditions: Sequence[StatusCondition]) -> float | None:
    """When an experiment with these *conditions* ended; None where it has not."""
    ended = [
        condition.changed_at
        for condition in conditions
        if condition.status and ExperimentState(condition.type).is_final
    ]
    return max(ended, default=None)


def condition_document(condition: StatusCondition) -> dict[str, Any]:
    """*condition* as an entry of `status.conditions`."""
    return {
        "type": condition.type,
        "status": str(condition.status),
        "reason": condition.reason,
        "message": condition.message,
        "lastUpdateTime": timestamp(condition.updated_at),
        "lastTransitionTime": timestamp(condition.changed_at),
    }


def trial_status(objective: Objective, trial: Trial) -> dict[str, Any]:
    """The `status` of the Trial object of *trial*."""
    conditions = []
    if trial.started_at is not None and trial.state is not TrialState.CREATED:
        running = trial.state is TrialState.RUNNING
        since = trial.started_at if running else trial.completed_at or trial.started_at
        conditions.append(
            StatusCondition("Running", running, "TrialRunning", "Trial is running", since, since)
        )
    if trial.is_final:
        ended = trial.completed_at or trial.started_at or 0.0
        state = trial.state.value
        unavailable = trial.state is TrialState.METRICS_UNAVAILABLE
        reason = state if unavailable else f"Trial{state}"
        message = "Metrics are not available" if unavailable else f"Trial has ended: {state}"
        conditions.append(
            StatusCondition(state, True, reason, trial.message or message, ended, ended)
        )
    return _compact(
        {
            "startTime": timestamp(trial.started_at),
            "completionTime": timestamp(trial.completed_at),
            "conditions": [condition_document(condition) for condition in conditions],
            "observation": _observation(objective, trial),
        }
    )


def _optimal(experiment: ExperimentDocument, trials: Sequence[Trial]) -> dict[str, Any] | None:
    objective = experiment.spec.objective
    best = optimal_trial(objective, trials) or latest_text(objective, trials)
    return None if best is None else _best(experiment, best)


def _front(experiment: ExperimentDocument, trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """The Pareto front of several objectives, an extension of Katib's status; else empty."""
    objective = experiment.spec.objective
    if not objective.additional_objectives:
        return []
    return [_best(experiment, trial) for trial in pareto_front(objective, trials)]


def _best(experiment: ExperimentDocument, trial: Trial) -> dict[str, Any]:
    return {
        "bestTrialName": trial_name(experiment.name, trial.number),
        "parameterAssignments": assignment_list(experiment, trial),
        "observation": _observation(experiment.spec.objective, trial),
    }


def assignment_list(experiment: ExperimentDocument, trial: Trial) -> list[dict[str, str]]:
    """The parameters of *trial* with the texts of their values."""
    texts = as_texts(experiment.spec.parameters, trial.assignments)
    return [{"name": name, "value": text} for name, text in texts.items()]


def _observation(objective: Objective, trial: Trial) -> dict[str, Any] | None:
    """The metrics that the experiment names, where the trial reported the objective."""
    if objective.objective_metric_name not in trial.metrics:
        return None
    names = objective.metric_names
    return {"metrics": [metric_document(name, trial.metrics.get(name)) for name in names]}


def metric_document(name: str, metric: Metric | None) -> dict[str, str]:
    """A metric as an entry of `observation.metrics`; None stands for a metric never reported."""
    if metric is None:
        return {"name": name, **dict.fromkeys(("min", "max", "latest"), _UNAVAILABLE)}
    return {
        "name": name,
        "min": _UNAVAILABLE if metric.min is None else repr(metric.min),
        "max": _UNAVAILABLE if metric.max is None else repr(metric.max),
        "latest": metric.text or repr(metric.latest),
    }


def _objective(objective: Objective) -> dict[str, Any]:
    """The objective with the strategy of every metric, as Katib's defaulting leaves it."""
    strategies = [
        {"name": name, "value": objective.strategy(name).value} for name in objective.metric_names
    ]
    return objective.to_document() | {"metricStrategies": strategies}


def _compact(fields: dict[str, Any]) -> dict[str, Any]:
    """*fields* without those that are None, empty or zero."""
    return {name: value for name, value in fields.items() if value}
