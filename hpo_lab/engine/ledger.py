"""The trials of an experiment in memory, counted so that a decision costs the same at any size."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from heapq import heappop, heappush

from hpo_lab.experiment.model import Objective
from hpo_lab.experiment.trial import FAILURES, Trial, TrialState, optimal_trial

__all__ = ["Ledger"]

"""The states that count against `maxFailedTrialCount`."""


class Ledger:
    """Every trial by number, with what a plan needs to know of all of them.

    Attributes:
        trials: Every trial by number, in the order in which they were first put.
        best: The number of the best trial; None while there is none.
        last: The highest number; -1 while there is none.
        running: The numbers of the running trials, in the order of their start.
        waiting: The numbers of the trials that are to run, sorted.
        completed: How many have ended.
        failed: How many have failed, or ended without the objective.
        version: Grows with every change.
    """

    def __init__(self, objective: Objective, trials: Iterable[Trial] = ()) -> None:
        """Take in the trials recorded so far."""
        self.trials: dict[int, Trial] = {}
        self.best: int | None = None
        self.last = -1
        self.running: dict[int, None] = {}
        self.waiting: list[int] = []
        self.completed = 0
        self.failed = 0
        self.version = 0
        self._objective = objective
        self._changed: dict[int, Trial] = {}
        # Holds every number that has not ended, and some that have, which are skipped.
        self._unfinished: list[int] = []
        for trial in trials:
            self.put(trial)

    def put(self, trial: Trial) -> None:
        """Take in a trial in its new state; a trial that has ended is not to be put again."""
        number, before = trial.number, self.trials.get(trial.number)
        if trial == before:
            return
        self.trials[number] = self._changed[number] = trial
        self.version += 1
        state = before.state if before else None
        if trial.state is state:
            return
        if state is None:
            self.last = max(self.last, number)
            if not trial.is_final:
                heappush(self._unfinished, number)
        if state is TrialState.RUNNING:
            del self.running[number]
        elif state is TrialState.CREATED:
            self.waiting.remove(number)
        if trial.state is TrialState.RUNNING:
            self.running[number] = None
        elif trial.state is TrialState.CREATED:
            insort(self.waiting, number)
        else:
            self.completed += 1
            self.failed += trial.state in FAILURES
            rivals = [trial] if self.best is None else [self.trials[self.best], trial]
            best = optimal_trial(self._objective, rivals)
            self.best = best.number if best else None

    def take_changed(self) -> list[Trial]:
        """The trials that have changed since this was last called, as they are now."""
        changed, self._changed = self._changed, {}
        return list(changed.values())

    @property
    def first_unfinished(self) -> int | None:
        """The lowest number of a trial that has not ended; None when all have."""
        while self._unfinished and self.trials[self._unfinished[0]].is_final:
            heappop(self._unfinished)
        return self._unfinished[0] if self._unfinished else None
