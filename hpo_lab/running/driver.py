"""Runs an experiment at a place: does what the scheduler says, records what comes of it.

Everything that matters is in the store before it is acted on, so the runner can be killed at
any moment: the next runner takes up what the place still has, starts interrupted trials again
under their own numbers, and goes on.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable

from hpo_lab.engine.early_stopping import EarlyStopper
from hpo_lab.engine.events import STOP_REQUESTED, Event, Instant
from hpo_lab.engine.ledger import Ledger
from hpo_lab.engine.plan import Verdict
from hpo_lab.engine.scheduler import Scheduler
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.status import RUNNING, ExperimentState
from hpo_lab.observation import Observation
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.asking import Asking, AskingAtOnce, Questions
from hpo_lab.running.place import Place, UnfinishedTrial
from hpo_lab.running.retrying import Retry
from hpo_lab.running.turns import Turns
from hpo_lab.running.warm_start import prior_trials
from hpo_lab.store import (
    ArtifactRecord,
    ExperimentRecord,
    LeaseLost,
    NotFound,
    Runner,
    Store,
    StoreGone,
    StoreUnavailable,
)

__all__ = ["AlreadyRunning", "Driver"]

_EVENTS_EVERY = 0.1
_CONTROL_EVERY = 0.25
_RENEW_EVERY = 5.0

_PATIENCE = 60.0
"""Seconds for which a runner that is about to end is waited for."""

_ENDING = (
    ExperimentState.RESTARTING,
    ExperimentState.SUCCEEDED,
    ExperimentState.FAILED,
    ExperimentState.STOPPED,
)
"""States in which a runner still holds the lease only until its processes are gone."""


class AlreadyRunning(RuntimeError):
    """Another live runner runs the experiment."""


def _now() -> Instant:
    return Instant(time.time(), time.monotonic())


class Driver:
    """Runs one experiment to its end in the calling thread."""

    def __init__(
        self,
        store: Store,
        uid: str,
        place: Place,
        *,
        clock: Callable[[], Instant] = _now,
        runner: Runner | None = None,
        at_once: bool = False,
    ) -> None:
        """Prepare to run the experiment *uid* of *store* at *place*.

        Args:
            store: Where the experiment is recorded.
            uid: The experiment.
            place: Where its trials run; closed when the experiment has ended.
            clock: Tells the time; another clock than the real one for a simulation.
            runner: Who holds the lease; by default this process.
            at_once: Whether the search is waited for, instead of asked in a thread.
        """
        self._store = store
        self._uid = uid
        self._place = place
        self._clock = clock
        self._runner = runner or Runner.current()
        self._at_once = at_once
        self._stop_requested = False
        self._retry = Retry(store, lambda: self._stop_requested)
        self._turns: Turns | None = None
        self._asking: Questions | None = None
        self._happened: list[Event] | None = None
        self._is_stopping = False
        self._renewed = self._controlled = 0.0
        self._changed = -1

    def run(self) -> Verdict:
        """Run until the experiment ends, fails or is stopped.

        Returns:
            How it ended.

        Raises:
            AlreadyRunning: Another runner runs it.
            LeaseLost: Another runner took over, after this one was silent for long.
            NotFound: The experiment was deleted.
            StoreGone: The store was deleted or replaced.
            StoreUnavailable: The store did not answer for minutes.
        """
        self.begin()
        try:
            while (verdict := self.step(_EVENTS_EVERY)) is None:
                pass
            return verdict
        finally:
            self.end()

    def begin(self) -> None:
        """Take the lease, and take up what the place has of an earlier runner; then `step`.

        Raises:
            AlreadyRunning, NotFound, StoreGone, StoreUnavailable: As `run`.
        """
        ask = self._retry.ask
        self._retry.title = ask(lambda: _record(self._store, self._uid)).title
        self._acquire()
        try:
            self._open()
        except BaseException:
            self.end()
            raise

    def step(self, timeout: float) -> Verdict | None:
        """Do one turn: wait for events of the place, and do what follows from them.

        Args:
            timeout: Seconds for which it waits, at most; the first turn waits for nothing.

        Returns:
            How the experiment ended; None while it runs.

        Raises:
            LeaseLost, NotFound, StoreGone, StoreUnavailable: As `run`.
        """
        if self._turns is None:  # budgets were changed while the last trials were ended
            self._open()
        turns = self._turns
        assert turns is not None
        happened, self._happened = self._happened, None
        if happened is None:
            happened = list(self._place.events(timeout))
            now = self._clock()
            happened += turns.due(now)
            happened += self._news(turns, now)
        else:
            now = self._clock()
        turns.take(happened, now)
        return self._ended(turns)

    def _ended(self, turns: Turns) -> Verdict | None:
        """How the experiment ended, unless its budgets were changed meanwhile."""
        verdict = turns.verdict
        if verdict is None:
            return None
        self._close()
        if verdict.state is not ExperimentState.STOPPED and self._differs(turns.document):
            self._place.close()
            return None
        self._retry.check()
        return verdict

    def _close(self) -> None:
        if self._asking is not None:
            self._asking.close()
        self._asking = self._turns = None

    def end(self) -> None:
        """Close the place and give the lease back; safe after a failed `begin` or `step`."""
        self._close()
        try:
            self._place.close()
        finally:
            self._release()

    def _release(self) -> None:
        """Give the lease back, unless the store was given up: the next runner sees a dead one."""
        if not self._retry.is_spent:
            with contextlib.suppress(StoreGone, StoreUnavailable):
                self._retry.ask(
                    lambda: self._store.release_lease(
                        self._uid, self._runner.id, self._clock().time
                    )
                )

    def _differs(self, document: ExperimentDocument) -> bool:
        record = self._retry.ask(lambda: self._store.experiment_by_uid(self._uid))
        return record is not None and record.document.spec != document.spec

    def _acquire(self) -> None:
        """Take the lease; a runner that is about to end is waited for."""
        deadline = time.monotonic() + _PATIENCE
        ask = self._retry.ask
        while not ask(
            lambda: self._store.acquire_lease(self._uid, self._runner, self._clock().time)
        ):
            record = ask(lambda: _record(self._store, self._uid))
            is_ending = record.state in _ENDING or record.stop_requested
            if not is_ending or self._stop_requested or time.monotonic() > deadline:
                raise AlreadyRunning(f"experiment {self._uid} is being run by another process")
            time.sleep(_EVENTS_EVERY)

    def stop(self) -> None:
        """Have `run` stop the experiment soon; safe in a signal handler."""
        self._stop_requested = True
        self._place.wake()

    def _open(self) -> None:
        """Take up the experiment as the store has it."""
        ask = self._retry.ask
        record = ask(lambda: _record(self._store, self._uid))
        scheduler, running = ask(lambda: self._recovered(record))
        self._place.open(record.document, ask(self._sources), running)
        ask(
            lambda: self._store.set_condition(
                self._uid,
                ExperimentState.RUNNING,
                *RUNNING,
                self._clock().time,
                runner_id=self._runner.id,
            )
        )
        prior = ask(lambda: prior_trials(self._store, self._uid))
        if self._at_once:
            self._asking = AskingAtOnce(self._uid, prior)
        else:
            self._asking = Asking(self._uid, prior, self._place.wake)
        self._turns = Turns(
            self._store,
            record,
            self._place,
            scheduler,
            self._asking,
            self._runner.id,
            self._clock,
            self._retry,
        )
        self._renewed = self._controlled = self._clock().steady
        self._changed = -1
        self._is_stopping = record.stop_requested or self._stop_requested
        self._happened = [STOP_REQUESTED] if self._is_stopping else []

    def _sources(self) -> list[ArtifactRecord]:
        return self._store.sources(self._uid)

    def _recovered(self, record: ExperimentRecord) -> tuple[Scheduler, list[UnfinishedTrial]]:
        """The scheduler of an experiment that may have run before, and what ran then."""
        now, spec = self._clock(), record.document.spec
        trials = self._store.trials(self._uid)
        running = [
            UnfinishedTrial(record.trial, record.handle or "", record.offset)
            for record in self._store.running_trials(self._uid)
        ]
        ends = [each.time for each in self._store.conditions(self._uid) if each.type.is_final]
        reports: dict[int, list[Observation]] = {}
        if spec.early_stopping is not None:
            metric = spec.objective.objective_metric_name
            for observation in self._store.observations(self._uid, metric=metric):
                reports.setdefault(observation.number, []).append(observation)
        scheduler = Scheduler(
            spec,
            Ledger(spec.objective, trials, since=max(ends, default=-math.inf)),
            now,
            stopping=EarlyStopper.recovered(spec, trials, reports),
            elapsed=record.running_seconds(now.time),
            positions={each.trial.number: each.position for each in running},
            silence=self._place.silence,
        )
        return scheduler, running

    def _renew(self) -> bool:
        return self._store.renew_lease(self._uid, self._runner.id, self._clock().time)

    def _news(self, turns: Turns, now: Instant) -> list[Event]:
        """What a person asked for, which the store tells; renews the lease."""
        ask = self._retry.ask
        news: list[Event] = []
        is_asked_to_stop = self._stop_requested
        if now.steady - self._renewed >= _RENEW_EVERY:
            self._renewed = now.steady
            self._retry.check()
            if not ask(self._renew):
                raise LeaseLost(f"experiment {self._uid} was taken over by another runner")
        if now.steady - self._controlled >= _CONTROL_EVERY:
            self._controlled = now.steady
            control = ask(lambda: self._store.control(self._uid))
            if control.changed != self._changed:
                self._changed = control.changed
                news += turns.revise(ask(lambda: _record(self._store, self._uid)))
            is_asked_to_stop |= control.stop_requested
        if is_asked_to_stop and not self._is_stopping:
            self._is_stopping = True
            news.append(STOP_REQUESTED)
        return news


def _record(store: Store, uid: str) -> ExperimentRecord:
    record = store.experiment_by_uid(uid)
    if record is None:
        raise NotFound(f"experiment {uid} was deleted")
    if record.unreadable:
        raise InvalidInput([Problem(record.title, record.unreadable)])
    return record
