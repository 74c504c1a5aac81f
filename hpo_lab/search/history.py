"""The trials before a question, as model-based algorithms look at them.

What is made of a trial is kept between questions as long as the trial stays the same,
because making it anew for thousands of trials would take most of the time. It cannot
change an answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache, partial
from typing import Generic, TypeVar

from hpo_lab.experiment.model import Objective
from hpo_lab.experiment.trial import Trial, TrialState, losses, violations
from hpo_lab.search.space import Space

__all__ = ["Observation", "Outcome", "TrialMemo", "observations", "outcome_of"]

T = TypeVar("T")


class Outcome(Enum):
    """What a search learns from a trial."""

    MEASURED = auto()
    STOPPED = auto()
    """Stopped early, with a value that is not the last word."""
    FAILED = auto()
    PENDING = auto()


def outcome_of(trial: Trial, value: float | None) -> Outcome:
    """The outcome of *trial*, whose objective is *value*."""
    match trial.state:
        case TrialState.CREATED | TrialState.RUNNING:
            return Outcome.PENDING
        case TrialState.SUCCEEDED if value is not None:
            return Outcome.MEASURED
        case TrialState.EARLY_STOPPED if value is not None:
            return Outcome.STOPPED
        case _:
            return Outcome.FAILED


@dataclass(frozen=True, slots=True)
class Observation:
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
    outcome: Outcome
    loss: float
    losses: tuple[float, ...] = ()
    broken: float = 0.0
    is_prior: bool = False

    @property
    def rank(self) -> tuple[int, float]:
        """Sorts the finished: measured ones by loss, then stopped, then failed ones."""
        return self.outcome.value, self.loss


class TrialMemo(Generic[T]):
    """Applies a function to trials, once to each for as long as it is asked about.

    Args:
        make: The function; its result may depend on the assignments, the state and the
            metrics of the trial, and on its number.
    """

    def __init__(self, make: Callable[[Trial], T]) -> None:
        self._make = make
        self._made: dict[int, tuple[Trial, T]] = {}

    def __call__(self, trials: Sequence[Trial]) -> list[T]:
        """What the function makes of each of *trials*."""
        known = self._made
        made = {trial.number: self._entry(known.get(trial.number), trial) for trial in trials}
        # Replaced as a whole: what is no longer asked about goes, and other threads see
        # one or the other.
        self._made = made
        return [result for _, result in made.values()]

    def _entry(self, known: tuple[Trial, T] | None, trial: Trial) -> tuple[Trial, T]:
        if known is not None and (known[0] is trial or _same(known[0], trial)):
            return known
        return trial, self._make(trial)


def _same(one: Trial, other: Trial) -> bool:
    """Equal in what a search reads; the values 1, 1.0 and True are equal, but differ."""
    return (
        one.state is other.state
        and one.metrics == other.metrics
        and one.assignments == other.assignments
        and all(type(one.assignments[name]) is type(v) for name, v in other.assignments.items())
    )


def observations(space: Space, objective: Objective, trials: Sequence[Trial]) -> list[Observation]:
    """The observations of those *trials* that lie in *space*, in their order."""
    return [one for one in _memo(space, objective)(trials) if one is not None]


@lru_cache(maxsize=8)
def _memo(space: Space, objective: Objective) -> TrialMemo[Observation | None]:
    return TrialMemo(partial(_observe, space, objective))


def _observe(space: Space, objective: Objective, trial: Trial) -> Observation | None:
    if space.violation(trial.assignments) is not None:
        return None
    found = losses(objective, trial) or ()
    outcome = outcome_of(trial, found[0] if found else None)
    if outcome not in (Outcome.MEASURED, Outcome.STOPPED):
        found = ()
    units = {
        axis.parameter.name: axis.unit_of(trial.assignments[axis.parameter.name])
        for axis in space.axes
        if axis.parameter.name in trial.assignments
    }
    loss = found[0] if found else math.inf
    broken = sum(violations(objective, trial))
    return Observation(units, outcome, loss, found, broken, is_prior=trial.number < 0)
