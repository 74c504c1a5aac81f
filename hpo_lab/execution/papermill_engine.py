"""The papermill engine `hpo-lab`: notebooks run in forks of a shell that is already there.

    papermill --engine hpo-lab in.ipynb out.ipynb

A process that has imported IPython is started at the first notebook and forks a process for
each. A notebook that needs another kernel than IPython with this interpreter is left to
papermill's own engine.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.engines import Engine, NBClientEngine, NotebookExecutionManager
from papermill.log import logger

from hpo_lab.execution.kernelspec import not_this_interpreter

__all__ = ["ForkEngine"]

_zygote: tuple[int, socket.socket, subprocess.Popen[bytes]] | None = None


class ForkEngine(Engine):  # type: ignore[misc]
    """Executes a notebook in a forked process."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any
    ) -> None:
        """Execute the notebook of *nb_man*.

        Args:
            nb_man: The notebook and its record.
            kernel_name: Its kernel.
            **options: Those of papermill's own engine; of these `log_output`, `stdout_file`,
                `stderr_file` and `execution_timeout` matter in a fork.
        """
        reason = not_this_interpreter(kernel_name) if sys.platform == "linux" else sys.platform
        if reason:
            logger.info(f"Executing with a kernel: {reason}")
            NBClientEngine.execute_managed_notebook(nb_man, kernel_name, **options)
            return
        timeout: Any = options.get("execution_timeout")
        cells = nb_man.nb.cells
        current = 0
        try:
            for event in _execute(nb_man.nb, timeout):
                match event["event"]:
                    case "start":
                        current = event["cell"]
                        nb_man.cell_start(cells[current], current)
                    case "text":
                        _pass_on(event, options)
                        nb_man.autosave_cell()
                    case "end":
                        _complete(nb_man, event)
                    case "done":
                        nb_man.nb.metadata["language_info"] = event["language_info"]
                        for cell, outputs in zip(cells, event["outputs"] or (), strict=False):
                            if outputs is not None:
                                cell.outputs = nbformat.from_dict(outputs)
        except TimeoutError:
            raise CellTimeoutError.error_from_timeout_and_cell(
                "Cell execution timed out", timeout, cells[current]
            ) from None


def _complete(nb_man: NotebookExecutionManager, event: dict[str, Any]) -> None:
    index = event["cell"]
    cell = nb_man.nb.cells[index]
    if cell.cell_type == "code":
        cell.outputs = nbformat.from_dict(event["outputs"])
        cell.execution_count = event["execution_count"]
    if event["failed"]:
        nb_man.cell_exception(cell, cell_index=index)
    nb_man.cell_complete(cell, cell_index=index)


def _pass_on(event: dict[str, Any], options: Mapping[str, Any]) -> None:
    if options.get("log_output"):
        (logger.info if event["name"] == "stdout" else logger.warning)(event["text"])
    file = options.get(f"{event['name']}_file")
    if file is not None:
        file.write(event["text"])
        file.flush()


def _execute(notebook: Any, timeout: float | None) -> Iterator[dict[str, Any]]:
    """Run *notebook* in a fork; what happens there, as it happens.

    Raises:
        DeadKernelError: The process ended before the notebook did.
        TimeoutError: Nothing happened for *timeout* seconds.
    """
    mine, theirs = socket.socketpair()
    with mine, theirs:
        socket.send_fds(_zygote_channel(), [b"\0"], [theirs.fileno()])
        theirs.close()
        request = {
            "notebook": notebook,
            "directory": os.getcwd(),  # noqa: PTH109
            "environment": dict(os.environ),
        }
        mine.sendall(json.dumps(request).encode() + b"\n")
        mine.settimeout(timeout)
        pid, event = None, None
        try:
            received = b""
            while data := mine.recv(1 << 20):
                *lines, received = (received + data).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    pid = event.get("pid", pid)
                    yield event
        finally:
            if pid is not None and (event is None or event["event"] != "done"):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
        if event is None or event["event"] != "done":
            raise DeadKernelError("Kernel died")


def _zygote_channel() -> socket.socket:
    """The channel of this process's zygote, which is started where there is none."""
    global _zygote
    if _zygote is None or _zygote[0] != os.getpid() or _zygote[2].poll() is not None:
        channel, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "hpo_lab.execution.zygote"],
                stdin=theirs.fileno(),
                cwd="/",
                start_new_session=True,
            )
        _zygote = (os.getpid(), channel, process)
    return _zygote[1]
