"""The trial kind `NotebookTrial`: executes the trial notebook through papermill."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hpo_lab.execution.outputs import OUTPUT_LIMIT, plain
from hpo_lab.quick_import import import_nbformat
from hpo_lab.trial.folder import NOTEBOOK, Task
from hpo_lab.trial.supervise import RUNTIME
from hpo_lab.trial.trial_kinds import TrialFailed

__all__ = ["run_notebook"]

kernel: Any = None
"""The manager of a kernel that was started for the trial; None to start a kernel."""


def run_notebook(task: Task, folder: Path) -> None:
    """Execute the notebook with the assignment injected; the executed notebook is left in *folder*.

    Raises:
        TrialFailed: when a cell raised, with the cell's traceback.
    """
    import_nbformat()
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from hpo_lab.execution.kernel_engine import ENGINE, kernel_config

    notebook = nbformat.read(Path(task.source) / NOTEBOOK, as_version=4)
    # papermill formats the path with the parameters.
    output = str(folder / NOTEBOOK).replace("{", "{{").replace("}", "}}")
    try:
        papermill.execute_notebook(
            notebook,
            output,
            parameters=dict(task.assignments),
            engine_name=ENGINE,
            kernel_name=task.spec.get("kernelName"),
            km=kernel,
            seed=task.seed,
            output_limit=task.spec.get("outputLimit") or OUTPUT_LIMIT,
            cwd=task.spec.get("workingDirectory"),
            progress_bar=False,
            stdout_file=sys.stdout,
            stderr_file=sys.stderr,
            # Widget state makes every executed notebook megabytes large.
            store_widget_state=False,
            config=kernel_config(Path(os.environ[RUNTIME])),
        )
    except PapermillExecutionError as error:
        traceback = plain(error.traceback)
        print(traceback, file=sys.stderr)
        raise TrialFailed(f"{error.ename}: {error.evalue}", traceback) from None
