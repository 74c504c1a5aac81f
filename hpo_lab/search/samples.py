"""Trials as points of the unit cube, as model-based algorithms look at them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache, partial
from typing import Generic, TypeVar

from hpo_lab.experiment.model import Objective
from hpo_lab.experiment.trial import Trial, TrialState, losses, violations
from hpo_lab.search.space import Space

__all__ = ["Remembered", "Sample", "SampleOutcome", "Samples", "outcome_of"]

T = TypeVar("T")


class SampleOutcome(Enum):
    """What a search learns from a trial."""

    MEASURED = auto()
    STOPPED = auto()
    """Stopped early, with a value that is not the last word."""
    FAILED = auto()
    PENDING = auto()


def outcome_of(trial: Trial, value: float | None) -> SampleOutcome:
    """The outcome of *trial*, whose objective is *value*."""
    match trial.state:
        case TrialState.CREATED | TrialState.RUNNING:
            return SampleOutcome.PENDING
        case TrialState.SUCCEEDED if value is not None:
            return SampleOutcome.MEASURED
        case TrialState.EARLY_STOPPED if value is not None:
            return SampleOutcome.STOPPED
        case _:
            return SampleOutcome.FAILED


@dataclass(frozen=True, slots=True)
class Sample:
    """A trial on the unit cube.

    Attributes:
        units: The place in [0, 1) of each assigned parameter.
        outcome: What became of it.
        loss: Its first objective, smaller being better; infinite unless measured or stopped.
        losses: All its objectives in the same way; empty unless measured or stopped.
        broken: By how much it breaks the constraints, in sum.
        is_prior: Whether it is a trial of another experiment, which this one learns from.
    """

    units: Mapping[str, float]
    outcome: SampleOutcome
    loss: float
    losses: tuple[float, ...] = ()
    broken: float = 0.0
    is_prior: bool = False

    @property
    def rank(self) -> tuple[int, float]:
        """Sorts the finished: measured ones by loss, then stopped, then failed ones."""
        return self.outcome.value, self.loss


class Remembered(Generic[T]):
    """A function of a trial that is not called again while the trial stays the same.

    A history made anew for each question has new trials under the same numbers: to make
    thousands of results anew would take most of the time of a question.

    Args:
        function: Its result may depend on the assignments, the state and the metrics of the
            trial, and on its number.
    """

    def __init__(self, function: Callable[[Trial], T]) -> None:
        self._function = function
        self._results: dict[int, tuple[Trial, T]] = {}

    def __call__(self, trial: Trial) -> T:
        """What the function makes of the trial."""
        before = self._results.get(trial.number)
        if before is not None and (before[0] is trial or _same(before[0], trial)):
            return before[1]
        result = self._function(trial)
        self._results[trial.number] = trial, result
        return result


def _same(before: Trial, trial: Trial) -> bool:
    """Equal in what a search reads; the values 1, 1.0 and True are equal, but differ."""
    return (
        before.state is trial.state
        and before.metrics == trial.metrics
        and before.assignments == trial.assignments
        and all(type(before.assignments[name]) is type(v) for name, v in trial.assignments.items())
    )


class Samples:
    """The index of the trials that lie in a space, as samples.

    Args:
        space: The space.
        objective: Says what they are worth.
    """

    def __init__(self, space: Space, objective: Objective) -> None:
        self._sampled = _sampled(space, objective)
        self._samples: dict[int, Sample] = {}
        self._pending: set[int] = set()

    def put(self, trial: Trial, before: Trial | None) -> None:
        """Take in a trial."""
        sample = self._sampled(trial)
        if sample is None:
            return
        self._samples[trial.number] = sample
        if sample.outcome is SampleOutcome.PENDING:
            self._pending.add(trial.number)
        else:
            self._pending.discard(trial.number)

    @property
    def count_finished(self) -> int:
        """How many of the trials have ended."""
        return len(self._samples) - len(self._pending)

    @property
    def finished(self) -> list[Sample]:
        """The samples that have ended, in the order of their numbers."""
        pending, samples = self._pending, self._samples
        if not pending:
            return list(samples.values())
        return [sample for number, sample in samples.items() if number not in pending]

    @property
    def pending(self) -> list[Sample]:
        """The samples that have not ended, in the order of their numbers."""
        return [self._samples[number] for number in sorted(self._pending)]


@lru_cache(maxsize=8)
def _sampled(space: Space, objective: Objective) -> Remembered[Sample | None]:
    return Remembered(partial(_sample, space, objective))


def _sample(space: Space, objective: Objective, trial: Trial) -> Sample | None:
    if space.violation(trial.assignments) is not None:
        return None
    trial_losses = losses(objective, trial) or ()
    outcome = outcome_of(trial, trial_losses[0] if trial_losses else None)
    if outcome not in (SampleOutcome.MEASURED, SampleOutcome.STOPPED):
        trial_losses = ()
    units = {
        axis.parameter.name: axis.unit_of(trial.assignments[axis.parameter.name])
        for axis in space.axes
        if axis.parameter.name in trial.assignments
    }
    loss = trial_losses[0] if trial_losses else math.inf
    broken = sum(violations(objective, trial))
    return Sample(units, outcome, loss, trial_losses, broken, is_prior=trial.number < 0)
