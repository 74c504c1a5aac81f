"""Kubernetes Events about the phases of experiments and trials, as data.

Follows `events.k8s.io/v1`. The name of an event is made of what it says, so that a controller
that is started again in the middle of a change does not say it twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from hpo_lab.cluster.resources.fitting import cut
from hpo_lab.cluster.resources.names import MANAGED_BY, object_reference, shortened
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import FAILURES, Trial, TrialState

__all__ = ["REPORTING_CONTROLLER", "experiment_event", "phase_event", "trial_event"]

REPORTING_CONTROLLER: Final = "hpolab.dev/controller"
"""Names hpo_lab as the source of an event."""

_LONGEST_NOTE = 1000  # The API server takes 1 KiB.


def phase_event(
    resource: Mapping[str, Any],
    reason: str,
    note: str,
    *,
    action: str,
    time: float,
    instance: str,
    is_warning: bool = False,
    related: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An event about *resource*.

    Args:
        resource: The object it is about, as the API server returned it.
        reason: Why, as one CamelCase word.
        note: What a person reads.
        action: What was done, as one CamelCase word.
        time: When, in seconds since the epoch.
        instance: Which controller says so, such as the name of its pod.
        is_warning: Whether something is wrong.
        related: A second object, such as the workload of a trial.
    """
    metadata = resource["metadata"]
    said = "\n".join((metadata["uid"], reason, note, repr(time)))
    digest = hashlib.sha256(said.encode(errors="replace")).hexdigest()[:16]
    moment = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    event = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": f"{shortened(metadata['name'])}.{digest}",
            "namespace": metadata["namespace"],
            "labels": dict(MANAGED_BY),
        },
        "eventTime": moment,
        "type": "Warning" if is_warning else "Normal",
        "reason": reason,
        "note": cut(note, _LONGEST_NOTE),
        "action": action,
        "regarding": _reference(resource),
        "reportingController": REPORTING_CONTROLLER,
        "reportingInstance": instance,
    }
    return event | ({"related": _reference(related)} if related else {})


def experiment_event(
    resource: Mapping[str, Any],
    state: ExperimentState,
    reason: str,
    message: str,
    *,
    time: float,
    instance: str,
) -> dict[str, Any]:
    """The event that an experiment has entered *state*, for *reason* as its *message* says."""
    return phase_event(
        resource,
        reason,
        message,
        action=f"Experiment{state.value}",
        time=time,
        instance=instance,
        is_warning=state is ExperimentState.FAILED,
    )


def trial_event(
    resource: Mapping[str, Any],
    trial: Trial,
    *,
    time: float,
    instance: str,
    related: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The event that *trial*, whose object is *resource*, has entered its state.

    Args:
        resource: The Trial object.
        trial: The trial.
        time: When, in seconds since the epoch.
        instance: Which controller says so.
        related: The workload of the trial.
    """
    states = {TrialState.CREATED: "Trial is created", TrialState.RUNNING: "Trial is running"}
    default = states.get(trial.state, f"Trial has ended: {trial.state.value}")
    reason = f"Trial{trial.state.value}"
    return phase_event(
        resource,
        reason,
        trial.message or default,
        action=reason,
        time=time,
        instance=instance,
        is_warning=trial.state in FAILURES,
        related=related,
    )


def _reference(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {**object_reference(resource), "namespace": resource["metadata"]["namespace"]}
