"""Policies of `batch/v1` Jobs: what ends a trial, and what only interrupts it.

A Job whose pod is evicted, preempted or checkpointed runs it again by itself; an error of the
code fails it at once. https://kubernetes.io/docs/concepts/workloads/controllers/job/ says from
which version on a field works; an older API server drops it silently.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from hpo_lab.cluster.workloads.kinds import field_at

__all__ = ["CHECKPOINTED", "SUSPENDING", "set_job_policies"]

CHECKPOINTED: Final = 75
"""The exit code of a trial that wrote a checkpoint and is to run again (`EX_TEMPFAIL`)."""

SUSPENDING: Final = (1, 22)
"""The first version in which a Job can be suspended."""

_FAILURE_POLICY: Final = (1, 26)
_REPLACEMENT_POLICY: Final = (1, 29)


def set_job_policies(workload: dict[str, Any], version: tuple[int, int], container: str) -> None:
    """Set the policies of each Job that *workload* is or describes, where its author set none.

    Args:
        workload: A Job, a JobSet or anything else.
        version: Of Kubernetes.
        container: The primary container; empty for all containers.
    """
    for spec in _job_specs(workload):
        spec.setdefault("backoffLimit", 0)
        never = field_at(spec, ("template", "spec", "restartPolicy")) == "Never"
        if version >= _FAILURE_POLICY and never:
            spec.setdefault("podFailurePolicy", _failure_policy(container))
        if version >= _REPLACEMENT_POLICY:
            # Two pods of a trial would share its checkpoint.
            spec.setdefault("podReplacementPolicy", "Failed")


def _job_specs(workload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    spec = workload.get("spec")
    if not isinstance(spec, dict):
        return
    group = str(workload.get("apiVersion")).partition("/")[0]
    match group, workload.get("kind"):
        case "batch", "Job":
            yield spec
        case "jobset.x-k8s.io", "JobSet":
            for job in spec.get("replicatedJobs") or ():
                inner = field_at(job, ("template", "spec"))
                if isinstance(inner, dict):
                    yield inner


def _failure_policy(container: str) -> dict[str, Any]:
    named = {"containerName": container} if container else {}
    exit_codes = {**named, "operator": "In", "values": [CHECKPOINTED]}
    return {
        "rules": [
            {
                "action": "Ignore",
                "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
            },
            {"action": "Ignore", "onExitCodes": exit_codes},
        ]
    }
