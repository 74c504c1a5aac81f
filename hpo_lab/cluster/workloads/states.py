"""The state of a trial from the object that it runs, and from the object's pods.

Nothing is remembered: the same objects give the same state, whoever looks at them and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from hpo_lab.cluster.workloads.disturbances import (
    Disturbance,
    PodTrouble,
    creation_trouble,
    pod_trouble,
)
from hpo_lab.cluster.workloads.kinds import field_at, kind_of
from hpo_lab.experiment.job_status import JobOutcome, job_conditions, job_outcome
from hpo_lab.experiment.template import TrialTemplate
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["WorkloadPhase", "WorkloadState", "is_owned_by", "workload_state"]


class WorkloadPhase(StrEnum):
    """Where a workload is in its life."""

    ABSENT = "Absent"
    """There is no such object."""
    QUEUED = "Queued"
    """A queue holds it back."""
    PENDING = "Pending"
    """It has no pod that runs."""
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"

    @property
    def is_final(self) -> bool:
        """Whether the workload has ended."""
        return self in (WorkloadPhase.SUCCEEDED, WorkloadPhase.FAILED)


@dataclass(frozen=True, slots=True)
class WorkloadState:
    """What a workload and its pods say.

    Attributes:
        phase: Where it is in its life.
        reason: Why, as one CamelCase word; empty where there is nothing to say.
        message: Why, for a person.
        disturbance: What keeps it or has ended it through no fault of its code. A workload that
            has failed with one is to run again.
        started_at, ended_at: In seconds since the epoch, by the clocks of the cluster.
        exit_code: That of the container that failed.
        is_ending: Whether it is being deleted.
        disruptions: How many of its pods were ended through no fault of its code.
    """

    phase: WorkloadPhase
    reason: str = ""
    message: str = ""
    disturbance: Disturbance | None = None
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    is_ending: bool = False
    disruptions: int = 0


def is_owned_by(resource: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    """Whether *owner* is the controller of *resource*, which may only have its name."""
    references = resource["metadata"].get("ownerReferences") or ()
    uid = owner["metadata"]["uid"]
    return any(each.get("controller") and each.get("uid") == uid for each in references)


def workload_state(
    workload: Mapping[str, Any] | None,
    template: TrialTemplate,
    pods: Sequence[Mapping[str, Any]] = (),
    events: Iterable[Mapping[str, Any]] = (),
) -> WorkloadState:
    """The state of a trial's object.

    Args:
        workload: The object; None where there is none.
        template: The template that it was made of, whose conditions decide how it ended.
        pods: Its pods, as far as they are there.
        events: The Kubernetes events about it, which alone say that quota is lacking for its pods.

    Raises:
        InvalidInput: Nothing tells when an object of its kind is done.
    """
    if workload is None:
        return WorkloadState(WorkloadPhase.ABSENT)
    troubles = [trouble for pod in pods if (trouble := pod_trouble(pod)) is not None]
    return replace(
        _state(workload, template, pods, troubles, events),
        started_at=_started_at(workload, pods),
        is_ending="deletionTimestamp" in workload["metadata"],
        disruptions=sum(trouble.disturbance.has_ended for trouble in troubles),
    )


def _state(
    workload: Mapping[str, Any],
    template: TrialTemplate,
    pods: Sequence[Mapping[str, Any]],
    troubles: Sequence[PodTrouble],
    events: Iterable[Mapping[str, Any]],
) -> WorkloadState:
    kind = str(workload.get("apiVersion", "")), str(workload.get("kind", ""))
    conditions = job_conditions(template, *kind)
    if conditions is None:
        message = f"successCondition and failureCondition are needed for {kind[0]} {kind[1]}"
        raise InvalidInput([Problem("spec.trialTemplate", message)])
    outcome = job_outcome(workload, conditions)
    if outcome is not None:
        return _ended(workload, outcome, pods)
    if _is_suspended(workload):
        message = "the workload waits in its queue"
        return WorkloadState(WorkloadPhase.QUEUED, "Suspended", message)
    if _is_running(workload, pods):
        return WorkloadState(WorkloadPhase.RUNNING, "Running")
    trouble = next((each for each in troubles if not each.disturbance.has_ended), None)
    trouble = trouble or _creation_trouble(events) or next(iter(troubles), None)
    if trouble is None:
        return WorkloadState(WorkloadPhase.PENDING, "Pending")
    is_gated = trouble.disturbance is Disturbance.GATED
    phase = WorkloadPhase.QUEUED if is_gated else WorkloadPhase.PENDING
    return WorkloadState(phase, trouble.disturbance.value, trouble.message, trouble.disturbance)


def _ended(
    workload: Mapping[str, Any], outcome: JobOutcome, pods: Sequence[Mapping[str, Any]]
) -> WorkloadState:
    ended = _ended_at(workload, pods)
    if outcome.succeeded:
        reason = outcome.reason or "Succeeded"
        return WorkloadState(WorkloadPhase.SUCCEEDED, reason, outcome.message, ended_at=ended)
    trouble = None if outcome.reason == "DeadlineExceeded" else _ending_trouble(workload, pods)
    code, said = _failed_container(pods)
    if trouble is None:
        reason, message = outcome.reason or "Failed", said or outcome.message
        return WorkloadState(WorkloadPhase.FAILED, reason, message, ended_at=ended, exit_code=code)
    return WorkloadState(
        WorkloadPhase.FAILED,
        trouble.disturbance.value,
        trouble.message,
        trouble.disturbance,
        ended_at=ended,
        exit_code=code,
    )


def _ending_trouble(
    workload: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]
) -> PodTrouble | None:
    """What ended the pods of a failed *workload*, unless their code did.

    A Job runs one pod after the other, and the last decides. In other kinds pods run together:
    those of which a peer is gone fail as well.
    """
    candidates = sorted(pods, key=lambda pod: _pod_end(pod) or 0.0)
    if workload.get("kind") == "Job":
        candidates = [pod for pod in candidates if not _has_succeeded(pod)][-1:]
    troubles = (pod_trouble(pod) for pod in candidates)
    return next((each for each in troubles if each and each.disturbance.has_ended), None)


def _creation_trouble(events: Iterable[Mapping[str, Any]]) -> PodTrouble | None:
    for event in events:
        is_refusal = event.get("reason") in ("FailedCreate", "FailedCreatePod")
        trouble = creation_trouble(str(event.get("note") or event.get("message") or ""))
        if is_refusal and trouble is not None:
            return trouble
    return None


def _is_suspended(workload: Mapping[str, Any]) -> bool:
    path = kind_of(workload).suspend
    return bool(path) and field_at(workload, path) is True


def _is_running(workload: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> bool:
    if pods:
        return any(
            "running" in (container.get("state") or {})
            for pod in pods
            for container in field_at(pod, ("status", "containerStatuses")) or ()
        )
    status = workload.get("status") or {}
    conditions = status.get("conditions") or ()
    return bool(
        status.get("ready")
        or status.get("jobStatus") == "RUNNING"
        or status.get("phase") == "Running"
        or any(
            each.get("type") == "Running" and each.get("status") == "True" for each in conditions
        )
        or any(
            each.get("type") == "Succeeded" and each.get("reason") == "Running"
            for each in conditions
        )
    )


def _failed_container(pods: Sequence[Mapping[str, Any]]) -> tuple[int | None, str]:
    """Exit code of the container that failed first, and what it said, in words."""
    ends = []
    for pod in pods:
        for container in field_at(pod, ("status", "containerStatuses")) or ():
            ended = (container.get("state") or {}).get("terminated") or {}
            code = ended.get("exitCode")
            if code:
                time = _seconds(ended.get("finishedAt")) or 0.0
                ends.append((time, int(code), str(container.get("name")), ended))
    if not ends:
        return None, ""
    _, code, name, ended = min(ends, key=lambda each: each[:3])
    lines = str(ended.get("message") or "").strip().splitlines()
    said = f": {lines[-1].strip()}" if lines else ""
    if ended.get("reason") == "OOMKilled":
        return code, f"container {name!r} used more memory than its limit{said}"
    return code, f"container {name!r} ended with exit code {code}{said}"


def _started_at(workload: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> float | None:
    """When the first container of the present pods started, else the workload."""
    starts = []
    for pod in pods:
        for container in field_at(pod, ("status", "containerStatuses")) or ():
            for state in (container.get("state") or {}).values():
                starts.append(_seconds(state.get("startedAt")))
    status = workload.get("status") or {}
    fallback = _seconds(status.get("startTime") or status.get("startedAt"))
    return min((start for start in starts if start is not None), default=fallback)


def _ended_at(workload: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> float | None:
    status = workload.get("status") or {}
    for field in ("completionTime", "finishedAt", "endTime"):
        if (time := _seconds(status.get(field))) is not None:
            return time
    ends = [end for pod in pods if (end := _pod_end(pod)) is not None]
    if ends:
        return max(ends)
    times = (
        _seconds(condition.get("lastTransitionTime"))
        for condition in status.get("conditions") or ()
        if condition.get("status") == "True"
    )
    return max((time for time in times if time is not None), default=None)


def _pod_end(pod: Mapping[str, Any]) -> float | None:
    ends = (
        _seconds(field_at(container, ("state", "terminated", "finishedAt")))
        for container in field_at(pod, ("status", "containerStatuses")) or ()
    )
    return max((end for end in ends if end is not None), default=None)


def _has_succeeded(pod: Mapping[str, Any]) -> bool:
    return bool(field_at(pod, ("status", "phase")) == "Succeeded")


def _seconds(time: Any) -> float | None:
    """Seconds since the epoch of a time as Kubernetes writes it."""
    try:
        return datetime.fromisoformat(time).timestamp()
    except (TypeError, ValueError):
        return None
