"""What an Experiment and a Suggestion in a cluster say of their state.

Each function returns the whole status, for server-side apply: a field that is applied no more
is removed. Nothing in it changes unless the experiment does, so that an unchanged status need
not be written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hpo_lab.cluster.resources.fitting import MOST_BYTES, cut, fitting, size_of
from hpo_lab.cluster.resources.names import trial_object_name
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.status import ExperimentState, StatusCondition, conditions_of
from hpo_lab.experiment.status_document import (
    COUNTERS,
    assignment_list,
    condition_document,
    ended_at,
    metric_document,
    started_at,
    timestamp,
)
from hpo_lab.experiment.trial import Trial, TrialState, objective_value, objective_values
from hpo_lab.problems import InvalidInput

__all__ = [
    "MOST_BEST",
    "applied_status",
    "best_value",
    "cut_conditions",
    "cut_metrics",
    "experiment_resource_status",
    "fitting_assignments",
    "invalid_experiment_status",
    "suggestion_resource_status",
]

MOST_BEST = 10
"""The most trials of a Pareto front in a status."""

_MESSAGE, _PAST_MESSAGE, _REASON, _TEXT, _VALUE = 400, 100, 128, 200, 60
"""The most bytes of a message, of that of a condition that no longer holds, and of other texts."""


def experiment_resource_status(
    experiment: ExperimentDocument,
    conditions: Sequence[StatusCondition],
    tally: Mapping[TrialState, int],
    best: Sequence[Trial],
    *,
    generation: int,
    deadline: float | None = None,
) -> dict[str, Any]:
    """The status of an Experiment, in at most `MOST_BYTES` bytes of JSON.

    Katib's fields, without its lists of names and without `lastReconcileTime`, which would make
    every look at an experiment a write.

    Args:
        experiment: The document.
        conditions: Its conditions, the present one last; see `conditions_of`.
        tally: How many of its trials are in each state.
        best: The optimal trial; of several objectives the Pareto front, the optimal trial first.
        generation: `metadata.generation` of the object that was acted on.
        deadline: When its time budget ends if it runs on, in seconds since the epoch.
    """
    spec = experiment.spec
    total = sum(tally.values())
    budget: dict[str, Any] = {}
    if spec.max_trial_count is not None:
        budget["trialsLeft"] = max(0, spec.max_trial_count - total)
    if deadline is not None:
        budget["deadline"] = timestamp(deadline)
    status: dict[str, Any] = {
        "observedGeneration": generation,
        **_life(conditions),
        "trials": total,
        **{counter: tally.get(state, 0) for state, (_, counter) in COUNTERS.items()},
    }
    if budget:
        status["budget"] = budget
    if best:
        room = MOST_BYTES - size_of(status)
        has_front = bool(spec.objective.additional_objectives) and len(best) > 1
        optimal = _best(experiment, best[0], room // 2 if has_front else room)
        status["currentOptimalTrial"] = optimal
        if has_front:
            front = (_member(experiment, trial) for trial in best[:MOST_BEST])
            status["paretoFront"] = fitting(front, room - size_of(optimal) - 50)
    return status


def invalid_experiment_status(
    error: InvalidInput, *, time: float, generation: int
) -> dict[str, Any]:
    """The status of an Experiment that the API server took and hpo_lab cannot run.

    Args:
        error: Every problem of the object.
        time: When the object was written, in seconds since the epoch.
        generation: `metadata.generation` of the object that was read.
    """
    message = "\n".join(map(str, error.problems))
    history = [(ExperimentState.FAILED, "ExperimentInvalid", message, time)]
    (condition,) = (condition_document(each) for each in conditions_of(history))
    condition["message"] = cut(message, MOST_BYTES // 2)
    life = {"startTime": timestamp(time), "completionTime": timestamp(time)}
    return {"observedGeneration": generation, **life, "conditions": [condition]}


def suggestion_resource_status(
    conditions: Sequence[StatusCondition], count: int, *, generation: int
) -> dict[str, Any]:
    """The status of a Suggestion, which counts the assignments and lists none.

    Args:
        conditions: The conditions of the experiment, the present one last.
        count: How many trials have an assignment.
        generation: `metadata.generation` of the object that was acted on.
    """
    return {"observedGeneration": generation, **_life(conditions), "suggestionCount": count}


def applied_status(resource: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, Any]:
    """What is applied to the status subresource of *resource*.

    It names the version that was read, so that an object that has changed meanwhile, or that took
    the name of a deleted one, is a conflict. An API server does not compare the `uid` there.

    Args:
        resource: An object that the API server has returned.
        status: Its whole new status.
    """
    metadata = resource["metadata"]
    return {
        "apiVersion": resource["apiVersion"],
        "kind": resource["kind"],
        "metadata": {name: metadata[name] for name in ("name", "namespace", "resourceVersion")},
        "status": dict(status),
    }


def best_value(experiment: ExperimentDocument, trial: Trial) -> str | None:
    """The value of the first objective that represents *trial*, as a column shows it."""
    objective = experiment.spec.objective
    value = objective_value(objective, trial)
    if value is not None:
        return repr(value)
    metric = trial.metrics.get(objective.objective_metric_name)
    return cut(metric.text, _VALUE) if metric and metric.text else None


def cut_conditions(conditions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """*conditions* with messages of bounded length."""
    return [
        {
            **condition,
            "reason": cut(condition["reason"], _REASON),
            "message": cut(
                condition["message"], _MESSAGE if condition["status"] == "True" else _PAST_MESSAGE
            ),
        }
        for condition in conditions
    ]


def cut_metrics(experiment: ExperimentDocument, trial: Trial, room: int) -> list[dict[str, str]]:
    """The metrics of *trial* that the experiment names, the objective first, that fit in *room*."""
    names = (name for name in experiment.spec.objective.metric_names if name in trial.metrics)
    metrics = (metric_document(name, trial.metrics[name]) for name in names)
    return fitting(map(_cut_texts, metrics), room)


def fitting_assignments(experiment: ExperimentDocument, trial: Trial, room: int) -> dict[str, Any]:
    """The fields with the parameters of *trial* that fit in *room* bytes, and how many do not."""
    texts = assignment_list(experiment, trial)
    room -= len('"parameterAssignments":,"parametersOmitted":10000,')
    kept = fitting(map(_cut_texts, texts), room)
    fields: dict[str, Any] = {"parameterAssignments": kept} if kept else {}
    if len(kept) < len(texts):
        fields["parametersOmitted"] = len(texts) - len(kept)
    return fields


def _cut_texts(entry: Mapping[str, str]) -> dict[str, str]:
    return {key: cut(text, _TEXT) for key, text in entry.items()}


def _life(conditions: Sequence[StatusCondition]) -> dict[str, Any]:
    times = {
        "startTime": timestamp(started_at(conditions)),
        "completionTime": timestamp(ended_at(conditions)),
    }
    return {
        **{name: time for name, time in times.items() if time},
        "conditions": cut_conditions([condition_document(each) for each in conditions]),
    }


def _member(experiment: ExperimentDocument, trial: Trial) -> dict[str, Any]:
    """A trial of the Pareto front, with the values of the objectives in their order."""
    values = objective_values(experiment.spec.objective, trial) or ()
    return {
        "bestTrialName": trial_object_name(experiment.name, trial.number),
        "objectiveValues": [repr(value) for value in values],
    }


def _best(experiment: ExperimentDocument, trial: Trial, room: int) -> dict[str, Any]:
    """A trial that is the best, in at most about *room* bytes, at least those of its name."""
    best: dict[str, Any] = {"bestTrialName": trial_object_name(experiment.name, trial.number)}
    value = best_value(experiment, trial)
    if value is not None:
        best["objectiveValue"] = value
    room -= size_of(best) + len('"currentOptimalTrial":,"observation":{"metrics":},')
    metrics = cut_metrics(experiment, trial, room // 2)
    if metrics:
        best["observation"] = {"metrics": metrics}
    return best | fitting_assignments(experiment, trial, room - size_of(metrics))
