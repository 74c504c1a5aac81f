"""The life of an experiment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

__all__ = [
    "GIVEN_UP",
    "KATIB_SUCCESSES",
    "RUNNING",
    "SETTING_UP",
    "ExperimentState",
    "StatusCondition",
    "conditions_of",
]

RUNNING = "ExperimentRunning", "Experiment is running"
"""Reason and message while trials run."""
SETTING_UP = "TrialsSetUpRunning"
"""The reason while trials wait for the set-up that they share; its time is when that began."""
GIVEN_UP = "ExperimentTrialsFailAlike"
"""The reason where the first trials of an experiment have all failed with the same exception."""

KATIB_SUCCESSES = {
    "ExperimentMaxTrialsReached": "Experiment has succeeded because max trial count has reached",
    "ExperimentSuggestionEndReached": (
        "Experiment has succeeded because suggestion service has reached the end"
    ),
}
"""By reason, Katib's message at the end of an experiment, of which no trial need have succeeded."""


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
        """Whether the experiment has ended; only `resume` continues it."""
        return self in (
            ExperimentState.SUCCEEDED,
            ExperimentState.FAILED,
            ExperimentState.STOPPED,
        )


@dataclass(frozen=True, slots=True)
class StatusCondition:
    """An entry of Kubernetes' `status.conditions`; times are seconds since the epoch.

    Attributes:
        type: The name of the condition, such as `Running`.
        status: Whether the condition holds now.
        reason: Why, as a CamelCase word.
        message: Why, as a sentence.
        updated_at: When any field of the condition last changed.
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

    Each type has a single condition, in the order of the last changes. `Created` stays true.
    Every other condition becomes false when the next state follows, and a restart removes
    the conditions of the earlier end. Where all trials have failed, Katib says that the
    experiment has succeeded, and so do these.

    Args:
        history: State, reason, message and time (seconds since the epoch), oldest first.
    """
    conditions: dict[str, StatusCondition] = {}
    for state, reason, message, time in history:
        if state is ExperimentState.FAILED and reason in KATIB_SUCCESSES:
            state, message = ExperimentState.SUCCEEDED, KATIB_SUCCESSES[reason]
        if state is ExperimentState.RESTARTING:
            conditions = {
                kind: condition
                for kind, condition in conditions.items()
                if not ExperimentState(kind).is_final
            }
        for kind, condition in conditions.items():
            if condition.status and kind not in (ExperimentState.CREATED, state):
                conditions[kind] = replace(
                    condition, status=False, updated_at=time, changed_at=time
                )
        before = conditions.pop(state, None)
        changed_at = before.changed_at if before and before.status else time
        conditions[state] = StatusCondition(state.value, True, reason, message, time, changed_at)
    return tuple(conditions.values())
