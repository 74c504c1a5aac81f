"""A fork server as its user sees it."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpo_lab.trial.supervise import start_supervisor

__all__ = ["ForkServer"]

SERVER_LOG = "server.log"


class ForkServer:
    """A fork server in a process of its own, below a supervisor."""

    def __init__(self, config: Mapping[str, Any], folder: Path) -> None:
        """Start the server; it begins at once to set up.

        Args:
            config: Its first message, see `hpo_lab.warm.server`.
            folder: The folder above those of its trials; gets the server's log.
        """
        self._channel, theirs = socket.socketpair()
        self._received = b""
        with theirs, (folder / SERVER_LOG).open("ab") as log:
            self._supervisor = start_supervisor(
                folder, "hpo_lab.warm.server", stdin=theirs.fileno(), log=log, cwd="/"
            )
        self.send(config)

    def fileno(self) -> int:
        """The descriptor that becomes readable when there are events."""
        return self._channel.fileno()

    def send(self, request: Mapping[str, Any]) -> None:
        """Send a request; one to a dead server is lost, which `receive` tells."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._channel.sendall(json.dumps(request).encode() + b"\n")

    def receive(self) -> list[dict[str, Any]] | None:
        """The events that have arrived, without waiting; None once the server is gone."""
        gone = False
        while not gone:
            try:
                data = self._channel.recv(1 << 16, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except ConnectionResetError:
                data = b""
            self._received += data
            gone = not data
        *lines, self._received = self._received.split(b"\n")
        if gone and not lines:
            return None
        return [json.loads(line) for line in lines]

    def ask_to_end(self) -> None:
        """Have everything ended; returns at once."""
        self._supervisor.terminate()

    def close(self) -> None:
        """End the server with all its trials, and wait until they are gone."""
        # The server ends by itself when the channel closes.
        self._channel.close()
        self._supervisor.wait()
