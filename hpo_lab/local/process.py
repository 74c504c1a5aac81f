"""One trial as a process of this machine, seen from its runner."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from hpo_lab.trial.folder import LOG, TRIAL_FOLDER, Task
from hpo_lab.trial.processes import end_all
from hpo_lab.trial.supervise import GRACE

__all__ = ["TrialProcess", "end_leftovers"]

_MOST_LOOKS = 20
_BETWEEN_LOOKS = 0.05


class TrialProcess:
    """A started trial: its folder, and the supervisor above its processes."""

    def __init__(
        self, folder: Path, task: Task | None = None, *, module: str = "hpo_lab.trial.work"
    ) -> None:
        """Start a trial in *folder*; what an earlier attempt left there is removed.

        Args:
            folder: The trial's folder.
            task: What it is to do; None for a *module* that is told later.
            module: What runs it.
        """
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if task is not None:
            task.write(folder)
        with (folder / LOG).open("ab") as log:
            self._supervisor = subprocess.Popen(
                [
                    *(sys.executable, "-m", "hpo_lab.trial.supervise"),
                    *(str(folder), str(os.getpid()), module),
                ],
                stdin=subprocess.PIPE if task is None else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, TRIAL_FOLDER: str(folder), "PYTHONUNBUFFERED": "1"},
                # A Ctrl-C in the runner's terminal is the runner's to handle.
                start_new_session=True,
            )
        # Linux tells the end of a process by a descriptor; elsewhere it has to be asked for.
        opener = getattr(os, "pidfd_open", None)
        self._ending: int | None = opener(self._supervisor.pid) if opener else None

    def fileno(self) -> int | None:
        """A descriptor that becomes readable at the trial's end, where the system has that."""
        return self._ending

    @property
    def pid(self) -> int:
        """Process id of the supervisor."""
        return self._supervisor.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code of the trial, or None while it runs."""
        code = self._supervisor.poll()
        if code is not None:
            self._forget()
            if code < 0:
                # The supervisor itself was killed and could not end what it stood above.
                end_leftovers(self.folder)
        return code

    def tell(self, request: Mapping[str, Any]) -> None:
        """Send a line of JSON to a module that waits for it; one that is gone gets nothing."""
        assert self._supervisor.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._supervisor.stdin.write(json.dumps(request).encode() + b"\n")
            self._supervisor.stdin.flush()

    def ask_to_end(self) -> None:
        """Tell the supervisor to end every process of the trial; returns at once."""
        with contextlib.suppress(ProcessLookupError):
            self._supervisor.terminate()

    def wait(self) -> None:
        """Wait until the trial's processes are gone, by force when they take too long."""
        try:
            self._supervisor.wait(timeout=2 * GRACE + 2)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
            end_leftovers(self.folder)
        self._forget()

    def _forget(self) -> None:
        if self._supervisor.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._supervisor.stdin.close()
        if self._ending is not None:
            os.close(self._ending)
            self._ending = None


def end_leftovers(folder: Path) -> None:
    """End every process that belongs to the trials at or below *folder*.

    Each process of a trial carries the trial's folder in its environment, which survives
    whatever happened to its parents.
    """
    root = folder.resolve()
    # A process has no environment for a moment while it starts another program, and may start
    # others until it is ended: only two empty looks in a row are believed.
    empty = 0
    for _ in range(_MOST_LOOKS):
        found = _belonging_to(root)
        end_all(found, grace=1.0)
        empty = 0 if found else empty + 1
        if empty == 2:
            return
        time.sleep(_BETWEEN_LOOKS)


def _belonging_to(root: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            marker = process.environ().get(TRIAL_FOLDER)
            if marker and process.pid != os.getpid() and Path(marker).is_relative_to(root):
                found.append(process)
    return found
