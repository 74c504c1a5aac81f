"""Runs an experiment on this machine: does what the engine plans, records what comes of it.

Everything that matters is in the store before it is acted on, so the runner can be killed
at any moment: trials die with it, and the next runner takes in the results that were left,
starts interrupted trials again under their own numbers, and goes on.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from traceback import print_exc

from hpo_lab.engine.asking import is_ordered
from hpo_lab.engine.early_stopping import Stopping
from hpo_lab.engine.ledger import Ledger
from hpo_lab.engine.plan import SUGGESTION_END, Plan, Verdict, plan, search_failed
from hpo_lab.experiment.model import ExperimentDocument, ExperimentSpec
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.local.ending import Ending, over_limit
from hpo_lab.local.launcher import Launcher
from hpo_lab.local.process import RunningTrial, end_leftovers
from hpo_lab.local.recording import Recording
from hpo_lab.local.tasks import task_of
from hpo_lab.problems import InvalidInput
from hpo_lab.running.asking import Asking
from hpo_lab.running.keeping import Keeping
from hpo_lab.running.warm_start import prior_trials
from hpo_lab.search.algorithm import Wait
from hpo_lab.store import ExperimentRecord, LeaseLost, NotFound, Runner, Store
from hpo_lab.warm.client import ForkServer

__all__ = ["AlreadyRunning", "LocalRunner", "trial_folder"]

_FOLLOW_EVERY = 0.1
_CONTROL_EVERY = 0.25
_RENEW_EVERY = 5.0
_PREPARED = 2
"""Most trials for which something is started before there is a slot for them."""


class AlreadyRunning(RuntimeError):
    """Another live runner runs the experiment."""


@dataclass(slots=True)
class _Running:
    process: RunningTrial
    number: int
    started: float
    followed: float
    offset: int = 0
    over: Ending | None = None
    """How it is to be recorded, once it was asked to end."""


def trial_folder(store: Store, uid: str, number: int) -> Path:
    """Where the files of a trial are: its log, metrics and executed notebook."""
    return store.folder(uid) / f"{number:05d}"


class LocalRunner:
    """Runs one experiment to its end in the calling thread."""

    def __init__(
        self,
        store: Store,
        uid: str,
        *,
        on_change: Callable[[], None] | None = None,
        server: ForkServer | None = None,
    ) -> None:
        """Prepare to run the experiment *uid* of *store*.

        Args:
            store: Where the experiment is recorded.
            uid: The experiment.
            on_change: Called in the runner's thread after anything was recorded.
            server: A fork server that waits for a set-up, for trials that are forked.
        """
        self._store = store
        self._uid = uid
        self._on_change = on_change or (lambda: None)
        self._me = Runner.current()
        self._recording: Recording
        self._asking = Asking(uid, (), lambda: None)
        self._running: dict[int, _Running] = {}
        self._exhausted = False
        self._search_error = ""
        self._stop_requested = False
        self._source = store.folder(uid) / "source"
        self._launcher: Launcher | None = None
        self._server = server
        # Where the files of a trial are is asked several times while it runs.
        self._folder = lru_cache(maxsize=1024)(partial(trial_folder, store, uid))
        self._keeping = Keeping({}, self._folder)

    def run(self) -> Verdict:
        """Run until the experiment ends, fails or is stopped.

        Returns:
            How it ended.

        Raises:
            AlreadyRunning: when another runner is at it.
            LeaseLost: when another runner took over, after this one was silent for long.
        """
        if not self._store.acquire_lease(self._uid, self._me):
            raise AlreadyRunning(f"experiment {self._uid} is being run by another process")
        try:
            self._recover()
            self._store.set_condition(
                self._uid,
                ExperimentState.RUNNING,
                "ExperimentRunning",
                "Experiment is running",
                runner_id=self._me.id,
            )
            self._on_change()
            return self._loop()
        finally:
            self._asking.close()
            self._end_processes(list(self._running.values()))
            launcher, self._launcher = self._launcher, None
            if launcher is not None:
                launcher.close()
            self._store.release_lease(self._uid, self._me.id)

    def stop(self) -> None:
        """Have `run` stop the experiment soon; safe in a signal handler."""
        self._stop_requested = True
        if self._launcher is not None:
            self._launcher.wake()

    def _tell_kernels(self, reason: str) -> None:
        """Say, once, that trials cannot share their set-up."""
        message = f"Experiment is running; every trial runs its set-up itself, because {reason}"
        print(message, file=sys.stderr, flush=True)
        self._store.set_condition(
            self._uid,
            ExperimentState.RUNNING,
            "TrialsNotForked",
            message,
            runner_id=self._me.id,
        )

    @property
    def _ledger(self) -> Ledger:
        return self._recording.ledger

    @property
    def _trials(self) -> dict[int, Trial]:
        return self._ledger.trials

    def _record(self) -> ExperimentRecord:
        record = self._store.experiment_by_uid(self._uid)
        if record is None:
            raise NotFound(f"experiment {self._uid} was deleted")
        return record

    def _recover(self) -> None:
        """Take in what an earlier runner left: results, and trials without one."""
        if self._source.exists():
            end_leftovers(self._store.folder(self._uid))
        self._write_sources()
        spec = self._record().document.spec
        trial_spec = (spec.trial_template.trial_spec if spec.trial_template else None) or {}
        self._keeping = Keeping(trial_spec, self._folder)
        self._launcher = Launcher(
            trial_spec,
            self._source,
            self._store.folder(self._uid),
            self._tell_kernels,
            self._server,
        )
        trials = self._store.trials(self._uid)
        prior = prior_trials(self._store, self._uid)
        self._asking = Asking(self._uid, prior, self._launcher.wake)
        self._recording = recording = Recording(
            self._store,
            self._uid,
            self._me.id,
            ledger=Ledger(spec.objective, trials),
            stopping=Stopping.recovered(spec, trials, self._store, self._uid),
            keeping=self._keeping,
            folder_of=self._folder,
            on_change=self._on_change,
        )
        interrupted = []
        for number in [trial.number for trial in trials if trial.state is TrialState.RUNNING]:
            stored = self._store.trial(self._uid, number)
            offset = recording.follow(number, stored.offset if stored else 0)
            if recording.has_ended(number, offset):
                recording.end(number, offset, spec, None, 0)
            else:
                interrupted.append(number)
        for number in interrupted:
            reason = recording.stopping.reason(number)
            if reason is None:
                recording.requeue(number)
            else:
                recording.finish(number, TrialState.EARLY_STOPPED, reason)

    def _write_sources(self) -> None:
        self._source.mkdir(parents=True, exist_ok=True)
        for listed in self._store.artifacts(self._uid):
            path = self._source / listed.name
            artifact = self._store.artifact(self._uid, listed.name)
            if artifact is not None and not path.exists():
                part = path.with_suffix(".part")
                part.write_bytes(artifact.read())
                part.replace(path)

    def _loop(self) -> Verdict:
        renewed = controlled = time.monotonic()
        record = self._record()
        experiment, stop = record.document, record.stop_requested
        # The store knows the earlier runs; this one is timed here.
        begun = time.monotonic() - record.running_seconds(time.time())
        changed = True
        while True:
            now = time.monotonic()
            if now - renewed >= _RENEW_EVERY:
                renewed = now
                if not self._store.renew_lease(self._uid, self._me.id):
                    raise LeaseLost(f"experiment {self._uid} was taken over by another runner")
            if now - controlled >= _CONTROL_EVERY:
                controlled = now
                control = self._store.control(self._uid)
                if control.updated_at != record.updated_at:
                    record = self._record()
                    if record.document != experiment:
                        # With new points there may be something to try again.
                        changed, self._exhausted, self._search_error = True, False, ""
                    experiment = record.document
                stop = control.stop_requested
            stop |= self._stop_requested
            changed |= self._follow(experiment) | self._asking.has_news()
            limit = experiment.spec.active_deadline_seconds
            if changed or stop or (limit is not None and now - begun >= limit):
                changed = False
                upcoming = plan(
                    *self._ledger.to_plan(experiment.spec),
                    elapsed=now - begun,
                    stop_requested=stop,
                    exhausted=self._exhausted,
                    ordered=is_ordered(experiment.spec),
                )
                if upcoming.verdict is not None:
                    verdict = upcoming.verdict
                    if verdict is SUGGESTION_END and self._search_error:
                        verdict = search_failed(self._search_error)
                    return self._conclude(verdict, experiment)
                changed = not self._start_all(experiment, upcoming)
                if not self._exhausted:
                    self._get_ahead(experiment.spec)
            self._wait()

    def _get_ahead(self, spec: ExperimentSpec) -> None:
        """Do for the next trials what need not wait for a slot."""
        following = self._ledger.last + 1
        self._asking.ask_ahead(spec, self._trials, following)
        assert self._launcher is not None
        count = min(spec.parallel_trial_count, _PREPARED)
        if spec.max_trial_count is not None:
            count = min(count, spec.max_trial_count - following)
        for number in range(following, following + count):
            self._launcher.prepare(self._folder(number))

    def _wait(self) -> None:
        """Wait for the end of a trial, but no longer than until the next look at the others."""
        assert self._launcher is not None
        trials = [running.process for running in self._running.values()]
        pause = 0.0 if self._stop_requested and not trials else _FOLLOW_EVERY
        self._launcher.wait(trials, pause)

    def _start_all(self, experiment: ExperimentDocument, upcoming: Plan) -> bool:
        """Start the planned trials; False when one could not be, so that plans change."""
        started = True
        if upcoming.start:
            assert self._launcher is not None
            self._launcher.warm_up()
        for number in upcoming.start:
            known = number in self._trials
            new = None if known else self._ask(experiment, number)
            if isinstance(new, Wait):
                break
            if not known and new is None:
                self._exhausted = True
                return False
            started &= self._start(experiment, number, new)
        return started

    def _ask(self, experiment: ExperimentDocument, number: int) -> Trial | Wait | None:
        try:
            return self._asking.ask(experiment.spec, self._trials, number)
        except Exception as error:
            # An algorithm may be anybody's. What runs comes to its end before the experiment.
            print_exc()
            self._search_error = f"{type(error).__name__}: {error}"
            return None

    def _start(self, experiment: ExperimentDocument, number: int, new: Trial | None) -> bool:
        """Start a trial; False when it failed before it began."""
        spec = experiment.spec
        # Recorded as running first: a crash in between costs a restart of this number,
        # where the other order could leave a process that nobody knows.
        trial = self._store.start_trial(self._uid, number, new=new, runner_id=self._me.id)
        self._ledger.put(trial)
        try:
            task = task_of(experiment, number, trial.assignments, self._source)
            if trial.parent is not None:
                task = replace(task, parent=str(self._folder(trial.parent)))
        except InvalidInput as error:
            message = "; ".join(map(str, error.problems))
            self._recording.finish(number, TrialState.FAILED, message, reason="TrialNotRendered")
            return False
        assert self._launcher is not None
        seed = _seed(self._uid if spec.seed is None else str(spec.seed), number)
        process = self._launcher.start(task, self._folder(number), seed)
        now = time.monotonic()
        self._running[number] = _Running(process, number, started=now, followed=now)
        self._on_change()
        return True

    def _follow(self, experiment: ExperimentDocument) -> bool:
        """Record what running trials reported and how ended ones ended."""
        changed = False
        for running in list(self._running.values()):
            # Asked before the metrics are read, so that none can come after them.
            code = running.process.exit_code
            if code is not None:
                del self._running[running.number]
                self._recording.end(
                    running.number, running.offset, experiment.spec, running.over, code
                )
                changed = True
                continue
            # The end of one trial is no reason to look at the others.
            if time.monotonic() - running.followed < _FOLLOW_EVERY:
                continue
            running.followed = time.monotonic()
            before = running.offset
            running.offset = self._recording.follow(running.number, before)
            if running.over is None:
                running.over = over_limit(experiment.spec, running.started, running.process.pid)
                if running.over is None and running.offset > before:
                    running.over = self._early_end(running.number)
                if running.over is not None:
                    running.process.ask_to_end()
        return changed

    def _early_end(self, number: int) -> Ending | None:
        reason = self._recording.stopping.reason(number)
        return None if reason is None else Ending.early(reason)

    def _conclude(self, verdict: Verdict, experiment: ExperimentDocument) -> Verdict:
        """End what still runs and record the end of the experiment."""
        ended = list(self._running.values())
        self._end_processes(ended)
        for running in ended:
            number = running.number
            offset = self._recording.follow(number, running.offset)
            if running.over is not None or self._recording.has_ended(number, offset):
                self._recording.end(number, offset, experiment.spec, running.over, 0)
        for number, trial in list(self._trials.items()):
            if trial.is_final:
                continue
            if verdict.state is not ExperimentState.STOPPED:
                self._recording.finish(number, TrialState.KILLED, "the experiment ended")
            elif trial.state is TrialState.RUNNING:
                # Runs again, under its number, when the experiment is resumed.
                self._recording.requeue(number)
        for artifact in self._keeping.of_best(self._ledger.best):
            self._store.add_artifact(self._uid, artifact, runner_id=self._me.id)
        self._store.set_condition(
            self._uid, verdict.state, verdict.reason, verdict.message, runner_id=self._me.id
        )
        self._on_change()
        return verdict

    def _end_processes(self, running: list[_Running]) -> None:
        for one in running:
            one.process.ask_to_end()
        for one in running:
            one.process.wait()
            self._running.pop(one.number, None)


def _seed(experiment: str, number: int) -> int:
    """A seed in [0, 2**63) for the random numbers of a trial."""
    text = f"{experiment}/{number}/trial"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1
