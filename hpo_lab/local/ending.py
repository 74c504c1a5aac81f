"""Why a running trial is ended before it ends by itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import TrialState
from hpo_lab.local.memory import memory_in_use
from hpo_lab.trial.folder import Outcome

__all__ = ["Ending", "over_limit"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a trial is recorded that was asked to end.

    Attributes:
        state, reason, message: As for any trial that has ended.
        asked_at: When it was asked, in seconds since the epoch.
    """

    state: TrialState
    reason: str
    message: str
    asked_at: float = field(default_factory=time.time)

    @classmethod
    def early(cls, message: str) -> Ending:
        """The end of a trial that is stopped early."""
        return cls(TrialState.EARLY_STOPPED, f"Trial{TrialState.EARLY_STOPPED.value}", message)

    def comes_before(self, outcome: Outcome) -> bool:
        """Whether *outcome* tells only that the trial did not survive this."""
        return not outcome.succeeded and outcome.completed_at >= self.asked_at


def over_limit(spec: ExperimentSpec, started: float, pid: int | None) -> Ending | None:
    """The end of a trial that uses more time or memory than it may; None when it does not.

    Args:
        spec: The experiment.
        started: When the trial started, by the monotonic clock.
        pid: The process above its processes, if it has one.
    """
    limit = spec.trial_active_deadline_seconds
    if limit is not None and time.monotonic() - started > limit:
        message = f"ran longer than {limit:g} seconds"
        return Ending(TrialState.FAILED, "TrialDeadlineExceeded", message)
    template = spec.trial_template
    fields = ((template.trial_spec if template else None) or {}).get("spec", {})
    most = fields.get("memoryLimit")
    if most is not None and pid is not None and (used := memory_in_use(pid)) > most:
        message = f"used {used / 2**20:.0f} MiB of memory; allowed are {most / 2**20:.0f} MiB"
        return Ending(TrialState.FAILED, "TrialMemoryExceeded", message)
    return None
