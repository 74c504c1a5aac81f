"""Names, labels and owners of the objects that belong to an experiment."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from hpo_lab.experiment.model import KATIB_API_VERSION, ExperimentDocument

__all__ = [
    "EXPERIMENT_LABEL",
    "MANAGED_BY",
    "PRIORITY_LABEL",
    "QUEUE_LABEL",
    "TRIAL_LABEL",
    "object_labels",
    "object_reference",
    "owner_reference",
    "shortened",
    "trial_object_name",
    "trial_object_number",
]

EXPERIMENT_LABEL: Final = "hpolab.dev/experiment"
"""Label of trials, workloads and pods with the name of their experiment."""

TRIAL_LABEL: Final = "hpolab.dev/trial"
"""Label of workloads and pods with the name of their Trial object."""

MANAGED_BY: Final = {"app.kubernetes.io/managed-by": "hpo-lab"}

QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"
"""Kueue's label with the local queue that a workload waits in."""

PRIORITY_LABEL: Final = "kueue.x-k8s.io/priority-class"
"""Kueue's label with the priority of a workload."""

_LONGEST: Final = 63
"""The most characters of a label's value, and of the name of a Job that has pods."""


def shortened(name: str, longest: int = _LONGEST) -> str:
    """*name* in at most *longest* characters; the end of a long name becomes its digest.

    Args:
        name: A name of letters, digits, `-` and `.`.
        longest: At least 10.
    """
    if len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: longest - 9].rstrip('-.')}-{digest}"


def trial_object_name(experiment: str, number: int) -> str:
    """The name of the Trial object and of its workload, such as `random-example-t00042`.

    A name is never used twice in the life of an experiment, so that a repeated creation is a
    conflict.
    """
    suffix = f"-t{number:05}"
    return shortened(experiment, _LONGEST - len(suffix)) + suffix


def trial_object_number(experiment: str, name: str) -> int | None:
    """The number of the trial whose object is called *name*; None for other names."""
    digits = name.rpartition("-t")[2]
    if not (digits.isdecimal() and digits.isascii()):
        return None
    number = int(digits)
    return number if trial_object_name(experiment, number) == name else None


def object_labels(experiment: ExperimentDocument, trial: str = "") -> dict[str, str]:
    """The labels of an object that belongs to *experiment*.

    An experiment of Katib's group also has the labels that Katib's tools select by. Those of our
    own group do not, since a Katib beside hpo_lab would take such pods for its own.

    Args:
        experiment: The experiment.
        trial: The name of the Trial object, for what a trial runs.
    """
    name = shortened(experiment.name)
    labels = {EXPERIMENT_LABEL: name, **MANAGED_BY}
    if experiment.api_version == KATIB_API_VERSION:
        labels["katib.kubeflow.org/experiment"] = name
    if trial:
        labels[TRIAL_LABEL] = trial
        if experiment.api_version == KATIB_API_VERSION:
            labels["katib.kubeflow.org/trial"] = trial
    return labels


def object_reference(resource: Mapping[str, Any]) -> dict[str, Any]:
    """What names an object of a namespace that is known: version, kind, name and uid.

    Args:
        resource: An object that the API server has returned.
    """
    metadata = resource["metadata"]
    return {
        "apiVersion": resource["apiVersion"],
        "kind": resource["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def owner_reference(owner: Mapping[str, Any]) -> dict[str, Any]:
    """The reference by which an object belongs to *owner*, and is deleted with it.

    Args:
        owner: An object that the API server has returned, with its `uid`.
    """
    return {**object_reference(owner), "controller": True, "blockOwnerDeletion": True}
