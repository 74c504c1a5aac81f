"""The whole decision about one experiment, as a state machine without input or output.

A driver tells the `Scheduler` what happened, and carries out the `Instructions` that it
returns: a loop that blocks on this machine, a reconciler in a cluster, or a simulation in
virtual time. All that the scheduler knows can be made again from the records, so a driver may
be killed at any moment, and every event may come late or twice. Its work for an event does
not grow with the number of trials.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hpo_lab.engine.asking import is_ordered
from hpo_lab.engine.early_stopping import EarlyStopper
from hpo_lab.engine.events import (
    STOP_REQUESTED,
    Answered,
    Ended,
    Event,
    Exceeded,
    Instant,
    Lost,
    Noticed,
    Refused,
    Reported,
    SpecChanged,
    TrialEvent,
)
from hpo_lab.engine.instructions import (
    AskSearch,
    End,
    ExperimentEnded,
    Instructions,
    Noted,
    Observed,
    Prepare,
    Reread,
    Start,
    TrialEnded,
    TrialRequeued,
    TrialStarted,
)
from hpo_lab.engine.judging import Ending, judge
from hpo_lab.engine.ledger import Ledger
from hpo_lab.engine.plan import SUGGESTION_END, Plan, Verdict, plan, search_failed
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState, continued
from hpo_lab.search.algorithm import Wait

__all__ = ["Scheduler"]

_CHECK_EVERY = 0.1
"""Seconds between two looks at the running trials' time and silence."""

_MOST_REREADS = 10
"""After as many vain questions, reports that an end has counted are given up."""

_PREPARED = 2
"""Most trials for which something is prepared before there is a slot for them."""

_KILLED = Ending(TrialState.KILLED, "the experiment ended")


@dataclass(slots=True)
class _Attempt:
    """What is known of a running attempt, beside its trial.

    Attributes:
        started: When this driver started it or took it over, on the steady clock.
        heard: When the place last told something of it, on the same clock.
        position: Up to where its stream of reports is recorded.
        ending: How it is to be recorded, once it was asked to end.
        interrupted_at: When it was asked to end because the experiment does, in seconds since
            the epoch.
        rereads: How often the place was asked for reports without an answer, after its end.
    """

    started: float
    heard: float
    position: int = 0
    ending: Ending | None = None
    interrupted_at: float | None = None
    rereads: int = 0


class Scheduler:
    """Decides what happens next with one experiment.

    Attributes:
        spec: The experiment, with its present budgets.
        ledger: Its trials, as they are or will be recorded.
        is_over: Whether the end of the experiment is among the records.
    """

    def __init__(
        self,
        spec: ExperimentSpec,
        ledger: Ledger,
        now: Instant,
        *,
        stopping: EarlyStopper | None = None,
        elapsed: float = 0.0,
        positions: Mapping[int, int] | None = None,
        silence: float = math.inf,
    ) -> None:
        """Take up an experiment, a new one or one that ran before.

        Args:
            spec: The experiment.
            ledger: The trials recorded so far.
            now: The present moment.
            stopping: What its early stopping rule knows of the recorded trials.
            elapsed: Seconds for which it ran before.
            positions: Up to where the reports of each running trial are recorded.
            silence: Seconds after which a running trial of which nothing was heard is looked
                at; infinite where the place loses no event.
        """
        self.spec = spec
        self.ledger = ledger
        self.is_over = False
        self._stopping = stopping or EarlyStopper(spec)
        self._begun = now.steady - elapsed
        self._checked = now.steady
        self._silence = silence
        self._verdict: Verdict | None = None
        self._stop_requested = False
        self._exhausted = False
        self._search_error = ""
        self._asked: int | None = None
        self._is_new = True
        starts = positions or {}
        self._attempts: dict[int, _Attempt] = {}
        for trial in self.running:
            age = max(0.0, now.time - (trial.started_at or now.time))
            position = starts.get(trial.number, 0)
            self._attempts[trial.number] = _Attempt(now.steady - age, now.steady, position)

    @property
    def running(self) -> list[Trial]:
        """The trials that run."""
        return [self.ledger.trials[number] for number in self.ledger.running]

    def handle(self, events: Iterable[Event], now: Instant) -> Instructions:
        """Take in *events*, in their order, and say what is to be done now.

        Args:
            events: What happened since the last time; nothing but time, where it is empty.
            now: The present moment.
        """
        done = Instructions()
        decide, self._is_new = self._is_new, False
        for event in events:
            decide |= self._take(event, now, done)
        self._check(now, done)
        if self._verdict is None and (decide or self._is_late(now)):
            self._decide(now, done)
        if self._verdict is not None and not self.ledger.running and not self.is_over:
            self._conclude(self._verdict, now, done)
        if error := self._stopping.take_error():
            message = f"Experiment is running; its early stopping rule failed and is off: {error}"
            done.records.append(Noted("EarlyStoppingFailed", message))
        return done

    def _take(self, event: Event, now: Instant, done: Instructions) -> bool:
        """Take in one event; whether plans may change by it."""
        match event:
            case Answered():
                return self._take_answer(event, now, done)
            case Noticed():
                done.records.append(Noted(event.reason, event.message, event.since))
                return False
            case SpecChanged():
                self.spec = event.spec
                # With new points there may be something to try again.
                self._exhausted, self._search_error = False, ""
            case signal if signal is STOP_REQUESTED:
                self._stop_requested = True
            case Reported() | Ended() | Lost() | Refused() | Exceeded():
                return self._take_trial_event(event, now, done)
        return True

    def _take_trial_event(self, event: TrialEvent, now: Instant, done: Instructions) -> bool:
        attempt = self._attempts.get(event.number)
        trial = self.ledger.trials.get(event.number)
        if attempt is None or trial is None or trial.attempt != event.attempt:
            return False  # Of an attempt that has ended, told late or once more.
        attempt.heard = now.steady
        match event:
            case Reported():
                self._report(event, trial, attempt, now, done)
                return False
            case Exceeded():
                if attempt.ending is None and attempt.interrupted_at is None:
                    ending = Ending(TrialState.FAILED, event.message, event.reason)
                    self._end(trial, attempt, ending, now, done)
                return False
            case Refused():
                ending = Ending(TrialState.FAILED, event.message, event.reason)
                self._finish(trial, ending, now, done)
            case Lost():
                self._lose(trial, attempt, now, done)
            case Ended() if event.end > attempt.position and attempt.rereads < _MOST_REREADS:
                attempt.rereads += 1
                done.actions.append(Reread(trial.number, trial.attempt, attempt.position))
                return False
            case Ended():
                judged = judge(self.spec, trial, event, attempt.ending)
                if judged is None or _is_interrupted(attempt, event):
                    self._lose(trial, attempt, now, done)
                else:
                    self._finish(trial, judged, now, done)
        return True

    def _report(
        self, event: Reported, trial: Trial, attempt: _Attempt, now: Instant, done: Instructions
    ) -> None:
        if event.start > attempt.position:
            # Something in between is missing.
            done.actions.append(Reread(trial.number, trial.attempt, attempt.position))
        if event.start != attempt.position or event.end <= event.start:
            return
        attempt.position, attempt.rereads = event.end, 0
        done.records.append(Observed(trial.number, event.observations, event.end))
        metrics = continued(trial.metrics, event.observations)
        self.ledger.put(replace(trial, metrics=metrics))
        self._stopping.report(trial.number, event.observations)
        if attempt.ending is None and self._verdict is None and (ending := self._early(trial)):
            self._end(trial, attempt, ending, now, done)

    def _early(self, trial: Trial) -> Ending | None:
        """The ending of a trial that the early stopping rule stops."""
        reason = self._stopping.reason(trial.number)
        return None if reason is None else Ending(TrialState.EARLY_STOPPED, reason)

    def _end(
        self, trial: Trial, attempt: _Attempt, ending: Ending, now: Instant, done: Instructions
    ) -> None:
        """Have a trial ended, to be recorded as *ending* says."""
        attempt.ending = replace(ending, asked_at=now.time)
        done.actions.append(End(trial.number, trial.attempt))

    def _lose(self, trial: Trial, attempt: _Attempt, now: Instant, done: Instructions) -> None:
        """A trial is gone without having come to its end: it runs again, unless it had to end."""
        ending, verdict = attempt.ending or self._early(trial), self._verdict
        if ending is None and verdict and verdict.state is not ExperimentState.STOPPED:
            ending = _KILLED
        if ending is not None:
            self._finish(trial, ending, now, done)
            return
        del self._attempts[trial.number]
        self._stopping.set_state(trial.number, TrialState.CREATED)
        requeued = Trial(
            trial.number,
            trial.assignments,
            attempt=trial.attempt + 1,
            parent=trial.parent,
            labels=trial.labels,
        )
        self.ledger.put(requeued)
        # A place may have lost sight of an attempt that still runs there.
        done.actions.append(End(trial.number, trial.attempt))
        done.records.append(TrialRequeued(requeued))

    def _finish(self, trial: Trial, ending: Ending, now: Instant, done: Instructions) -> None:
        """Record the end of a trial."""
        self._attempts.pop(trial.number, None)
        self._stopping.set_state(trial.number, ending.state)
        before = self.ledger.best
        final = replace(trial, state=ending.state, completed_at=now.time, message=ending.message)
        self.ledger.put(final)
        best = self.ledger.best
        superseded = before if before != best else None
        reason = ending.reason or f"Trial{ending.state.value}"
        done.records.append(TrialEnded(final, reason, ending.traceback, superseded, best))

    def _check(self, now: Instant, done: Instructions) -> None:
        """End the trials that run for too long, and look at those that are silent."""
        if now.steady - self._checked < _CHECK_EVERY:
            return
        self._checked = now.steady
        limit = self.spec.trial_active_deadline_seconds
        if limit is None and self._silence == math.inf:
            return
        for number, attempt in self._attempts.items():
            trial = self.ledger.trials[number]
            age = now.steady - attempt.started
            is_free = attempt.ending is None and attempt.interrupted_at is None
            if limit is not None and age > limit and is_free:
                message = f"ran longer than {limit:g} seconds"
                ending = Ending(TrialState.FAILED, message, "TrialDeadlineExceeded")
                self._end(trial, attempt, ending, now, done)
            if now.steady - attempt.heard >= self._silence:
                attempt.heard = now.steady
                if attempt.ending is not None or self._verdict is not None:
                    done.actions.append(End(number, trial.attempt))
                done.actions.append(Reread(number, trial.attempt, attempt.position))

    def _is_late(self, now: Instant) -> bool:
        limit = self.spec.active_deadline_seconds
        return limit is not None and now.steady - self._begun >= limit

    def _decide(self, now: Instant, done: Instructions) -> None:
        """Start trials, ask for the next one, or begin to end the experiment."""
        upcoming = self._plan(now)
        if upcoming.verdict is not None:
            self._begin_end(upcoming, now, done)
            return
        asks = None
        for number in upcoming.start:
            if number in self.ledger.trials:
                self._start(self.ledger.trials[number], now, done, is_new=False)
            else:
                if self._asked is None:
                    self._asked = asks = number
                break
        done.actions.append(Prepare(self._upcoming()))
        if asks is not None:
            done.actions.append(AskSearch(asks))

    def _plan(self, now: Instant) -> Plan:
        return plan(
            self.spec,
            self.ledger,
            elapsed=now.steady - self._begun,
            stop_requested=self._stop_requested,
            exhausted=self._exhausted,
            ordered=is_ordered(self.spec),
        )

    def _upcoming(self) -> range:
        """The numbers of the new trials that are started next."""
        following = self.ledger.last + 1
        count = 0 if self._exhausted else min(self.spec.parallel_trial_count, _PREPARED)
        if self.spec.max_trial_count is not None:
            count = min(count, self.spec.max_trial_count - following)
        return range(following, following + max(0, count))

    def _start(self, trial: Trial, now: Instant, done: Instructions, *, is_new: bool) -> None:
        started = replace(trial, state=TrialState.RUNNING, started_at=now.time)
        self.ledger.put(started)
        self._attempts[trial.number] = _Attempt(now.steady, now.steady)
        done.records.append(TrialStarted(started, is_new))
        done.actions.append(Start(started))

    def _take_answer(self, event: Answered, now: Instant, done: Instructions) -> bool:
        if event.number != self._asked:
            return False
        self._asked = None
        if self._verdict is not None or event.number in self.ledger.trials:
            return False
        if isinstance(event.answer, Wait):
            # Asked again when anything has happened, for what it waits for is an end.
            return False
        is_due = event.number in self._plan(now).start
        if event.answer is not None and not is_due:
            # Budgets have changed since the question; it is put again when they allow.
            return True
        if event.answer is None:
            self._exhausted, self._search_error = True, event.error
        else:
            self._start(event.answer, now, done, is_new=True)
        return True

    def _begin_end(self, upcoming: Plan, now: Instant, done: Instructions) -> None:
        verdict = upcoming.verdict
        if verdict and verdict.reason == SUGGESTION_END.reason and self._search_error:
            verdict = search_failed(self._search_error)
        self._verdict = verdict
        for number in upcoming.stop:
            attempt = self._attempts.get(number)
            if attempt is not None and attempt.ending is None:
                attempt.interrupted_at = now.time
                done.actions.append(End(number, self.ledger.trials[number].attempt))

    def _conclude(self, verdict: Verdict, now: Instant, done: Instructions) -> None:
        """Record the end of the experiment, when none of its trials runs any more."""
        if verdict.state is not ExperimentState.STOPPED:
            for number in list(self.ledger.waiting):
                self._finish(self.ledger.trials[number], _KILLED, now, done)
        done.records.append(ExperimentEnded(verdict, self.ledger.best))
        self.is_over = True


def _is_interrupted(attempt: _Attempt, ended: Ended) -> bool:
    """Whether a trial ended only because the experiment does."""
    if attempt.ending is not None or attempt.interrupted_at is None:
        return False
    outcome = ended.outcome
    # A signal may look like an exception of the trial's own.
    survived = outcome is not None and (
        outcome.succeeded or outcome.completed_at < attempt.interrupted_at
    )
    return not survived
