"""The trial kind `NotebookTrial`: executes the trial notebook through papermill."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hpo_lab.execution.executed import failure_of, is_marker, told
from hpo_lab.execution.outputs import OUTPUT_LIMIT
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
        executed = nbformat.read(folder / NOTEBOOK, as_version=4)
        numbered = failure_of(executed.cells)
        ends_without_output = any(
            cell.metadata.get("papermill", {}).get("exception") for cell in executed.cells
        )
        if numbered is None and not ends_without_output:
            # A cell failed that may; papermill has marked it as if it had ended the notebook.
            executed.cells = [cell for cell in executed.cells if not is_marker(cell)]
            nbformat.write(executed, folder / NOTEBOOK)
            return
        failure = numbered[1] if numbered else vars(error)
        traceback = told(failure, executed.cells)
        print(traceback, file=sys.stderr)
        raise TrialFailed(f"{failure['ename']}: {failure['evalue']}", traceback) from None
