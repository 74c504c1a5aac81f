"""One turn after the other: the scheduler's instructions are recorded, and then carried out."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterable, Sequence
from traceback import print_exc

from hpo_lab.engine.events import (
    ANSWER_READY,
    Answered,
    Event,
    Instant,
    Lost,
    Noticed,
    Refused,
    SpecChanged,
)
from hpo_lab.engine.instructions import (
    Action,
    AskSearch,
    End,
    ExperimentEnded,
    Noted,
    Prepare,
    Record,
    Reread,
    Start,
    TrialRequeued,
)
from hpo_lab.engine.plan import Verdict
from hpo_lab.engine.scheduler import Scheduler
from hpo_lab.experiment.trial import Trial
from hpo_lab.problems import InvalidInput
from hpo_lab.running.asking import Questions
from hpo_lab.running.keeping import Keeping
from hpo_lab.running.place import Place
from hpo_lab.running.recording import Recorder
from hpo_lab.running.retrying import Retry, say
from hpo_lab.store import ExperimentRecord, Store
from hpo_lab.trial.folder import METRICS

__all__ = ["Turns"]

_LONGEST_BATCH = 0.05
"""Seconds of asking after which the trials that have an answer are started."""
_EXHAUSTED = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC)
"""What a machine lacks for a moment, which is not the trial's fault."""
_MOST_TRIES = 60
_PAUSE = 1.0
"""Seconds until a trial for which the machine had no room is started again."""


class Turns:
    """Carries out the scheduler's instructions, one turn after the other."""

    def __init__(
        self,
        store: Store,
        record: ExperimentRecord,
        place: Place,
        scheduler: Scheduler,
        asking: Questions,
        runner_id: str,
        clock: Callable[[], Instant],
        retry: Retry,
    ) -> None:
        self._clock = clock
        self._retry = retry
        self._tries: dict[int, int] = {}
        self._later: list[tuple[float, Lost]] = []
        self.verdict: Verdict | None = None
        self.document = record.document
        self._uid = record.uid
        self._place = place
        self._scheduler = scheduler
        self._asking = asking
        template = record.document.spec.trial_template
        keeping = Keeping((template.trial_spec if template else None) or {}, place)
        self._recorder = Recorder(store, record.uid, runner_id, place, keeping)

    def revise(self, record: ExperimentRecord) -> Iterable[Event]:
        """Take over a document that a person has changed."""
        if record.document != self.document:
            self.document = record.document
            yield SpecChanged(record.document.spec)

    def due(self, now: Instant) -> list[Event]:
        """The trials that waited for room on the machine, and are to be tried again at *now*."""
        due: list[Event] = [lost for moment, lost in self._later if moment <= now.steady]
        self._later = [each for each in self._later if each[0] > now.steady]
        return due

    def take(self, happened: Sequence[Event], now: Instant) -> None:
        """Do what follows from *happened*."""
        news: list[Event] = [ANSWER_READY] if self._asking.has_news() else []
        events: list[Event] = [*happened, *news]
        begun = self._clock().steady
        records: list[Record] = []
        actions: list[Action] = []
        following = range(0)
        is_first = True
        while events or is_first:
            is_first = False
            instructions = self._scheduler.handle(events, now)
            events = []
            records += instructions.records
            for action in instructions.actions:
                if isinstance(action, Prepare):
                    following = action.numbers
                    self._place.prepare(following)
                elif isinstance(action, AskSearch):
                    # Recorded and started meanwhile, where an answer takes its time.
                    if self._clock().steady - begun > _LONGEST_BATCH and records:
                        events += self._carry_out(records, actions, now)
                        records, actions, begun = [], [], self._clock().steady
                    events.append(self._answer(action.number))
                else:
                    actions.append(action)
            if not events:
                events += self._carry_out(records, actions, now)
                records, actions = [], []
        if following and self.verdict is None:
            ledger = self._scheduler.ledger
            self._asking.ask_ahead(self._scheduler.spec, ledger, ledger.last + 1)

    def _carry_out(self, records: list[Record], actions: list[Action], now: Instant) -> list[Event]:
        """Write the records, take the actions; what follows at once."""
        self._retry.ask(lambda: self._recorder.write(records, now.time))
        refusals: list[Event] = []
        for action in actions:
            match action:
                case Start(trial):
                    refusals += self._start(trial)
                case End(number, attempt):
                    self._place.end(number, attempt)
                case Reread(number, attempt, position):
                    self._place.reread(number, attempt, position)
        for record in records:
            if isinstance(record, ExperimentEnded):
                self.verdict = record.verdict
            elif isinstance(record, Noted) and record.since is None:
                say(record.message)
            elif isinstance(record, TrialRequeued):
                # The next attempt is not to be taken for this one.
                self._place.discard(record.trial.number, METRICS)
        return refusals

    def _start(self, trial: Trial) -> list[Event]:
        """Start a trial; what follows where it cannot be started."""
        spec = self._scheduler.spec
        seed = _seed(self._uid if spec.seed is None else str(spec.seed), trial.number)
        try:
            self._place.start(self.document, trial, seed)
        except InvalidInput as error:
            message = "; ".join(map(str, error.problems))
            return [Refused(trial.number, trial.attempt, message)]
        except OSError as error:
            tries = self._tries.get(trial.number, 0)
            if error.errno not in _EXHAUSTED or tries >= _MOST_TRIES:
                message = f"could not be started: {error}"
                return [Refused(trial.number, trial.attempt, message, "TrialNotStarted")]
            message = f"Experiment is running; it waits, for {error.strerror}"
            # Said once, though every trial of the moment waits.
            said: list[Event] = [] if self._tries else [Noticed("MachineExhausted", message)]
            self._tries[trial.number] = tries + 1
            lost = Lost(trial.number, trial.attempt)
            self._later.append((self._clock().steady + _PAUSE, lost))
            return said
        self._tries.pop(trial.number, None)
        return []

    def _answer(self, number: int) -> Answered:
        try:
            ledger = self._scheduler.ledger
            return Answered(number, self._asking.ask(self._scheduler.spec, ledger, number))
        except Exception as error:
            # The algorithm may be of another package. What runs ends before the experiment does.
            print_exc()
            return Answered(number, None, f"{type(error).__name__}: {error}")


def _seed(experiment: str, number: int) -> int:
    """A seed in [0, 2**63) for the random numbers of a trial."""
    text = f"{experiment}/{number}/trial"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1
