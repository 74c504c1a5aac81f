"""The fork server: `python -m hpo_lab.execution.server`, with its channel as standard input.

It runs the set-up cells of a trial notebook once and then forks a process per trial. The
channel is a socket with a JSON object a line. The first says what to set up:

    {"notebook": PATH, "directory": PATH, "kernel": NAME, "isolation": "auto" | "fork",
     "outputLimit": BYTES | null, "log": PATH}

It answers `{"event": "set-up", "cells": N}` when it begins with so many cells, and
`{"event": "ready", "hazards": [...]}` when it is done; where there are hazards, it runs
nothing unless the isolation is `fork`. Then every

    {"run": ID, "folder": PATH, "task": {...}, "seed": N}

is answered by `ended` (with `code`), and before by `started` (with `pid`) where it takes
longer than a moment; `{"end": ID}` ends a trial. When the channel closes, everything ends.

This process runs none of the user's code once it is ready. It adopts what a dead trial
leaves behind (`PR_SET_CHILD_SUBREAPER`); while it lives, a trial adopts its own.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpo_lab.execution.cells import Execution
from hpo_lab.execution.channel import open_channel
from hpo_lab.execution.fork import end_own_processes, finalise, get_ready, leave_parent
from hpo_lab.execution.forked_trial import open_log, record_killed, run_trial
from hpo_lab.execution.hazards import descriptors, fork_hazards, put_pools_away
from hpo_lab.execution.kernelspec import not_this_interpreter
from hpo_lab.execution.outputs import OUTPUT_LIMIT, Outputs
from hpo_lab.execution.randomness import Randomness
from hpo_lab.execution.rehearsal import rehearse
from hpo_lab.execution.setup import set_up_cells, shared_cells
from hpo_lab.execution.shell import Shell
from hpo_lab.trial.folder import TRIAL_FOLDER, Task
from hpo_lab.trial.supervise import GRACE

__all__ = ["main"]

_MOMENT = 0.05
_NO_OUTCOME = 70
"""Exit code of a fork that failed outside its notebook."""


@dataclass(slots=True)
class _Fork:
    request: dict[str, Any]
    ended: int
    """A descriptor that becomes readable at its end."""
    tell_at: float | None
    """When to tell that it has started; most trials end before, and the runner does not wait."""
    kill_at: float | None = None
    code: int | None = None


class _Warm:
    """A shell that has run the set-up, and the notebook up to there."""

    def __init__(self) -> None:
        """Do what needs no notebook."""
        self.descriptors_before = descriptors()
        self._log = os.memfd_create("set-up")
        self.shell = Shell(self._log)
        rehearse(self.shell)
        _forget_garbage()

    def set_up(self, notebook: dict[str, Any], limit: int) -> None:
        """Run the set-up of *notebook* in the folder where this process is.

        Args:
            notebook: As JSON.
            limit: Bytes that the outputs of a trial may have.
        """
        self.outputs = Outputs(OUTPUT_LIMIT)
        self.shell.emit = self.outputs.take
        self.shell.begin()
        self.descriptors_before |= descriptors()
        self.randomness = Randomness()
        self.execution = Execution(notebook, self.shell, self.outputs)
        self.shell.streams.open()
        self.execution.run(shared_cells(notebook["cells"]), mark={"warm": True})
        self.execution.foresee()
        self.randomness.end_of_set_up()
        self.pending = self.shell.end_loop()
        self.shell.streams.close()
        self.outputs.restrict(limit)
        size = os.lseek(self._log, 0, os.SEEK_END)
        self.log = os.pread(self._log, size, 0).decode(errors="replace")
        put_pools_away()
        get_ready()
        # Copied here, because a copy in a fork would copy the page of every variable.
        self.variables = dict(self.shell.user_ns)
        _forget_garbage()

    def hazards(self) -> list[str]:
        return fork_hazards(self.descriptors_before, self.pending)


def _tell(channel: socket.socket, event: str, **details: Any) -> None:
    with contextlib.suppress(BrokenPipeError):
        channel.sendall(json.dumps({"event": event, **details}).encode() + b"\n")


def _forget_garbage() -> None:
    gc.collect()
    # A collection in a fork would copy every page that it looks at.
    gc.freeze()


class _Server:
    def __init__(self, channel: socket.socket, warm: _Warm) -> None:
        self._channel = channel
        self._warm = warm
        self._forks: dict[int, _Fork] = {}
        self._ended: list[_Fork] = []
        self._orphans: dict[int, float] = {}

    def serve(self) -> None:
        """Serve until the channel closes; what still runs is ended by the supervisor."""
        received = b""
        channel = self._channel.fileno()
        while True:
            forks = self._forks.values()
            busy = self._orphans or any(fork.kill_at or fork.tell_at for fork in forks)
            watched = [channel, *(fork.ended for fork in forks)]
            ready, _, _ = select.select(watched, [], [], _MOMENT if busy else None)
            if channel in ready:
                data = self._channel.recv(1 << 20)
                if not data:
                    return
                *lines, received = (received + data).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))
            self._reap()
            if busy:
                self._kill_late()
                self._tell_started()

    def tell(self, event: str, **details: Any) -> None:
        _tell(self._channel, event, **details)

    def _obey(self, request: dict[str, Any]) -> None:
        if "run" in request:
            self._start(request)
            return
        for pid, fork in self._forks.items():
            if fork.request["run"] == request["end"] and fork.kill_at is None:
                fork.kill_at = time.monotonic() + GRACE
                _signal_tree(pid, signal.SIGTERM)

    def _start(self, request: dict[str, Any]) -> None:
        pid = os.fork()
        if pid == 0:
            self._become(request)
        self._forks[pid] = _Fork(request, os.pidfd_open(pid), time.monotonic() + _MOMENT)

    def _tell_started(self) -> None:
        now = time.monotonic()
        for pid, fork in self._forks.items():
            if fork.tell_at is not None and now >= fork.tell_at:
                fork.tell_at = None
                self.tell("started", run=fork.request["run"], pid=pid)

    def _become(self, request: dict[str, Any]) -> None:
        """Be the trial, in the forked process; does not return."""
        code = _NO_OUTCOME
        try:
            task, folder = Task.from_document(request["task"]), request["folder"]
            others = [fork.ended for fork in self._forks.values()]
            leave_parent(self._channel.detach(), *others)
            warm = self._warm
            log = open_log(folder, warm.log)
            warm.shell.streams.log = log
            os.dup2(log, 1)
            os.dup2(log, 2)
            warm.randomness.renew(request["seed"], warm.variables)
            succeeded = run_trial(task, folder, warm.execution, warm.shell)
            finalise(warm.shell.user_ns, warm.variables)
            code = 0 if succeeded else 1
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            end_own_processes()
            os._exit(code)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            fork = self._forks.pop(pid, None)
            if fork is None:
                self._orphans.pop(pid, None)
                continue
            os.close(fork.ended)
            fork.code = os.waitstatus_to_exitcode(status)
            self._ended.append(fork)
            if fork.code not in (0, 1):
                self._adopt()
                self._record(fork)
        if self._ended and not self._orphans:
            for fork in self._ended:
                code = fork.code or 0
                self.tell("ended", run=fork.request["run"], code=code if code >= 0 else 128 - code)
            self._ended.clear()

    def _record(self, fork: _Fork) -> None:
        """Write the notebook of a trial that was killed."""
        pid = os.fork()
        if pid == 0:
            try:
                task = Task.from_document(fork.request["task"])
                record_killed(task, fork.request["folder"], self._warm.execution)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)

    def _adopt(self) -> None:
        """End the processes that a dead trial left: they are children of this process now."""
        for pid in _children(os.getpid()):
            if pid not in self._forks and pid not in self._orphans:
                self._orphans[pid] = time.monotonic() + GRACE
                _signal_tree(pid, signal.SIGTERM)

    def _kill_late(self) -> None:
        now = time.monotonic()
        if self._orphans:
            self._adopt()
        for pid, at in list(self._orphans.items()):
            if now >= at:
                _signal_tree(pid, signal.SIGKILL)
        for pid, fork in self._forks.items():
            if fork.kill_at is not None and now >= fork.kill_at:
                _signal_tree(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            children += map(int, (task / "children").read_text().split())
    return children


def _signal_tree(pid: int, signum: int) -> None:
    """Signal a process and all below it, the lowest first."""
    with contextlib.suppress(OSError):
        for child in _children(pid):
            _signal_tree(child, signum)
        os.kill(pid, signum)


def main() -> None:
    """Serve the channel at standard input."""
    channel = open_channel()
    os.environ.pop(TRIAL_FOLDER, None)
    # The notebook may not have been chosen yet, and this takes its time.
    warm = _Warm()
    with channel.makefile("rb") as lines:
        # The next request comes only after the answer: the file holds nothing back.
        line = lines.readline()
    if not line:
        # Started in case it was needed, and it was not.
        return
    config = json.loads(line)
    log = os.open(config["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    warm.shell.set_folder(config["directory"])
    reason = not_this_interpreter(config["kernel"])
    hazards = [reason] if reason else []
    if not reason:
        notebook = json.loads(Path(config["notebook"]).read_text(encoding="utf-8"))
        _tell(channel, "set-up", cells=len(set_up_cells(notebook["cells"])))
        warm.set_up(notebook, config["outputLimit"] or OUTPUT_LIMIT)
        if config["isolation"] == "auto":
            hazards = warm.hazards()
    server = _Server(channel, warm)
    server.tell("ready", hazards=hazards)
    if not hazards:
        server.serve()


if __name__ == "__main__":
    main()
    # Handlers that the set-up registered would run for every trial, as in a fresh kernel.
    os._exit(0)
