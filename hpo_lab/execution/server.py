"""The fork server of notebooks: `python -m hpo_lab.execution.server`, its channel as input.

It runs the set-up cells of a trial notebook once and then forks a process per trial, see
`hpo_lab.execution.forking`. It is told what to set up by

    {"notebook": PATH, "directory": PATH, "kernel": NAME, "isolation": "auto" | "fork",
     "outputLimit": BYTES | null, "log": PATH}
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hpo_lab.counting import counted
from hpo_lab.execution.cells import Execution
from hpo_lab.execution.fork import finalise, get_ready
from hpo_lab.execution.forked_trial import record_killed, run_trial
from hpo_lab.execution.forking import forget_garbage, serve
from hpo_lab.execution.hazards import descriptors, fork_hazards, put_pools_away
from hpo_lab.execution.kernelspec import not_this_interpreter
from hpo_lab.execution.outputs import OUTPUT_LIMIT, Outputs
from hpo_lab.execution.randomness import Randomness
from hpo_lab.execution.rehearsal import rehearse
from hpo_lab.execution.setup import set_up_cells, shared_cells
from hpo_lab.execution.shell import Shell
from hpo_lab.trial.folder import Task

__all__: list[str] = []


class _Warm:
    """A shell that has run the set-up, and the notebook up to there."""

    def __init__(self) -> None:
        """Do what needs no notebook."""
        self.descriptors_before = descriptors()
        self._log = os.memfd_create("set-up")
        self.log = ""
        self.shell = Shell(self._log)
        rehearse(self.shell)
        forget_garbage()

    def set_up(self, config: dict[str, Any], begin: Callable[[str], None]) -> list[str]:
        """Run the set-up cells of the notebook."""
        self.shell.set_folder(config["directory"])
        reason = not_this_interpreter(config["kernel"])
        if reason:
            return [reason]
        notebook = json.loads(Path(config["notebook"]).read_text(encoding="utf-8"))
        begin(f"running the {counted(len(set_up_cells(notebook['cells'])), 'set-up cell')}")
        self.outputs = Outputs(OUTPUT_LIMIT)
        self.shell.emit = self.outputs.take
        self.shell.begin()
        self.descriptors_before |= descriptors()
        self.randomness = Randomness()
        self.execution = Execution(notebook, self.shell, self.outputs)
        self.shell.streams.open()
        self.execution.run(shared_cells(notebook["cells"]), mark={"warm": True})
        self.execution.foresee()
        self.randomness.end_of_set_up()
        pending = self.shell.end_loop()
        self.shell.streams.close()
        self.outputs.restrict(config["outputLimit"] or OUTPUT_LIMIT)
        size = os.lseek(self._log, 0, os.SEEK_END)
        self.log = os.pread(self._log, size, 0).decode(errors="replace")
        put_pools_away()
        get_ready()
        # Copied here, because a copy in a fork would copy the page of every variable.
        self.variables = dict(self.shell.user_ns)
        forget_garbage()
        if config["isolation"] == "fork":
            return []
        return fork_hazards(self.descriptors_before, pending, self.variables)

    def run(self, task: Task, folder: str, log: int, seed: int) -> bool:
        """Run the rest of the notebook, with the values of the trial."""
        self.shell.streams.log = log
        self.randomness.renew(seed, self.variables)
        succeeded = run_trial(task, folder, self.execution, self.shell)
        finalise(self.shell.user_ns, self.variables)
        return succeeded

    def record_killed(self, task: Task, folder: str) -> None:
        """Write the notebook."""
        record_killed(task, folder, self.execution)


if __name__ == "__main__":
    # The notebook may not have been chosen yet, and this takes its time.
    serve(_Warm)
    # Handlers that the set-up registered would run for every trial, as in a fresh kernel.
    os._exit(0)
