"""The place "this machine": trials are processes, each with a folder of its own."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hpo_lab.engine.events import Ended, Exceeded, Lost, Noticed, PlaceEvent, Reported
from hpo_lab.execution.client import ForkServer
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.trial import Trial
from hpo_lab.local.launcher import Launcher
from hpo_lab.local.memory import memory_in_use
from hpo_lab.local.metrics import Batch, read_metrics
from hpo_lab.local.process import RunningTrial, end_leftovers
from hpo_lab.local.tasks import task_of
from hpo_lab.observation import Outcome
from hpo_lab.running.place import UnfinishedTrial
from hpo_lab.store import Artifact, ArtifactRecord
from hpo_lab.trial.folder import LOG, METRICS, NOTEBOOK, is_plain
from hpo_lab.trial.keep import kept_artifacts
from hpo_lab.trial.supervise import GRACE

__all__ = ["LocalPlace", "trial_folder"]

_LOOK_EVERY = 0.1
_LONGEST_END = 2 * GRACE + 2
"""Seconds after which a trial that was asked to end is ended by force."""
_MOST_LOSSES = 3
"""How often a trial that the machine ended runs again."""
_FILES = {LOG: "text/plain", NOTEBOOK: "application/x-ipynb+json"}


def trial_folder(folder: Path, number: int) -> Path:
    """The folder of a trial below the *folder* of its experiment."""
    return folder / f"{number:05d}"


@dataclass(slots=True)
class _Stream:
    """What an attempt of a trial reports.

    Attributes:
        number, attempt: Which.
        position: Up to where its metrics file is read.
        told: Up to where its reports are told.
    """

    number: int
    attempt: int
    position: int = 0
    told: int = 0


@dataclass(slots=True, kw_only=True)
class _Running(_Stream):
    """An attempt of a trial that runs.

    Attributes:
        process: Its processes.
        looked: When its metrics file was last read, on the monotonic clock.
        ended: When it was asked to end, on the monotonic clock; infinite where it was not.
        has_exceeded: Whether it was told to do what it may not, such as to use too much memory.
    """

    process: RunningTrial
    looked: float
    ended: float = math.inf
    has_exceeded: bool = False


class LocalPlace:
    """Runs the trials of one experiment as processes of this machine.

    They end with their runner: what an earlier runner has left is ended first.
    """

    silence = math.inf

    def __init__(self, folder: Path, server: ForkServer | None = None) -> None:
        """Prepare.

        Args:
            folder: The folder of the experiment.
            server: A fork server that waits for a set-up, for trials that are forked.
        """
        self._folder = folder
        self._source = folder / "source"
        self._server = server
        self._launcher: Launcher | None = None
        self._memory: int | None = None
        self._running: dict[int, _Running] = {}
        self._losses: dict[int, int] = {}
        self._events: list[PlaceEvent] = []

    def open(
        self,
        experiment: ExperimentDocument,
        sources: Sequence[ArtifactRecord],
        running: Sequence[UnfinishedTrial],
    ) -> None:
        """Write the source files, end what an earlier runner left, and read what it reported."""
        if self._source.exists():
            end_leftovers(self._folder)
        self._source.mkdir(parents=True, exist_ok=True)
        for artifact in sources:
            path = self._source / artifact.name
            if not path.exists():
                part = path.with_suffix(".part")
                part.write_bytes(artifact.read())
                part.replace(path)
        template = experiment.spec.trial_template
        job = (template.trial_spec if template else None) or {}
        self._memory = job.get("spec", {}).get("memoryLimit")
        server, self._server = self._server, None
        self._launcher = Launcher(job, self._source, self._folder, self._events.append, server)
        for unfinished in running:
            trial, position = unfinished.trial, unfinished.position
            self._events += self._remains(trial.number, trial.attempt, position)

    def _remains(self, number: int, attempt: int, position: int) -> Iterator[PlaceEvent]:
        """What an attempt left behind *position* whose processes have ended with their runner."""
        stream = _Stream(number, attempt, position, position)
        for event in self._at_end(stream, death=""):
            is_interrupted = isinstance(event, Ended) and event.outcome is None
            yield Lost(number, attempt) if is_interrupted else event

    def handle(self, trial: Trial) -> str:
        """The number of the trial and of the attempt: `7.1`."""
        return f"{trial.number}.{trial.attempt}"

    def prepare(self, numbers: range) -> None:
        """Begin with the set-up, or with kernels for the trials *numbers*."""
        assert self._launcher is not None
        self._launcher.warm_up()
        for number in numbers:
            self._launcher.prepare(trial_folder(self._folder, number))

    def start(self, experiment: ExperimentDocument, trial: Trial, seed: int) -> None:
        """Start the processes of a trial; what an earlier attempt left is removed."""
        assert self._launcher is not None
        running = self._running.get(trial.number)
        if running is not None and running.attempt == trial.attempt:
            return
        task = task_of(experiment, trial.number, trial.assignments, self._source)
        if trial.parent is not None:
            task = replace(task, parent=str(trial_folder(self._folder, trial.parent)))
        process = self._launcher.start(task, trial_folder(self._folder, trial.number), seed)
        self._running[trial.number] = _Running(
            trial.number, trial.attempt, process=process, looked=time.monotonic()
        )

    def end(self, number: int, attempt: int) -> None:
        """Ask what is above the processes of a trial to end them, in the end by force."""
        running = self._running.get(number)
        if running is not None and running.attempt == attempt:
            running.ended = min(running.ended, time.monotonic())
            running.process.ask_to_end()

    def reread(self, number: int, attempt: int, position: int) -> None:
        """Read the metrics file of a trial again."""
        running = self._running.get(number)
        if running is not None and running.attempt == attempt:
            running.position = running.told = position
            running.looked = 0.0
        else:
            self._events += self._remains(number, attempt, position)

    def events(self, timeout: float) -> list[PlaceEvent]:
        """What trials have reported and how they have ended."""
        assert self._launcher is not None
        if not self._events:
            processes = [running.process for running in self._running.values()]
            self._launcher.wait(processes, timeout)
        now = time.monotonic()
        for running in list(self._running.values()):
            if now - running.ended > _LONGEST_END:
                # What is above its processes may be stopped, and is ended by force.
                running.process.wait()
            # Asked before the metrics are read, so that none can come after them.
            code = running.process.poll()
            if code is not None:
                del self._running[running.number]
                self._events += self._ended(running, code)
            elif now - running.looked >= _LOOK_EVERY:
                # The end of one trial is no reason to look at the others.
                running.looked = now
                self._events += self._look(running)
        events = list(self._events)
        self._events.clear()
        return events

    def _ended(self, running: _Running, code: int) -> Iterator[PlaceEvent]:
        """What is to be told of a trial whose processes are gone."""
        number, lost = running.number, running.process.lost
        if lost and (losses := self._losses.get(number, 0)) < _MOST_LOSSES:
            self._losses[number] = losses + 1
            message = f"Experiment is running; trial {number} runs again, for {lost}"
            yield Noticed("TrialLost", message)
            yield from self._remains(number, running.attempt, running.position)
        else:
            yield from self._at_end(
                running, death=f"ended again and again, for {lost}" if lost else _death(code)
            )

    def _look(self, running: _Running) -> Iterator[PlaceEvent]:
        """What a running trial has reported since the last look, and whether it uses too much."""
        while True:
            batch = read_metrics(trial_folder(self._folder, running.number), running.position)
            running.position = batch.offset
            if batch.observations:
                start, running.told = running.told, batch.offset
                yield Reported(
                    running.number, running.attempt, start, batch.offset, batch.observations
                )
            if not batch.more:
                break
        if batch.problem and not running.has_exceeded:
            running.has_exceeded = True
            message = _spoilt(batch)
            yield Exceeded(running.number, running.attempt, "TrialReportsUnreadable", message)
        pid, limit = running.process.pid, self._memory
        if limit is None or pid is None or running.has_exceeded:
            return
        used = memory_in_use(pid)
        if used > limit:
            running.has_exceeded = True
            message = f"used {used / 2**20:.0f} MiB of memory; allowed are {limit / 2**20:.0f} MiB"
            yield Exceeded(running.number, running.attempt, "TrialMemoryExceeded", message)

    def _at_end(self, stream: _Stream, death: str) -> Iterator[PlaceEvent]:
        """What a trial whose processes have ended reported last, and how it ended."""
        number, attempt = stream.number, stream.attempt
        folder = trial_folder(self._folder, number)
        while (batch := read_metrics(folder, stream.position)).more:
            stream.position = batch.offset
            if batch.observations:
                start, stream.told = stream.told, batch.offset
                yield Reported(number, attempt, start, batch.offset, batch.observations)
        observations = batch.observations + batch.late
        end = batch.end if batch.late else batch.offset
        outcome = batch.outcome
        if batch.problem and death:
            outcome = Outcome(succeeded=False, completed_at=time.time(), message=_spoilt(batch))
        if observations:
            yield Reported(number, attempt, stream.told, end, observations)
            stream.told = end
        yield Ended(number, attempt, stream.told, outcome, death)

    def files(self, number: int) -> list[Artifact]:
        """The log of a trial, its executed notebook, and what it kept."""
        folder = trial_folder(self._folder, number)
        files = [
            Artifact(name=name, media_type=kind, path=path, number=number)
            for name, kind in _FILES.items()
            if is_plain(path := folder / name)
        ]
        for kept in kept_artifacts(folder):
            path, kind = Path(kept.path), kept.media_type
            files.append(Artifact(name=kept.name, media_type=kind, path=path, number=number))
        return files

    def discard(self, number: int, name: str) -> None:
        """Remove a file of a trial."""
        folder = trial_folder(self._folder, number)
        kept = [Path(thing.path) for thing in kept_artifacts(folder) if thing.name == name]
        own = folder / name
        for path in [own] if os.path.lexists(own) else kept:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def wake(self) -> None:
        """Have `events` return."""
        if self._launcher is not None:
            self._launcher.wake()

    def close(self) -> None:
        """End every process of this experiment."""
        for running in self._running.values():
            running.process.ask_to_end()
        for running in self._running.values():
            running.process.wait()
        self._running.clear()
        if self._server is not None:
            self._server.close()
        launcher, self._launcher = self._launcher, None
        if launcher is not None:
            launcher.close()


def _spoilt(batch: Batch) -> str:
    return f"its {METRICS} was changed by the trial: {batch.problem}"


def _death(code: int) -> str:
    signal = code - 128 if code > 128 else -code
    return f"was killed by signal {signal}" if signal > 0 else f"ended with code {code}"
