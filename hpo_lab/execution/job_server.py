"""The fork server of Kubernetes jobs: `python -m hpo_lab.execution.job_server`.

What runs a job here takes longer to import than most programs take to start. So it is imported
once, and a process is forked from it for each trial, see `hpo_lab.execution.forking`. The job's
own programs are started by that process, as ever. It is told what to set up by

    {"kind": KIND, "directory": PATH, "isolation": "auto" | "fork", "log": PATH}
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hpo_lab.execution.fork import finalise, get_ready
from hpo_lab.execution.forking import forget_garbage, serve, take_interrupts
from hpo_lab.trial.checkpoint import open_checkpoint
from hpo_lab.trial.folder import TRIAL_FOLDER, Task
from hpo_lab.trial.trial_kinds import trial_kind
from hpo_lab.trial.work import perform

__all__: list[str] = []


class _Warm:
    """What runs the trials of a kind."""

    log = ""

    def set_up(self, config: dict[str, Any], begin: Callable[[str], None]) -> list[str]:
        """Import it."""
        os.chdir(config["directory"])
        self._run = trial_kind(config["kind"])
        if not self._run.__module__.startswith("hpo_lab."):
            return [f"the kind {config['kind']} is of another package"]
        get_ready()
        forget_garbage()
        return []

    def run(self, task: Task, folder: str, log: int, seed: int) -> bool:
        """Run the job."""
        os.environ[TRIAL_FOLDER] = folder
        take_interrupts()

        def run() -> None:
            open_checkpoint(folder, task.parent)
            self._run(task, Path(folder))

        outcome = perform(run, folder)
        finalise({}, {})
        return outcome.succeeded

    def record_killed(self, task: Task, folder: str) -> None:
        """Write nothing: a job has no notebook."""


def _prepared() -> _Warm:
    # What every job needs, while the runner is still being imported.
    import hpo_lab.experiment.job_status
    import hpo_lab.workload.run  # noqa: F401

    return _Warm()


if __name__ == "__main__":
    serve(_prepared)
    os._exit(0)
