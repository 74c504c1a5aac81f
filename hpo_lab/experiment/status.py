"""The life of an experiment."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ExperimentState"]


class ExperimentState(StrEnum):
    """Where an experiment is in its life; Katib's condition types, and `Stopped`."""

    CREATED = "Created"
    RUNNING = "Running"
    RESTARTING = "Restarting"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"
    """Ended by a person; it can be resumed."""

    @property
    def is_final(self) -> bool:
        """Whether nothing happens until somebody resumes the experiment."""
        return self in (
            ExperimentState.SUCCEEDED,
            ExperimentState.FAILED,
            ExperimentState.STOPPED,
        )
