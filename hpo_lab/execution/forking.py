"""A process that has what all trials share, and forks a process for each of them.

Its channel is a socket with a JSON object a line. It answers what to set up with
`{"event": "set-up", "what": WORDS}` where that may take its time, and, when it is done, with
`{"event": "ready", "hazards": [...]}`; where there are hazards, it runs nothing. Then every

    {"run": ID, "folder": PATH, "task": {...}, "seed": N}

is answered by `ended` (with `code`), and before by `started` (with `pid`) where it takes
longer than a moment, or by `lost` (with `why`) where the machine could not run it.
`{"end": ID}` ends a trial, and `{"ping": 1}` is answered by `alive`. When the channel closes,
everything ends.

This process runs none of the user's code once it is ready. It adopts what a dead trial
leaves behind (`PR_SET_CHILD_SUBREAPER`); while it lives, a trial adopts its own.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hpo_lab.execution.channel import open_channel, readable
from hpo_lab.execution.fork import end_own_processes, leave_parent
from hpo_lab.trial.folder import LOG, TRIAL_FOLDER, Task, open_own
from hpo_lab.trial.supervise import GRACE

__all__ = ["Warm", "forget_garbage", "open_log", "serve", "take_interrupts"]

_MOMENT = 0.05
_NO_OUTCOME = 70
"""Exit code of a fork that failed outside the user's code."""


class Warm(Protocol):
    """What all trials share.

    Attributes:
        log: What was printed meanwhile, with which the log of each trial begins.
    """

    log: str

    def set_up(self, config: dict[str, Any], begin: Callable[[str], None]) -> list[str]:
        """Make what is shared.

        Args:
            config: What to set up.
            begin: To be called with what begins now and may take its time, in words.

        Returns:
            What a fork would break, which is to be respected.
        """

    def run(self, task: Task, folder: str, log: int, seed: int) -> bool:
        """Run a trial, in a fork; whether it succeeded.

        Args:
            task: The trial.
            folder: Its folder, in which its outcome is left.
            log: Descriptor of its log, which is that of descriptors 1 and 2, too.
            seed: For random numbers that the user's code does not seed.
        """

    def record_killed(self, task: Task, folder: str) -> None:
        """Write what a trial that was killed could not, in a fork."""


def serve(prepare: Callable[[], Warm]) -> None:
    """Serve the channel at standard input.

    Args:
        prepare: Does what can be done before it is known what to set up.
    """
    channel = open_channel()
    os.environ.pop(TRIAL_FOLDER, None)
    warm = prepare()
    with channel.makefile("rb") as lines:
        # The next request comes only after the answer: the file holds nothing back.
        line = lines.readline()
    if not line:
        # Started in case it was needed, and it was not.
        return
    config = json.loads(line)
    log = open_own(config["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    server = _Server(channel, warm)
    hazards = warm.set_up(config, lambda what: server.tell("set-up", what=what))
    server.tell("ready", hazards=hazards)
    if not hazards:
        server.serve()


def take_interrupts() -> None:
    """Take SIGINT in a fork, and in what it starts, as any program does; a kernel ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def forget_garbage() -> None:
    """Collect garbage, so that no fork does: it would copy every page that it looks at."""
    gc.collect()
    gc.freeze()


def open_log(folder: str, earlier: str) -> int:
    """Open the trial's log; it begins with what the set-up wrote."""
    descriptor = open_own(f"{folder}/{LOG}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    if earlier:
        os.write(descriptor, earlier.encode(errors="replace"))
    return descriptor


@dataclass(slots=True)
class _Fork:
    request: dict[str, Any]
    ended: int
    """A descriptor that becomes readable at its end."""
    tell_at: float | None
    """When to tell that it has started; most trials end before, and the runner does not wait."""
    kill_at: float | None = None
    code: int | None = None


class _Server:
    """Forks a process for each trial that it is told to run."""

    def __init__(self, channel: socket.socket, warm: Warm) -> None:
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
            ready = readable(watched, _MOMENT if busy else None)
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
        with contextlib.suppress(BrokenPipeError):
            self._channel.sendall(json.dumps({"event": event, **details}).encode() + b"\n")

    def _obey(self, request: dict[str, Any]) -> None:
        if "run" in request:
            self._start(request)
            return
        if "ping" in request:
            self.tell("alive")
            return
        for pid, fork in self._forks.items():
            if fork.request["run"] == request["end"] and fork.kill_at is None:
                fork.kill_at = time.monotonic() + GRACE
                _signal_tree(pid, signal.SIGTERM)

    def _start(self, request: dict[str, Any]) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            self.tell("lost", run=request["run"], why=f"no process could be made: {error.strerror}")
            return
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
            log = open_log(folder, self._warm.log)
            os.dup2(log, 1)
            os.dup2(log, 2)
            code = 0 if self._warm.run(task, folder, log, request["seed"]) else 1
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
                self._adopt(were_asked=fork.kill_at is not None)
                self._record(fork)
        if self._ended and not self._orphans:
            for fork in self._ended:
                code = fork.code or 0
                self.tell("ended", run=fork.request["run"], code=code if code >= 0 else 128 - code)
            self._ended.clear()

    def _record(self, fork: _Fork) -> None:
        """Write what a trial that was killed could not."""
        pid = os.fork()
        if pid == 0:
            try:
                task = Task.from_document(fork.request["task"])
                self._warm.record_killed(task, fork.request["folder"])
            finally:
                os._exit(0)
        os.waitpid(pid, 0)

    def _adopt(self, *, were_asked: bool = False) -> None:
        """End the processes that a dead trial left: they are children of this process now.

        Args:
            were_asked: Whether they were asked to end with the trial, and may be at it.
        """
        for pid in _children(os.getpid()):
            if pid not in self._forks and pid not in self._orphans:
                self._orphans[pid] = time.monotonic() + GRACE
                if not were_asked:
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


def _below(pid: int) -> list[int]:
    """The processes below a process, each before those below it."""
    with contextlib.suppress(OSError):
        return [each for child in _children(pid) for each in (child, *_below(child))]
    return []


def _signal_tree(pid: int, signum: int) -> None:
    """Signal all processes below a process, which may want to end theirs, and then itself."""
    for each in (*_below(pid), pid):
        with contextlib.suppress(OSError):
            os.kill(each, signum)
