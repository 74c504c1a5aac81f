"""The trials of an experiment in memory, counted so that a decision costs the same at any size."""

from __future__ import annotations

import math
import re
from bisect import insort
from collections.abc import Iterable
from heapq import heappop, heappush

from hpo_lab.experiment.model import Objective
from hpo_lab.experiment.trial import FAILURES, MEASURED, Trial, TrialState, optimal_trial

__all__ = ["Ledger"]

_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(:|$)")
_VARYING = re.compile(r"0x[0-9a-fA-F]+|\d+(\.\d+)?([eE][-+]?\d+)?")


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
        measured: How many have succeeded or were stopped early.
        recent: How many have ended since the experiment was last resumed after an end.
        endings: How these ended, while they all ended alike: by the exception, in which
            numbers and addresses do not count, the lowest number of a trial. An ending without
            an exception has an empty text. Two endings that differ are enough.
        version: Grows with every change.
    """

    def __init__(
        self, objective: Objective, trials: Iterable[Trial] = (), *, since: float = -math.inf
    ) -> None:
        """Take in the trials recorded so far.

        Args:
            objective: What they are compared by.
            trials: The trials.
            since: When the experiment last ended before it was resumed, in seconds since the
                epoch.
        """
        self.trials: dict[int, Trial] = {}
        self.best: int | None = None
        self.last = -1
        self.running: dict[int, None] = {}
        self.waiting: list[int] = []
        self.completed = 0
        self.failed = 0
        self.measured = 0
        self.recent = 0
        self.endings: dict[str, int] = {}
        self._since = since
        self.version = 0
        self._objective = objective
        self._changed: dict[int, Trial] = {}
        # Holds every number that has not ended, and some that have, which are skipped.
        self._unfinished: list[int] = []
        for trial in trials:
            self._take(trial)
        self._find_best(self.trials.values())

    def put(self, trial: Trial) -> None:
        """Take in a trial in its new state; a trial that has ended is not to be put again."""
        if self._take(trial) and trial.is_final:
            self._find_best([trial] if self.best is None else [self.trials[self.best], trial])

    def _find_best(self, trials: Iterable[Trial]) -> None:
        best = optimal_trial(self._objective, trials)
        self.best = best.number if best else None

    def _take(self, trial: Trial) -> bool:
        """Take in a trial, but for what is the best; whether its state is new."""
        number, before = trial.number, self.trials.get(trial.number)
        if trial == before:
            return False
        self.trials[number] = self._changed[number] = trial
        self.version += 1
        state = before.state if before else None
        if trial.state is state:
            return False
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
            self.measured += trial.state in MEASURED
            self._note_ending(trial)
        return True

    def _note_ending(self, trial: Trial) -> None:
        if trial.completed_at is not None and trial.completed_at <= self._since:
            return
        self.recent += 1
        raised = trial.state is TrialState.FAILED and _EXCEPTION.match(trial.message)
        ending = _VARYING.sub("0", trial.message) if raised else ""
        if ending in self.endings or len(self.endings) < 2:
            self.endings[ending] = min(trial.number, self.endings.get(ending, trial.number))

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
