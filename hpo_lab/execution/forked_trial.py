"""What a forked process does: the rest of a trial's notebook, and the trial's files."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from hpo_lab.execution.cells import Execution, parameters_cell
from hpo_lab.execution.executed import Failure, failure_of, name_of, told
from hpo_lab.execution.setup import set_up_cells
from hpo_lab.execution.shell import Shell
from hpo_lab.observation import Outcome
from hpo_lab.trial.checkpoint import open_checkpoint
from hpo_lab.trial.folder import NOTEBOOK, TRIAL_FOLDER, Task, write_outcome
from hpo_lab.trial.report import report_variables, source_of_report

__all__ = ["record_killed", "run_trial"]

_SAVE_FIRST = 1.0
_SAVE_EVERY = 10.0


def run_trial(task: Task, folder: str, execution: Execution, shell: Shell) -> bool:
    """Run the trial of *task* in this process, whose shell has run the set-up.

    The executed notebook and the outcome are left in *folder*.

    Returns:
        Whether it succeeded.
    """
    in_set_up = execution.failed
    os.environ[TRIAL_FOLDER] = folder
    open_checkpoint(folder, task.parent)
    path = f"{folder}/{NOTEBOOK}"
    values = _inject(task, path, execution)
    execution.actions = {
        values: lambda: shell.user_ns.update(task.assignments),
        source_of_report(task.metrics): lambda: report_variables(shell.user_ns, task.metrics),
    }
    shell.streams.tick = _saver(execution, path)
    shell.streams.open()
    try:
        execution.run()
    finally:
        shell.streams.close(last=True)
        failure = execution.complete()
        execution.save(path)
    outcome = _outcome(failure, execution, in_set_up=in_set_up)
    if not outcome.succeeded:
        print(outcome.traceback, file=sys.stderr, flush=True)
    write_outcome(outcome, folder)
    return outcome.succeeded


def record_killed(task: Task, folder: str, execution: Execution) -> None:
    """Leave a notebook for a trial that was killed before it could: the set-up and the values.

    To be called in a fork, because it changes *execution*.
    """
    path = f"{folder}/{NOTEBOOK}"
    if not os.path.exists(path):
        _inject(task, path, execution)
        execution.save(path)


def _inject(task: Task, path: str, execution: Execution) -> str:
    """Insert the cell with the values of the trial; its source."""
    cell = parameters_cell(task.assignments)
    execution.insert(cell)
    record = execution.notebook["metadata"]["papermill"]
    record["parameters"] = dict(task.assignments)
    record["output_path"] = path
    return str(cell["source"])


def _place_in_set_up(execution: Execution) -> str:
    """Which cell of the set-up failed, as a line."""
    cells = set_up_cells(execution.notebook["cells"])
    failed = [n for n, cell in enumerate(cells, start=1) if failure_of([cell])]
    which = f"cell {failed[0]} of {len(cells)}" if failed else "a cell"
    if failed and (name := name_of(cells[failed[0] - 1])):
        which = name
    return f"In the set-up, which all trials share, {which}:\n"


def _outcome(failure: Failure | None, execution: Execution, *, in_set_up: bool) -> Outcome:
    if failure is None:
        return Outcome(succeeded=True, completed_at=time.time())
    message = f"{failure['ename']}: {failure['evalue']}"
    place = _place_in_set_up(execution) if in_set_up else ""
    return Outcome(False, time.time(), message, place + told(failure, execution.notebook["cells"]))


def _saver(execution: Execution, path: str) -> Callable[[], None]:
    """Saves the notebook of a long trial from time to time, for the case that it is killed."""
    due = time.monotonic() + _SAVE_FIRST

    def save() -> None:
        nonlocal due
        begun = time.monotonic()
        if begun >= due:
            execution.save(path)
            took = time.monotonic() - begun
            due = begun + max(_SAVE_EVERY, 20 * took)

    return save
