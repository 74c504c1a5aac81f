"""Workers that run notebook trials one after the other, each in a new kernel.

A kernel is started before there is a slot for its trial, and what its worker has imported
serves the next trial too.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpo_lab.execution import kernel_worker
from hpo_lab.execution.client import Program
from hpo_lab.execution.kernel_worker import BEGIN, KernelRequest
from hpo_lab.local.process import make_empty, wait_for
from hpo_lab.trial.folder import LOG, Task

__all__ = ["KernelTrial", "Standby"]


class _Worker(Program):
    """A process that runs a trial at a time, below a supervisor."""

    def __init__(self, folder: Path) -> None:
        """Start it.

        Args:
            folder: Gets its log, and marks it as the trial's folder marks what a trial runs.
        """
        self._folder = folder
        make_empty(folder)
        with (folder / LOG).open("ab") as log:
            super().__init__(folder, kernel_worker.__name__, log)
        self.pid = self._supervisor.pid
        self.trial: Path | None = None
        """Folder of the trial that it runs or waits for."""
        self._asked_to_end = False

    @property
    def is_alive(self) -> bool:
        """Whether it can take a trial once it has none."""
        return not self._asked_to_end and self._supervisor.poll() is None

    def receive(self) -> int | None:
        """The exit code of its trial, which may be its own; None while that runs."""
        answer = self.read(1)
        if answer is None:
            return None
        code = answer[0] if answer else self.wait()
        self.trial = None
        return code

    def ask_to_end(self) -> None:
        """Have it ended with its trial; returns at once."""
        self._asked_to_end = True
        super().ask_to_end()

    def wait(self) -> int:
        """Wait until it is gone with its trial, by force when that takes too long; exit code."""
        return wait_for(self._supervisor, self._folder, *([self.trial] if self.trial else []))

    def close(self) -> None:
        """Have it gone."""
        self.ask_to_end()
        self.wait()
        self._channel.close()


class KernelTrial:
    """A trial that a worker runs in a kernel of the trial's own."""

    lost = ""

    def __init__(self, folder: Path, worker: _Worker, request: KernelRequest) -> None:
        """Have *worker* start the kernel; what an earlier attempt left in *folder* is removed."""
        self.folder = folder
        self._worker = worker
        self._code: int | None = None
        make_empty(folder)
        worker.trial = folder
        worker.send(request._replace(folder=str(folder))._asdict())

    def begin(self, task: Task) -> None:
        """Have it run."""
        task.write(self.folder)
        self._worker.send(BEGIN)

    @property
    def pid(self) -> int:
        """Process id of the supervisor of its worker."""
        return self._worker.pid

    def poll(self) -> int | None:
        """The exit code of the trial, whose processes are gone then; None while it runs."""
        if self._code is None:
            self._code = self._worker.receive()
        return self._code

    def fileno(self) -> int | None:
        """A descriptor that becomes readable at the trial's end."""
        return self._worker.fileno() if self._code is None else None

    def ask_to_end(self) -> None:
        """Have the worker ended with every process of the trial; returns at once."""
        if self._code is None:
            self._worker.ask_to_end()

    def wait(self) -> None:
        """Wait until the trial's processes are gone, by force when they take too long."""
        if self._code is None:
            self._worker.wait()
            # It may have come to its end before its worker did.
            self._code = self._worker.receive()


class Standby:
    """The workers of an experiment: busy, waiting for a trial, or free."""

    def __init__(self, spec: Mapping[str, Any], folder: Path) -> None:
        """Prepare.

        Args:
            spec: The `spec` of the `NotebookTrial`.
            folder: The experiment's folder.
        """
        self._request = KernelRequest(
            folder="",
            kernel=spec.get("kernelName", ""),
            directory=spec.get("workingDirectory") or str(folder),
        )
        self._folder = folder
        self._workers: list[_Worker] = []
        self._started = 0
        self._waiting: dict[Path, KernelTrial] = {}

    def prepare(self, folder: Path) -> None:
        """Have a kernel wait for the trial of *folder*, unless a kernel does."""
        if folder not in self._waiting:
            self._waiting[folder] = KernelTrial(folder, self._free_worker(), self._request)

    def start(self, task: Task, folder: Path) -> KernelTrial:
        """Start a trial, in the kernel that waits for it if a kernel does."""
        trial = self._waiting.pop(folder, None)
        if trial is None or trial.poll() is not None:
            trial = KernelTrial(folder, self._free_worker(), self._request)
        trial.begin(task)
        return trial

    def close(self) -> None:
        """End the workers, and those trials that only wait."""
        for worker in self._workers:
            worker.ask_to_end()
        for worker in self._workers:
            worker.close()
        for folder in self._waiting:
            shutil.rmtree(folder, ignore_errors=True)
        self._workers.clear()
        self._waiting.clear()

    def _free_worker(self) -> _Worker:
        for worker in [each for each in self._workers if each.trial is None]:
            if worker.is_alive:
                return worker
            worker.close()
            self._workers.remove(worker)
        self._started += 1
        worker = _Worker(self._folder / f"worker-{self._started}")
        self._workers.append(worker)
        return worker
