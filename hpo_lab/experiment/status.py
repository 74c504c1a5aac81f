"""The life of an experiment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

__all__ = ["ExperimentState", "StatusCondition", "conditions_of"]


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


@dataclass(frozen=True, slots=True)
class StatusCondition:
    """An entry of Kubernetes' `status.conditions`; times are seconds since the epoch.

    Attributes:
        type: What is or was the case.
        status: Whether it still is.
        reason: Why, as one CamelCase word.
        message: Why, as a sentence.
        updated_at: When anything of this last changed.
        changed_at: When `status` last changed.
    """

    type: str
    status: bool
    reason: str
    message: str
    updated_at: float
    changed_at: float


def conditions_of(
    history: Iterable[tuple[ExperimentState, str, str, float]],
) -> tuple[StatusCondition, ...]:
    """The conditions of an experiment that went through *history*, as Katib keeps them.

    There is one condition of each type, in the order of their last change. `Created`
    stays true; whatever else was true becomes false when another state follows, and a
    restart removes how the experiment ended before.

    Args:
        history: State, reason, message and time (seconds since the epoch), oldest first.
    """
    conditions: dict[str, StatusCondition] = {}
    for state, reason, message, time in history:
        if state is ExperimentState.RESTARTING:
            conditions = {
                kind: each
                for kind, each in conditions.items()
                if not ExperimentState(kind).is_final
            }
        for kind, each in conditions.items():
            if each.status and kind not in (ExperimentState.CREATED, state):
                conditions[kind] = replace(each, status=False, updated_at=time, changed_at=time)
        before = conditions.pop(state, None)
        changed_at = before.changed_at if before and before.status else time
        conditions[state] = StatusCondition(state.value, True, reason, message, time, changed_at)
    return tuple(conditions.values())
