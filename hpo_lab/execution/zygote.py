"""Forks a process per notebook: `python -m hpo_lab.execution.zygote`, for the papermill engine.

Standard input is a socket. Every byte on it comes with the descriptor of another socket,
over which a notebook goes to and fro, a JSON object a line: first

    {"notebook": {...}, "directory": PATH, "environment": {...}}

and then the answers `started` (with `pid`), `start` (`cell`), `text` (`name`, `text`), `end`
(`cell`, `outputs`, `execution_count`, `failed`) and at last `done` (`language_info`, and
`outputs` of all cells where some changed later).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

from ipykernel.ipkernel import IPythonKernel

from hpo_lab.execution.cells import Execution
from hpo_lab.execution.channel import open_channel
from hpo_lab.execution.fork import end_own_processes, finalise, get_ready, leave_parent
from hpo_lab.execution.outputs import Outputs
from hpo_lab.execution.shell import Shell

__all__ = ["main"]

# The engine is asked for a notebook's outputs, all of them.
_NO_LIMIT = 1 << 62


class _Notebook:
    """The execution of a notebook, told over a socket while it goes on."""

    def __init__(self, shell: Shell, outputs: Outputs, channel: socket.socket) -> None:
        self._channel = channel
        self._shell = shell
        self._outputs = outputs
        with channel.makefile("rb") as lines:
            request = json.loads(lines.readline())
        shell.set_environment(request["environment"])
        shell.set_folder(request["directory"])
        self._execution = Execution(request["notebook"], shell, outputs, watch=self._watch)

    def run(self) -> None:
        self.tell("started", pid=os.getpid())
        self._shell.streams.open()
        self._execution.run()
        self._shell.streams.close(last=True)
        cells = self._execution.notebook["cells"]
        self.tell(
            "done",
            language_info=IPythonKernel.language_info,
            # A cell can update what an earlier cell displayed.
            outputs=[cell.get("outputs") for cell in cells] if self._outputs.updated else None,
        )

    def tell(self, event: str, **details: Any) -> None:
        self._channel.sendall(json.dumps({"event": event, **details}).encode() + b"\n")

    def _watch(self, event: str, index: int) -> None:
        if event == "start":
            self.tell("start", cell=index)
            return
        cell = self._execution.notebook["cells"][index]
        self.tell(
            "end",
            cell=index,
            outputs=cell.get("outputs"),
            execution_count=cell.get("execution_count"),
            failed=self._execution.failed,
        )


class _Zygote:
    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._outputs = Outputs(_NO_LIMIT)
        self._notebook: _Notebook | None = None
        self._shell = Shell(os.open(os.devnull, os.O_WRONLY))
        self._shell.emit = self._take
        self._shell.begin()

    def serve(self) -> None:
        while True:
            data, descriptors, _, _ = socket.recv_fds(self._channel, 1, 1)
            if not data:
                return
            if os.fork() == 0:
                self._become(socket.socket(fileno=descriptors[0]))
            os.close(descriptors[0])

    def _take(self, kind: str, content: Mapping[str, Any]) -> None:
        self._outputs.take(kind, content)
        if kind == "stream" and self._notebook is not None:
            self._notebook.tell("text", **content)

    def _become(self, channel: socket.socket) -> None:
        """Run a notebook in the forked process; does not return."""
        try:
            leave_parent(self._channel.detach())
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            before = dict(self._shell.user_ns)
            self._notebook = _Notebook(self._shell, self._outputs, channel)
            self._notebook.run()
            finalise(self._shell.user_ns, before)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            end_own_processes()
            os._exit(0)


def main() -> None:
    """Serve the socket at standard input."""
    channel = open_channel()
    get_ready()
    # The forks are not waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _Zygote(channel).serve()


if __name__ == "__main__":
    main()
    os._exit(0)
