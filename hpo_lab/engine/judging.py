"""In which state a trial ends that came to its end, was ended, or died."""

from __future__ import annotations

from dataclasses import dataclass

from hpo_lab.engine.events import Ended
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Trial, TrialState, missing_objectives

__all__ = ["Ending", "judge"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a trial is recorded.

    Attributes:
        state: The final state.
        message: Why, in one line for a person.
        reason: Why, as one CamelCase word; that of the state when empty.
        traceback: Of the exception that it ended with.
        asked_at: Where the trial was asked to end: when, in seconds since the epoch.
    """

    state: TrialState
    message: str = ""
    reason: str = ""
    traceback: str = ""
    asked_at: float = 0.0


def judge(spec: ExperimentSpec, trial: Trial, ended: Ended, asked: Ending | None) -> Ending | None:
    """How a trial is to be recorded.

    Args:
        spec: The experiment.
        trial: The trial, with everything it has reported.
        ended: How it ended.
        asked: What it was asked to end for, if it was.

    Returns:
        None where nothing says how it ended: it did not come to its end, was not asked to
        end, and how it died is not known.
    """
    outcome = ended.outcome
    if outcome is not None and asked is not None:
        # A trial that does not survive being ended says only that.
        survived = outcome.succeeded or outcome.completed_at < asked.asked_at
        outcome = outcome if survived else None
    if outcome is None:
        if asked is not None:
            return asked
        if not ended.death:
            return None
        return Ending(TrialState.FAILED, f"the trial's process {ended.death}")
    if not outcome.succeeded:
        return Ending(TrialState.FAILED, outcome.message, traceback=outcome.traceback)
    missing = missing_objectives(spec.objective, trial)
    if spec.nas_config is not None:
        # What a search for architectures reports may be a text: the genotype.
        missing = [
            name for name in missing if name not in trial.metrics or not trial.metrics[name].text
        ]
    if not missing:
        return Ending(TrialState.SUCCEEDED)
    reports = [
        f"{name} was {trial.metrics[name].latest}"
        if name in trial.metrics
        else f"{name} was never reported"
        for name in missing
    ]
    message = f"{', '.join(reports)}; a finite number is needed"
    return Ending(TrialState.METRICS_UNAVAILABLE, message)
