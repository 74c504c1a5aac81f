"""What keeps a pod from running, or ends it, through no fault of the trial's code.

The scheduler, the kubelet and the controllers of Kubernetes each have their own way to say so:
the condition `DisruptionTarget` (from 1.26 on), the reason of the pod, and the state of its
containers. A pod that uses more of its own disk than it may is evicted, too, but by its own fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from hpo_lab.cluster.workloads.job_policies import CHECKPOINTED

__all__ = ["Disturbance", "PodTrouble", "creation_trouble", "pod_trouble"]


class Disturbance(StrEnum):
    """Why a trial does not run, or no longer runs, that is not an error of its code."""

    CHECKPOINTED = "Checkpointed"
    """The trial wrote a checkpoint and asked to run again."""
    PREEMPTED = "Preempted"
    """Work of a higher priority took its place."""
    EVICTED = "Evicted"
    """Its node was drained, shut down or short of something."""
    NODE_LOST = "NodeLost"
    """Its node no longer answers."""
    NODE_REFUSED = "NodeRefused"
    """Its node had no room left when the pod arrived."""
    UNSCHEDULABLE = "Unschedulable"
    """No node has room."""
    GATED = "SchedulingGated"
    """A queue holds its pods back."""
    QUOTA_EXCEEDED = "QuotaExceeded"
    """The namespace has no quota left."""
    IMAGE_NOT_PULLED = "ImageNotPulled"
    """Its image cannot be pulled."""
    CONTAINER_NOT_CREATED = "ContainerNotCreated"
    """Its container cannot be created: a missing ConfigMap, a user that may not run."""

    @property
    def has_ended(self) -> bool:
        """Whether the pod has ended, so that the trial is to run again."""
        return self in _ENDINGS


_ENDINGS = (
    Disturbance.CHECKPOINTED,
    Disturbance.PREEMPTED,
    Disturbance.EVICTED,
    Disturbance.NODE_LOST,
    Disturbance.NODE_REFUSED,
)
_TARGETS: Final[Mapping[str, Disturbance]] = {
    "PreemptionByScheduler": Disturbance.PREEMPTED,
    "PreemptionByKubeScheduler": Disturbance.PREEMPTED,
    "DeletionByTaintManager": Disturbance.EVICTED,
    "EvictionByEvictionAPI": Disturbance.EVICTED,
    "DeletionByPodGC": Disturbance.NODE_LOST,
    "TerminationByKubelet": Disturbance.EVICTED,
}
_POD_REASONS: Final[Mapping[str, Disturbance]] = {
    "Preempting": Disturbance.PREEMPTED,
    "Evicted": Disturbance.EVICTED,
    "Shutdown": Disturbance.EVICTED,
    "NodeShutdown": Disturbance.EVICTED,
    "Terminated": Disturbance.EVICTED,
    "NodeLost": Disturbance.NODE_LOST,
    "NodeAffinity": Disturbance.NODE_REFUSED,
    "NodePorts": Disturbance.NODE_REFUSED,
    "UnexpectedAdmissionError": Disturbance.NODE_REFUSED,
    "TopologyAffinityError": Disturbance.NODE_REFUSED,
}
_WAITING: Final[Mapping[str, Disturbance]] = {
    **dict.fromkeys(
        (
            "ErrImagePull",
            "ImagePullBackOff",
            "ErrImageNeverPull",
            "InvalidImageName",
            "ImageInspectError",
            "RegistryUnavailable",
            "SignatureValidationFailed",
        ),
        Disturbance.IMAGE_NOT_PULLED,
    ),
    **dict.fromkeys(
        ("CreateContainerConfigError", "CreateContainerError", "RunContainerError"),
        Disturbance.CONTAINER_NOT_CREATED,
    ),
}
_OWN_DISK = re.compile(r"exceed(s|ed) (the total|its local|the) .*limit", re.IGNORECASE)
_QUOTA = re.compile(r"exceeded quota", re.IGNORECASE)
_KILLED = (137, 143)


class PodTrouble(NamedTuple):
    """A disturbance of a pod, and what Kubernetes says of it."""

    disturbance: Disturbance
    message: str


def pod_trouble(pod: Mapping[str, Any]) -> PodTrouble | None:
    """What disturbs *pod*, a Pod object; None where nothing does."""
    status = pod.get("status") or {}
    return next(_endings(pod, status), None) or next(_delays(status), None)


def creation_trouble(message: str) -> PodTrouble | None:
    """What keeps an object from being created, by the *message* of the refusal or of an event."""
    is_quota = _QUOTA.search(message)
    return PodTrouble(Disturbance.QUOTA_EXCEEDED, message) if is_quota else None


def _endings(pod: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[PodTrouble]:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "DisruptionTarget" and condition.get("status") == "True":
            kind = _TARGETS.get(str(condition.get("reason")), Disturbance.EVICTED)
            yield PodTrouble(kind, str(condition.get("message") or ""))
    reason, message = str(status.get("reason") or ""), str(status.get("message") or "")
    if reason in _POD_REASONS and not (reason == "Evicted" and _OWN_DISK.search(message)):
        yield PodTrouble(_POD_REASONS[reason], message)
    if reason.startswith("OutOf"):  # OutOfcpu, OutOfnvidia.com/gpu
        yield PodTrouble(Disturbance.NODE_REFUSED, message)
    if status.get("phase") == "Unknown":
        yield PodTrouble(Disturbance.NODE_LOST, message or "the node no longer answers")
    is_deleted = "deletionTimestamp" in (pod.get("metadata") or {})
    for container in _containers(status):
        ended = (container.get("state") or {}).get("terminated") or {}
        said = str(ended.get("message") or "")
        if ended.get("exitCode") == CHECKPOINTED:
            yield PodTrouble(Disturbance.CHECKPOINTED, said or "it has written a checkpoint")
        elif ended.get("reason") == "ContainerStatusUnknown":
            yield PodTrouble(Disturbance.NODE_LOST, said or "the node lost the container")
        elif is_deleted and ended.get("exitCode") in _KILLED and ended.get("reason") != "OOMKilled":
            yield PodTrouble(Disturbance.EVICTED, "the pod was deleted")


def _delays(status: Mapping[str, Any]) -> Iterator[PodTrouble]:
    if status.get("phase") not in (None, "Pending"):
        return
    for container in _containers(status):
        waiting = (container.get("state") or {}).get("waiting") or {}
        if kind := _WAITING.get(str(waiting.get("reason"))):
            yield PodTrouble(kind, str(waiting.get("message") or waiting["reason"]))
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            is_gated = condition.get("reason") == "SchedulingGated"
            kind = Disturbance.GATED if is_gated else Disturbance.UNSCHEDULABLE
            yield PodTrouble(kind, str(condition.get("message") or ""))


def _containers(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for field in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(field) or ()
