"""The fork server, and any program of this room, as the process that starts it sees it."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from hpo_lab.trial.supervise import GRACE, start_supervisor

__all__ = ["ForkServer", "Program", "mark_of_server"]

_PROGRAMS = {
    "FunctionTrial": "hpo_lab.execution.function_server",
    "NotebookTrial": "hpo_lab.execution.server",
}
"""The fork servers, by the kind of their trials; all others are jobs."""
_JOBS = "hpo_lab.execution.job_server"

_LOG = "server.log"
_MARK = "server"
_SENDING = 10.0
"""Seconds after which a program that takes no request is given up."""
_ENDING = 2.0
"""Seconds that a server may take to notice that its channel is closed."""


def mark_of_server(folder: Path) -> Path | None:
    """What the last server of the trials below *folder* has as its trial folder, if any."""
    try:
        return Path((folder / _MARK).read_text(encoding="utf-8"))
    except OSError:
        return None


class Program:
    """A program of this room in a process below a supervisor, which obeys lines of JSON."""

    def __init__(self, mark: Path, module: str, log: BinaryIO, cwd: str | None = None) -> None:
        """Start it.

        Args:
            mark: Marks its processes as a trial's folder marks those of the trial.
            module: The program, whose standard input is the socket.
            log: Gets what it prints.
            cwd: Its working directory; None for that of this process.
        """
        self._channel, theirs = socket.socketpair()
        # A program that is stopped reads nothing, and is not waited for when the channel is full.
        seconds = struct.pack("ll", int(_SENDING), 0)
        self._channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)
        with theirs:
            self._supervisor = start_supervisor(
                mark, module, stdin=theirs.fileno(), log=log, cwd=cwd
            )

    def fileno(self) -> int:
        """The descriptor that becomes readable when the program answers or is gone."""
        return self._channel.fileno()

    def send(self, request: Mapping[str, Any]) -> None:
        """Send a request; a request to a dead program is lost, which `read` tells."""
        try:
            self._channel.sendall(json.dumps(request).encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        except BlockingIOError:
            # Half of the request may have gone out: nothing more can be said.
            self._supervisor.kill()

    def read(self, size: int) -> bytes | None:
        """At most *size* bytes that have arrived; None for none yet, empty once it is gone."""
        try:
            return self._channel.recv(size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            return b""

    def ask_to_end(self) -> None:
        """Have everything ended; returns at once."""
        self._supervisor.terminate()


class ForkServer(Program):
    """A fork server in a process of its own, below a supervisor.

    Its processes are marked, as those of a trial are by its folder, by a path of their own:
    when they start, their experiment may not have been chosen yet.
    """

    def __init__(self, kind: str = "NotebookTrial") -> None:
        """Start the server; it imports what it needs and then waits for `set_up`.

        Args:
            kind: The kind of its trials.
        """
        self.kind = kind
        self._mark = Path("/hpo-lab-server", uuid.uuid4().hex)
        self._folder: Path | None = None
        self._received = b""
        # Until there is a place for it, such as for the error of a failed import.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        super().__init__(self._mark, _PROGRAMS.get(kind, _JOBS), self._log, cwd="/")

    def set_up(self, config: Mapping[str, Any], folder: Path) -> None:
        """Have the set-up run.

        Args:
            config: The first message, see the program.
            folder: The folder above those of its trials; gets the server's log.
        """
        self._folder = folder
        (folder / _MARK).write_text(str(self._mark), encoding="utf-8")
        self.send({"log": str(folder / _LOG), **config})

    def receive(self) -> list[dict[str, Any]] | None:
        """The events that have arrived, without waiting; None once the server is gone."""
        while data := self.read(1 << 16):
            self._received += data
        *lines, self._received = self._received.split(b"\n")
        if data is not None and not lines:
            return None
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        """End the server with all its trials, and wait until they are gone."""
        if self._folder is None:
            # It would import to the end before it looked at the channel.
            self._supervisor.terminate()
        # The server ends by itself when the channel closes, unless it runs the set-up or is
        # stopped.
        self._channel.close()
        try:
            self._supervisor.wait(_ENDING)
        except subprocess.TimeoutExpired:
            self._supervisor.terminate()
            try:
                self._supervisor.wait(2 * GRACE + 2)
            except subprocess.TimeoutExpired:
                self._supervisor.kill()
                self._supervisor.wait()
        self._keep_log()

    def _keep_log(self) -> None:
        """Put what was said before the set-up where the rest is."""
        if self._log.closed:
            return
        with self._log as file:
            file.seek(0)
            said = file.read()
        # The experiment may have been deleted meanwhile.
        if said and self._folder is not None and self._folder.exists():
            with (self._folder / _LOG).open("ab") as log:
                log.write(said)
