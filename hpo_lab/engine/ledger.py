"""The trials of an experiment in the runner's memory, and the few that planning looks at."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_lab.experiment.model import ExperimentSpec, Objective
from hpo_lab.experiment.trial import Trial, TrialState, optimal_trial

__all__ = ["Ledger"]

_FAILED = (TrialState.FAILED, TrialState.METRICS_UNAVAILABLE)


class Ledger:
    """Every trial by number, with the settled ones counted.

    A plan depends on the trials that have not ended, on the best, on the latest, and on how
    many others ended and failed. With those others taken off the budgets, planning costs
    the same at the ten-thousandth trial as at the first.

    Attributes:
        trials: Every trial by number.
        best: The number of the best trial; None while there is none.
        last: The highest number; -1 while there is none.
    """

    def __init__(self, objective: Objective, trials: Iterable[Trial] = ()) -> None:
        """Take in the trials recorded so far."""
        self.trials: dict[int, Trial] = {}
        self.best: int | None = None
        self._objective = objective
        self._open: dict[int, Trial] = {}
        self.last = -1
        self._settled = 0
        self._failed = 0
        self._failure: int | None = None
        for trial in trials:
            self.put(trial)

    def put(self, trial: Trial) -> None:
        """Take in a trial in its new state; one that has ended stays as it is."""
        number = trial.number
        self.trials[number] = self._open[number] = trial
        self.last = max(self.last, number)
        if trial.is_final:
            known = [self._open[n] for n in (self.best, number) if n is not None]
            best = optimal_trial(self._objective, known)
            self.best = best.number if best else None
        if trial.state in _FAILED:
            # One stays, so that a limit that is reached is seen to be.
            self._failure = number
        for candidate in [t for t in self._open.values() if t.is_final]:
            if candidate.number not in (self.best, self.last, self._failure):
                del self._open[candidate.number]
                self._settled += 1
                self._failed += candidate.state in _FAILED

    def to_plan(self, spec: ExperimentSpec) -> tuple[ExperimentSpec, list[Trial]]:
        """A specification and trials for which the plan is that of *spec* and all trials."""
        budgets: dict[str, int] = {}
        if spec.max_trial_count is not None:
            budgets["max_trial_count"] = spec.max_trial_count - self._settled
        if spec.max_failed_trial_count is not None:
            # As in a plan, 0 means the same as 1.
            most = max(1, spec.max_failed_trial_count)
            budgets["max_failed_trial_count"] = most - self._failed
        trials = [self._open[number] for number in sorted(self._open)]
        return spec.model_copy(update=budgets), trials
