"""Runs an experiment on this machine: does what the engine plans, records what comes of it.

Everything that matters is in the store before it is acted on, so the runner can be killed
at any moment: trials die with it, and the next runner takes in the results that were left,
starts interrupted trials again under their own numbers, and goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hpo_lab.engine.plan import Plan, Verdict, plan, visible_history
from hpo_lab.experiment.model import Experiment, Objective, Value
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState, objective_value
from hpo_lab.local.metrics import read_metrics
from hpo_lab.local.process import TrialProcess, end_leftovers
from hpo_lab.search.algorithm import get_algorithm
from hpo_lab.search.ask import suggest
from hpo_lab.store import Artifact, ExperimentRecord, LeaseLost, NotFound, Runner, Store
from hpo_lab.trial.folder import LOG, NOTEBOOK, Outcome, Task

__all__ = ["AlreadyRunning", "LocalRunner", "trial_folder"]

_TICK = 0.05
_CONTROL_EVERY = 0.25
_RENEW_EVERY = 5.0
_DEADLINE = "TrialDeadlineExceeded"


class AlreadyRunning(RuntimeError):
    """Another live runner runs the experiment."""


@dataclass(slots=True)
class _Running:
    process: TrialProcess
    number: int
    started: float
    offset: int = 0
    timed_out: bool = False


def trial_folder(store: Store, uid: str, number: int) -> Path:
    """Where the files of a trial are: its log, metrics and executed notebook."""
    return store.folder(uid) / f"{number:05d}"


class LocalRunner:
    """Runs one experiment to its end in the calling thread."""

    def __init__(
        self, store: Store, uid: str, *, on_change: Callable[[], None] | None = None
    ) -> None:
        """Prepare to run the experiment *uid* of *store*.

        Args:
            store: Where the experiment is recorded.
            uid: The experiment.
            on_change: Called in the runner's thread after anything was recorded.
        """
        self._store = store
        self._uid = uid
        self._on_change = on_change or (lambda: None)
        self._me = Runner.current()
        self._trials: dict[int, Trial] = {}
        self._running: dict[int, _Running] = {}
        self._exhausted = False
        self._stop_requested = False
        self._source = store.folder(uid) / "source"

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
            self._end_processes(list(self._running.values()))
            self._store.release_lease(self._uid, self._me.id)

    def stop(self) -> None:
        """Have `run` stop the experiment soon; safe in a signal handler."""
        self._stop_requested = True

    def _record(self) -> ExperimentRecord:
        record = self._store.experiment_by_uid(self._uid)
        if record is None:
            raise NotFound(f"experiment {self._uid} was deleted")
        return record

    def _recover(self) -> None:
        """Take in what an earlier runner left: results, and trials without one."""
        self._write_sources()
        end_leftovers(self._store.folder(self._uid))
        self._trials = {trial.number: trial for trial in self._store.trials(self._uid)}
        objective = self._record().document.spec.objective
        for number, trial in list(self._trials.items()):
            if trial.state is not TrialState.RUNNING:
                continue
            folder = trial_folder(self._store, self._uid, number)
            outcome = Outcome.read(folder)
            if outcome is None:
                self._requeue(number)
                continue
            stored = self._store.trial(self._uid, number)
            self._import(number, folder, stored.offset if stored else 0)
            self._take_in(number, folder, outcome, objective)

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
                changed |= control.document != experiment
                experiment, stop = control.document, control.stop_requested
            stop |= self._stop_requested
            changed |= self._follow(experiment)
            limit = experiment.spec.active_deadline_seconds
            if changed or stop or (limit is not None and now - begun >= limit):
                changed = False
                upcoming = plan(
                    experiment.spec,
                    list(self._trials.values()),
                    elapsed=now - begun,
                    stop_requested=stop,
                    exhausted=self._exhausted,
                    ordered=_is_ordered(experiment),
                )
                if upcoming.verdict is not None:
                    return self._conclude(upcoming.verdict, experiment)
                changed = not self._start_all(experiment, upcoming)
            time.sleep(_TICK)

    def _start_all(self, experiment: Experiment, upcoming: Plan) -> bool:
        """Start the planned trials; False when the search has nothing left for one."""
        for number in upcoming.start:
            if number not in self._trials:
                suggested = self._ask(experiment, number)
                if suggested is None:
                    self._exhausted = True
                    return False
                added = self._store.add_trials(
                    self._uid, {number: suggested}, runner_id=self._me.id
                )
                self._trials |= {trial.number: trial for trial in added}
            self._start(experiment, number)
        return True

    def _ask(self, experiment: Experiment, number: int) -> Mapping[str, Value] | None:
        history = visible_history(
            experiment.spec,
            list(self._trials.values()),
            number,
            ordered=_is_ordered(experiment),
        )
        return suggest(experiment.spec, number, history, uid=self._uid)

    def _start(self, experiment: Experiment, number: int) -> None:
        template = experiment.spec.trial_template
        task = Task(
            experiment=experiment.name,
            number=number,
            trial_spec=(template.trial_spec if template else None) or {},
            assignments=self._trials[number].assignments,
            metrics=experiment.spec.objective.metric_names,
            source=str(self._source),
        )
        # Recorded as running first: a crash in between costs a restart of this number,
        # where the other order could leave a process that nobody knows.
        self._store.start_trial(self._uid, number, runner_id=self._me.id)
        self._refresh(number)
        process = TrialProcess(task, trial_folder(self._store, self._uid, number))
        self._running[number] = _Running(process, number, time.monotonic())
        self._on_change()

    def _follow(self, experiment: Experiment) -> bool:
        """Record what running trials reported and how ended ones ended."""
        changed = False
        limit = experiment.spec.trial_active_deadline_seconds
        for running in list(self._running.values()):
            # Asked before the metrics are read, so that none can come after them.
            code = running.process.exit_code
            folder = running.process.folder
            running.offset = self._import(running.number, folder, running.offset)
            late = limit is not None and time.monotonic() - running.started > limit
            if code is not None:
                del self._running[running.number]
                self._end(running, code, experiment)
                changed = True
            elif late and not running.timed_out:
                running.timed_out = True
                running.process.ask_to_end()
        return changed

    def _import(self, number: int, folder: Path, offset: int) -> int:
        """Store what the trial reported from *offset* on; where the next import starts."""
        while (batch := read_metrics(folder, offset)).offset > offset:
            self._store.add_observations(
                self._uid, number, batch.observations, batch.offset, runner_id=self._me.id
            )
            offset = batch.offset
            self._refresh(number)
            self._on_change()
        return offset

    def _end(self, running: _Running, code: int, experiment: Experiment) -> None:
        number, folder = running.number, running.process.folder
        outcome = Outcome.read(folder)
        if outcome is not None:
            self._take_in(number, folder, outcome, experiment.spec.objective)
        elif running.timed_out:
            limit = experiment.spec.trial_active_deadline_seconds
            message = f"ran longer than {limit:g} seconds"
            self._finish(number, TrialState.FAILED, message, reason=_DEADLINE)
        else:
            signal = code - 128 if code > 128 else -code
            how = f"was killed by signal {signal}" if signal > 0 else f"ended with code {code}"
            self._finish(number, TrialState.FAILED, f"the trial's process {how}")

    def _take_in(
        self, number: int, folder: Path, outcome: Outcome, objective: Objective
    ) -> None:
        """Record a trial that came to its end by itself."""
        if not outcome.succeeded:
            self._finish(number, TrialState.FAILED, outcome.message, outcome.traceback)
        elif objective_value(objective, self._trials[number]) is not None:
            self._finish(number, TrialState.SUCCEEDED)
        else:
            metric = self._trials[number].metrics.get(objective.objective_metric_name)
            found = "was never reported" if metric is None else f"was {metric.latest}"
            message = f"{objective.objective_metric_name} {found}; a finite number is needed"
            self._finish(number, TrialState.METRICS_UNAVAILABLE, message)

    def _finish(
        self,
        number: int,
        state: TrialState,
        message: str = "",
        traceback: str = "",
        reason: str = "",
    ) -> None:
        self._keep_files(number)
        self._store.finish_trial(
            self._uid,
            number,
            state,
            message=message,
            traceback=traceback,
            reason=reason or f"Trial{state.value}",
            runner_id=self._me.id,
        )
        self._refresh(number)
        self._on_change()

    def _keep_files(self, number: int) -> None:
        folder = trial_folder(self._store, self._uid, number)
        kinds = {NOTEBOOK: "application/x-ipynb+json", LOG: "text/plain"}
        for name, kind in kinds.items():
            if (folder / name).exists():
                artifact = Artifact(name=name, media_type=kind, path=folder / name, number=number)
                self._store.add_artifact(self._uid, artifact, runner_id=self._me.id)

    def _requeue(self, number: int) -> None:
        self._store.requeue_trial(self._uid, number, runner_id=self._me.id)
        self._refresh(number)

    def _refresh(self, number: int) -> None:
        stored = self._store.trial(self._uid, number)
        if stored is not None:
            self._trials[number] = stored.trial

    def _conclude(self, verdict: Verdict, experiment: Experiment) -> Verdict:
        """End what still runs and record the end of the experiment."""
        ended = list(self._running.values())
        self._end_processes(ended)
        for running in ended:
            folder = running.process.folder
            self._import(running.number, folder, running.offset)
            outcome = Outcome.read(folder)
            if outcome is not None:
                self._take_in(running.number, folder, outcome, experiment.spec.objective)
        for number, trial in list(self._trials.items()):
            if trial.is_final:
                continue
            if verdict.state is not ExperimentState.STOPPED:
                self._finish(number, TrialState.KILLED, "the experiment ended")
            elif trial.state is TrialState.RUNNING:
                # Runs again, under its number, when the experiment is resumed.
                self._requeue(number)
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


def _is_ordered(experiment: Experiment) -> bool:
    algorithm = get_algorithm(experiment.spec.algorithm.algorithm_name)
    return experiment.spec.seed is not None and algorithm.uses_history
