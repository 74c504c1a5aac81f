"""A trial as a process of this machine, from the view of its runner."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Protocol

import psutil

from hpo_lab.execution.client import mark_of_server
from hpo_lab.trial.folder import LOG, TRIAL_FOLDER, Task
from hpo_lab.trial.processes import end_all
from hpo_lab.trial.supervise import GRACE, start_supervisor

__all__ = ["RunningTrial", "TrialProcess", "end_leftovers", "make_empty", "wait_for"]

_MOST_LOOKS = 20
_BETWEEN_LOOKS = 0.05


class RunningTrial(Protocol):
    """A started trial."""

    folder: Path

    @property
    def lost(self) -> str:
        """Why the machine ended it, where it did; it is to run again then."""

    @property
    def pid(self) -> int | None:
        """The id of the supervising process; None while the trial has no process."""

    def poll(self) -> int | None:
        """The exit code of the trial, whose processes are gone then; None while it runs."""

    def fileno(self) -> int | None:
        """A descriptor that becomes readable at the trial's end; None where there is none."""

    def ask_to_end(self) -> None:
        """Have every process of the trial ended; returns at once."""

    def wait(self) -> None:
        """Wait until the trial's processes are gone."""


class TrialProcess:
    """A started trial: its folder, and the supervisor above its processes."""

    lost = ""

    def __init__(self, task: Task, folder: Path) -> None:
        """Start a trial in *folder*; files of an earlier attempt are removed."""
        self.folder = folder
        make_empty(folder)
        task.write(folder)
        with (folder / LOG).open("ab") as log:
            self._supervisor = start_supervisor(
                folder, "hpo_lab.trial.work", stdin=subprocess.DEVNULL, log=log
            )
        # Linux signals the end of a process by a descriptor; elsewhere the runner polls.
        opener = getattr(os, "pidfd_open", None)
        self._ending: int | None = opener(self._supervisor.pid) if opener else None

    def fileno(self) -> int | None:
        """A descriptor that becomes readable at the trial's end; None outside Linux."""
        return self._ending

    @property
    def pid(self) -> int:
        """Process id of the supervisor."""
        return self._supervisor.pid

    def poll(self) -> int | None:
        """The exit code of the trial, whose processes are gone then; None while it runs."""
        if self._supervisor.poll() is None:
            return None
        self.wait()
        return self._supervisor.returncode

    def ask_to_end(self) -> None:
        """Tell the supervisor to end every process of the trial; returns at once."""
        self._supervisor.terminate()

    def wait(self) -> None:
        """Wait until the trial's processes are gone; kills them when they take too long."""
        wait_for(self._supervisor, self.folder)
        if self._ending is not None:
            os.close(self._ending)
            self._ending = None


def make_empty(folder: Path) -> None:
    """Make *folder*, without what is in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def wait_for(supervisor: subprocess.Popen[bytes], *folders: Path) -> int:
    """Wait until a supervisor has ended, and return its exit code.

    A supervisor that takes too long is killed.

    Args:
        supervisor: The supervisor.
        *folders: The folders of its trials, whose processes a killed supervisor cannot end.
    """
    try:
        code = supervisor.wait(timeout=2 * GRACE + 2)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        code = supervisor.wait()
    if code < 0:
        for folder in folders:
            end_leftovers(folder)
    return code


def end_leftovers(folder: Path) -> None:
    """End every process that belongs to the trials at or below *folder*.

    Each process of a trial has the trial's folder in its environment, or the mark of the
    server that forked it. The environment stays when the process's parents are gone.
    """
    root = folder.resolve()
    # A process has no environment for a moment while it starts another program, and it may
    # start others until it ends. So the loop stops only after two empty looks in a row.
    empty = 0
    for _ in range(_MOST_LOOKS):
        processes = _belonging_to(root)
        end_all(processes, grace=1.0)
        empty = 0 if processes else empty + 1
        if empty == 2:
            return
        time.sleep(_BETWEEN_LOOKS)


def _belonging_to(root: Path) -> list[psutil.Process]:
    processes = []
    server = mark_of_server(root)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            text = process.environ().get(TRIAL_FOLDER)
            if not text or process.pid == os.getpid():
                continue
            marker = Path(text)
            if marker == server or marker.is_relative_to(root):
                processes.append(process)
    return processes
