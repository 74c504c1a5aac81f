"""Records what becomes of trials: in the store, and in what decisions are made from."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hpo_lab.engine.early_stopping import Stopping
from hpo_lab.engine.ledger import Ledger
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import TrialState, continued, missing_objectives
from hpo_lab.local.ending import Ending
from hpo_lab.local.metrics import Batch, read_metrics
from hpo_lab.running.keeping import Keeping
from hpo_lab.store import Store
from hpo_lab.trial.folder import Outcome

__all__ = ["Recording"]


class Recording:
    """The trials of one experiment as they are reported, ended and set back.

    Attributes:
        ledger: The trials in memory.
        stopping: What early stopping knows of them.
    """

    def __init__(
        self,
        store: Store,
        uid: str,
        runner_id: str,
        *,
        ledger: Ledger,
        stopping: Stopping,
        keeping: Keeping,
        folder_of: Callable[[int], Path],
        on_change: Callable[[], None],
    ) -> None:
        """Prepare to record for the runner *runner_id*.

        Args:
            store: Where the experiment is recorded.
            uid: The experiment.
            runner_id: Who holds its lease.
            ledger: Its trials.
            stopping: What early stopping knows of them.
            keeping: Which of their files are kept.
            folder_of: The folder of a trial.
            on_change: Called after anything was recorded.
        """
        self.ledger = ledger
        self.stopping = stopping
        self._store = store
        self._uid = uid
        self._runner_id = runner_id
        self._keeping = keeping
        self._folder = folder_of
        self._on_change = on_change

    def follow(self, number: int, offset: int) -> int:
        """Store what the trial reported from *offset* on; where the next import starts."""
        while (batch := read_metrics(self._folder(number), offset)).offset > offset:
            self._store.add_observations(
                self._uid, number, batch.observations, batch.offset, runner_id=self._runner_id
            )
            offset = batch.offset
            self.stopping.report(number, batch.observations)
            trial = self.ledger.trials[number]
            self.ledger.put(replace(trial, metrics=continued(trial.metrics, batch.observations)))
            self._on_change()
        return offset

    def end(
        self, number: int, offset: int, spec: ExperimentSpec, over: Ending | None, code: int
    ) -> None:
        """Record a trial whose processes have ended.

        Args:
            number: The trial.
            offset: Up to where its metrics are recorded.
            spec: The experiment.
            over: How it is to be recorded, where it was asked to end.
            code: The exit code of its process.
        """
        last = read_metrics(self._folder(number), offset)
        if last.more:
            last = read_metrics(self._folder(number), self.follow(number, offset))
        if last.late:
            last = replace(last, observations=last.observations + last.late, offset=last.end)
        outcome = last.outcome
        if outcome is not None and not (over is not None and over.comes_before(outcome)):
            self._take_in(number, last, outcome, spec)
            return
        if over is None:
            signal = code - 128 if code > 128 else -code
            how = f"was killed by signal {signal}" if signal > 0 else f"ended with code {code}"
            over = Ending(TrialState.FAILED, "", f"the trial's process {how}")
        self.finish(number, over.state, over.message, reason=over.reason, last=last)

    def has_ended(self, number: int, offset: int) -> bool:
        """Whether the trial, followed up to *offset*, came to its end by itself."""
        return read_metrics(self._folder(number), offset).outcome is not None

    def _take_in(self, number: int, last: Batch, outcome: Outcome, spec: ExperimentSpec) -> None:
        """Record a trial that came to its end by itself, with what it reported last."""
        metrics = continued(self.ledger.trials[number].metrics, last.observations)
        measured = replace(self.ledger.trials[number], metrics=metrics)
        if not outcome.succeeded:
            self.finish(number, TrialState.FAILED, outcome.message, outcome.traceback, last=last)
            return
        lacking = missing_objectives(spec.objective, measured)
        if spec.nas_config is not None:
            # What a search for architectures finds may be a text: the genotype.
            lacking = [name for name in lacking if name not in metrics or not metrics[name].text]
        if not lacking:
            self.finish(number, TrialState.SUCCEEDED, last=last)
            return
        reported = {name: metrics[name].latest for name in lacking if name in metrics}
        found = [
            f"{name} {f'was {reported[name]}' if name in reported else 'was never reported'}"
            for name in lacking
        ]
        message = f"{', '.join(found)}; a finite number is needed"
        self.finish(number, TrialState.METRICS_UNAVAILABLE, message, last=last)

    def finish(
        self,
        number: int,
        state: TrialState,
        message: str = "",
        traceback: str = "",
        reason: str = "",
        last: Batch | None = None,
    ) -> None:
        """Record the end of a trial, with what it reported *last*."""
        now = time.time()
        last = last or Batch((), 0)
        self.stopping.report(number, last.observations)
        self.stopping.set_state(number, state)
        before = self.ledger.best
        trial = self.ledger.trials[number]
        metrics = continued(trial.metrics, last.observations)
        self.ledger.put(
            replace(trial, state=state, metrics=metrics, completed_at=now, message=message)
        )
        if before is not None and self.ledger.best != before:
            self._keeping.superseded(before)
        self._store.finish_trial(
            self._uid,
            number,
            state,
            now,
            message=message,
            traceback=traceback,
            reason=reason or f"Trial{state.value}",
            observations=last.observations,
            offset=last.offset,
            artifacts=self._keeping.at_end(number, state, self.ledger.best),
            runner_id=self._runner_id,
        )
        self._on_change()

    def requeue(self, number: int) -> None:
        """Set an interrupted trial back to its beginning."""
        self._store.requeue_trial(self._uid, number, runner_id=self._runner_id)
        self.stopping.set_state(number, TrialState.CREATED)
        stored = self._store.trial(self._uid, number)
        if stored is not None:
            self.ledger.put(stored.trial)
