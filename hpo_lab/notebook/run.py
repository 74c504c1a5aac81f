"""The trial kind `NotebookTrial`: executes the trial notebook through papermill."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from hpo_lab.notebook.quick_import import import_nbformat
from hpo_lab.trial.folder import NOTEBOOK, Task
from hpo_lab.trial.kinds import TrialFailed

__all__ = ["run_notebook"]


def _runtime() -> str:
    """The folder for this trial's sockets, which its supervisor removes at the end."""
    return os.environ["JUPYTER_RUNTIME_DIR"]


_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def run_notebook(task: Task, folder: Path) -> None:
    """Execute the notebook with the assignment injected; the executed one is left behind.

    Raises:
        TrialFailed: when a cell raised, with the cell's traceback.
    """
    import_nbformat()
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    notebook = nbformat.read(Path(task.source) / NOTEBOOK, as_version=4)
    # papermill formats the path with the parameters.
    output = str(folder / NOTEBOOK).replace("{", "{{").replace("}", "}}")
    try:
        papermill.execute_notebook(
            notebook,
            output,
            parameters=dict(task.assignments),
            kernel_name=task.spec.get("kernelName"),
            cwd=task.spec.get("workingDirectory"),
            progress_bar=False,
            stdout_file=sys.stdout,
            stderr_file=sys.stderr,
            # Widget state makes every executed notebook megabytes large.
            store_widget_state=False,
            # Kernels started at the same time can pick the same TCP port. The sockets' names
            # are relative to the working directory, which trials share, unless given.
            config=Config({"KernelManager": {"transport": "ipc", "ip": f"{_runtime()}/kernel"}}),
        )
    except PapermillExecutionError as error:
        traceback = _ANSI.sub("", "\n".join(error.traceback))
        print(traceback, file=sys.stderr)
        raise TrialFailed(f"{error.ename}: {error.evalue}", traceback) from None
