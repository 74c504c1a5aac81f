"""Execution of a trial notebook in a kernel, which may have been started ahead."""

from __future__ import annotations

import inspect
import os
import stat
from collections import defaultdict
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from papermill.log import logger
from traitlets.config import Config

from hpo_lab.execution import randomness
from hpo_lab.execution.cells import INJECTED
from hpo_lab.execution.outputs import cut_off
from hpo_lab.trial.supervise import RUNTIME

__all__ = ["ENGINE", "kernel_config", "start_kernel"]

_MODULE = "_hpo_lab_randomness"
ENGINE = "hpo-lab-kernel"
"""The papermill engine of this module."""


def kernel_config(folder: Path) -> Config:
    """How a kernel is talked to: over sockets in a *folder* of its own.

    Kernels that start at the same time can pick the same TCP port. Names of sockets are
    relative to the working directory, which trials share, unless *folder* is a whole path.
    """
    return Config(
        {
            "KernelManager": {
                "transport": "ipc",
                "ip": str(folder / "kernel"),
                "connection_file": str(folder / "kernel.json"),
            },
        }
    )


def start_kernel(name: str, directory: str) -> Any:
    """Start the kernel *name* in *directory*; its manager."""
    client = NotebookClient(
        nbformat.v4.new_notebook(),
        kernel_name=name or "python3",
        config=kernel_config(Path(os.environ[RUNTIME])),
    )
    manager = client.create_kernel_manager()
    client.start_new_kernel(cwd=directory)
    return manager


_ARRIVING = 120
"""Seconds that the outputs of a cell may take to arrive after its end."""
_LOSE_NO_OUTPUT = """
import zmq
thread = getattr(get_ipython().kernel, "iopub_thread", None)
if thread is not None:
    # Otherwise what is put out faster than it is read, more than a thousand messages, is lost.
    thread.schedule(lambda: thread.socket.setsockopt(zmq.XPUB_NODROP, 1))
"""


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    """Takes a kernel over, and outputs until there are too many."""

    def __init__(
        self,
        nb_man: NotebookExecutionManager,
        km: Any,
        output_limit: int,
        seed: int,
        **options: Any,
    ) -> None:
        super().__init__(nb_man, km=km, **options)
        # The kernel ends with the notebook, also a kernel that was started ahead.
        self.owns_km = True
        self._limit = self._left = output_limit
        self._seed = seed
        # After a flood the kernel is done long before its last output has arrived.
        self.iopub_timeout, self.raise_on_iopub_timeout = _ARRIVING, False

    def reset_execution_trackers(self) -> None:
        """Begin; an output widget finds its state also where the state of widgets is not kept."""
        super().reset_execution_trackers()
        self.widget_state: dict[str, Any] = defaultdict(dict)

    def papermill_execute_cells(self) -> None:
        """Execute the notebook, whose random numbers are those of its trial as in a fork."""
        self._do(_LOSE_NO_OUTPUT)
        self._do(f"exec({inspect.getsource(randomness)!r}, module.__dict__)")
        self._do("module.watch = module.Randomness()")
        super().papermill_execute_cells()

    def execute_cell(self, cell: Any, cell_index: int, *args: Any, **options: Any) -> Any:
        """Execute a cell; before that with the trial's values the set-up is over."""
        if INJECTED in cell.metadata.get("tags", ()):
            self._do("module.watch.end_of_set_up()")
            self._do(f"module.watch.renew({self._seed}, get_ipython().user_ns)")
        return super().execute_cell(cell, cell_index, *args, **options)

    def _do(self, statement: str) -> None:
        """Run a *statement* about a module of our own, which leaves no trace in the session."""
        module = f"module = sys.modules.setdefault({_MODULE!r}, type(sys)({_MODULE!r}))"
        source = f"import sys\n{module}\n{statement}"
        # What is executed next waits for it.
        self.kc.execute(
            f"exec({source!r}, {{'get_ipython': get_ipython}})", silent=True, store_history=False
        )

    def _cleanup_kernel(self) -> None:
        """End the kernel, whose last words are not the trial's.

        It is interrupted and asked to end at once, and logs where that met it.
        """
        log = os.fstat(1)
        super()._cleanup_kernel()
        if stat.S_ISREG(log.st_mode):
            os.ftruncate(1, log.st_size)

    def output(self, outs: list[Any], msg: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Take an output; after the last within the limit comes a notice."""
        if self._left < 0:
            return None
        content = msg["content"]
        text = content.get("text")
        put_out = (str(content.get("data", "")) if text is None else text).encode(errors="replace")
        left, self._left = self._left, self._left - len(put_out)
        if self._left >= 0:
            return super().output(outs, msg, *args, **kwargs)
        if text is not None and left:
            fitting = put_out[:left].decode(errors="ignore")
            super().output(outs, {**msg, "content": {**content, "text": fitting}}, *args, **kwargs)
        content = {"name": "stderr", "text": cut_off(self._limit)}
        return super().output(
            outs, {**msg, "msg_type": "stream", "content": content}, *args, **kwargs
        )


class _KernelEngine(Engine):  # type: ignore[misc]
    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any
    ) -> None:
        options.pop("input_path", None)
        _Client(nb_man, kernel_name=kernel_name, log=logger, **options).execute()


papermill_engines.register(ENGINE, _KernelEngine)
