"""Decides how the trials of an experiment run here, starts them and waits for them."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hpo_lab.engine.events import Noticed
from hpo_lab.execution.client import ForkServer
from hpo_lab.local.forked import Forks, can_fork
from hpo_lab.local.process import RunningTrial, TrialProcess
from hpo_lab.local.standby import Standby
from hpo_lab.trial.folder import Task

__all__ = ["Launcher"]

_POLL = 0.05


class Launcher:
    """Starts the trials of one experiment."""

    def __init__(
        self,
        trial_spec: Mapping[str, Any],
        source: Path,
        folder: Path,
        tell: Callable[[Noticed], None],
        server: ForkServer | None = None,
    ) -> None:
        """Prepare; nothing is started yet.

        Args:
            trial_spec: The trial object, as in `trialTemplate.trialSpec`.
            source: Folder with the experiment's source files.
            folder: The experiment's folder.
            tell: Called while the set-up of all trials runs, and when trials could have been
                forked but cannot.
            server: A fork server that waits for a set-up; ended where it is no use.
        """
        spec = trial_spec.get("spec", {})
        is_notebook = trial_spec.get("kind") == "NotebookTrial"
        self._standby = Standby(spec, folder) if is_notebook else None
        self._forks: Forks | None = None
        if server is not None and server.kind != trial_spec.get("kind"):
            server.close()
            server = None
        if can_fork(trial_spec):
            self._forks = Forks(trial_spec, source, folder, tell, self._start_process, server)
        elif server is not None:
            server.close()
        self._readable, self._writable = os.pipe()
        os.set_blocking(self._readable, False)
        os.set_blocking(self._writable, False)

    def warm_up(self) -> None:
        """Begin with what all trials share, so that it is there when the first one starts."""
        if self._forks is not None:
            self._forks.warm_up()

    def start(self, task: Task, folder: Path, seed: int) -> RunningTrial:
        """Start a trial in *folder*; what an earlier attempt left there is removed.

        Args:
            task: What it is to do.
            folder: Its folder.
            seed: For random numbers that its code does not seed.
        """
        if self._forks is not None:
            return self._forks.start(replace(task, seed=seed), folder, seed)
        return self._start_process(replace(task, seed=seed), folder)

    def prepare(self, folder: Path) -> None:
        """Do what can be done for the trial of *folder* before it is started."""
        if self._standby is not None and (self._forks is None or self._forks.impossible):
            self._standby.prepare(folder)

    def _start_process(self, task: Task, folder: Path) -> RunningTrial:
        if self._standby is not None:
            return self._standby.start(task, folder)
        return TrialProcess(task, folder)

    def wait(self, trials: Iterable[RunningTrial], timeout: float) -> None:
        """Wait until a trial may have ended or `wake` is called, at most *timeout* seconds."""
        descriptors = [trial.fileno() for trial in trials]
        if self._forks is not None:
            descriptors.append(self._forks.fileno())
        watched = [descriptor for descriptor in descriptors if descriptor is not None]
        if self._forks is None and len(watched) < len(descriptors):
            timeout = min(timeout, _POLL)
        ready, _, _ = select.select([self._readable, *watched], [], [], timeout)
        if self._readable in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._readable, 512)
        if self._forks is not None:
            self._forks.take_events()

    def wake(self) -> None:
        """Have `wait` return; safe in a signal handler and from other threads."""
        with contextlib.suppress(OSError):
            os.write(self._writable, b"\0")

    def close(self) -> None:
        """End whatever still runs in forks or waits for a trial."""
        if self._forks is not None:
            self._forks.close()
        if self._standby is not None:
            self._standby.close()
        os.close(self._readable)
        os.close(self._writable)
