"""The status that Kubernetes would give an ended job, for the trial template's conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["ended_job"]


def ended_job(job: Mapping[str, Any], *, succeeded: bool, message: str = "") -> dict[str, Any]:
    """*job* with the status of an ended job.

    Args:
        job: The job.
        succeeded: Whether the job succeeded.
        message: The reason for a failure.
    """
    kind, name = str(job.get("kind")), job["metadata"]["name"]
    if kind in ("Job", "TrainJob"):
        condition = _condition("Complete", "CompletionsReached", "Reached expected number of pods")
        if kind == "TrainJob":
            condition = _condition("Complete", "JobsCompleted", "jobset completed successfully")
        failed = _condition("Failed", "BackoffLimitExceeded", message)
        if kind == "TrainJob":
            failed = _condition("Failed", "JobsFailed", message)
        counts: dict[str, Any] = {"succeeded": 1} if succeeded else {"failed": 1}
        return {**job, "status": {"conditions": [condition if succeeded else failed], **counts}}
    good = _condition("Succeeded", f"{kind}Succeeded", f"{kind} {name} is successfully completed.")
    bad = _condition("Failed", f"{kind}Failed", message)
    created = _condition("Created", f"{kind}Created", f"{kind} {name} is created.")
    running = _condition("Running", f"{kind}Running", f"{kind} {name} is running.", status="False")
    return {**job, "status": {"conditions": [created, running, good if succeeded else bad]}}


def _condition(type: str, reason: str, message: str, status: str = "True") -> dict[str, str]:
    return {"type": type, "status": status, "reason": reason, "message": message}
