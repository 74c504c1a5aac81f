"""Experiments, suggestions and trials from and to the objects of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpo_lab.cluster.resources.fitting import MOST_BYTES, cut
from hpo_lab.cluster.resources.names import (
    MANAGED_BY,
    PRIORITY_LABEL,
    QUEUE_LABEL,
    object_labels,
    object_reference,
    owner_reference,
    trial_object_name,
)
from hpo_lab.cluster.resources.statuses import (
    best_value,
    cut_conditions,
    cut_metrics,
    fitting_assignments,
)
from hpo_lab.experiment.manifest import Manifest, parse_manifest
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.status_document import suggestion_document, trial_status
from hpo_lab.experiment.trial import Trial

__all__ = [
    "experiment_resource",
    "read_experiment_resource",
    "suggestion_resource",
    "trial_resource",
    "trial_resource_status",
]

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def read_experiment_resource(resource: Mapping[str, Any]) -> Manifest:
    """The experiment that an Experiment object describes, with the warnings about it.

    Raises:
        InvalidInput: The object has problems, each with its path.
    """
    metadata = resource["metadata"]
    kept = {name: metadata[name] for name in ("name", "namespace", "labels") if name in metadata}
    annotations = {
        key: text
        for key, text in (metadata.get("annotations") or {}).items()
        if key != _APPLIED  # The manifest once more.
    }
    if annotations:
        kept["annotations"] = annotations
    return parse_manifest(
        {
            "apiVersion": resource["apiVersion"],
            "kind": resource["kind"],
            "metadata": kept,
            "spec": resource.get("spec") or {},
        }
    )


def experiment_resource(experiment: ExperimentDocument) -> dict[str, Any]:
    """The object to create for *experiment*."""
    document = experiment.to_document()
    document.pop("status", None)
    return document


def trial_resource(
    experiment: ExperimentDocument, owner: Mapping[str, Any], trial: Trial
) -> dict[str, Any]:
    """The object to create for *trial*: its parameters, some 500 bytes of it, 4 KB at most.

    What it runs is rendered of the experiment's template, which does not change.

    Args:
        experiment: The experiment.
        owner: The Experiment object.
        trial: The trial.
    """
    spec: dict[str, Any] = {"number": trial.number}
    if trial.parent is not None:
        spec["parent"] = trial.parent
    return {
        "apiVersion": experiment.api_version,
        "kind": "Trial",
        "metadata": {
            "name": trial_object_name(experiment.name, trial.number),
            "namespace": experiment.namespace,
            "labels": _inherited(experiment) | object_labels(experiment),
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": spec | fitting_assignments(experiment, trial, MOST_BYTES - 100),
    }


def trial_resource_status(
    experiment: ExperimentDocument,
    trial: Trial,
    *,
    phase: str = "",
    reason: str = "",
    message: str = "",
    disruptions: int = 0,
    workload: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The whole status of the object of *trial*, for server-side apply.

    Args:
        experiment: The experiment.
        trial: The trial.
        phase: Where its workload is while the trial has not ended, such as `Queued`; by default
            the trial's state.
        reason: Why, as one CamelCase word.
        message: Why, as a sentence.
        disruptions: How often it has run again through no fault of its own.
        workload: The object that it runs, as the API server returned it.
    """
    status = trial_status(experiment.spec.objective, trial)
    status.pop("observation", None)
    if metrics := cut_metrics(experiment, trial, MOST_BYTES // 2):
        status["observation"] = {"metrics": metrics}
    status["conditions"] = cut_conditions(status.get("conditions", ()))
    status["phase"] = trial.state.value if trial.is_final or not phase else phase
    status["attempt"] = trial.attempt
    value = best_value(experiment, trial)
    fields = {
        "reason": cut(reason, 128),
        "message": cut(message or trial.message, 400),
        "disruptions": disruptions,
        "objectiveValue": value,
        "workload": workload and object_reference(workload),
    }
    return status | {name: field for name, field in fields.items() if field}


def suggestion_resource(
    experiment: ExperimentDocument, owner: Mapping[str, Any], count: int
) -> dict[str, Any]:
    """The Suggestion object of *experiment*: the algorithm and counters.

    Args:
        experiment: The experiment.
        owner: The Experiment object.
        count: How many trials were asked for.
    """
    document = suggestion_document(experiment, (), count)
    del document["status"]
    document["spec"].setdefault("requests", 0)
    document["metadata"] |= {
        "labels": _inherited(experiment) | object_labels(experiment),
        "ownerReferences": [owner_reference(owner)],
    }
    return document


def _inherited(experiment: ExperimentDocument) -> dict[str, str]:
    """The labels of *experiment* that its objects have as well: those of a person."""
    labels = experiment.metadata.labels or {}
    own = {QUEUE_LABEL, PRIORITY_LABEL, *MANAGED_BY}
    return {key: text for key, text in labels.items() if key not in own}
