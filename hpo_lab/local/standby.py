"""Workers that have a kernel started before there is a trial for them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpo_lab.local.process import TrialProcess
from hpo_lab.trial.folder import Task

__all__ = ["Standby"]

_MODULE = "hpo_lab.notebook.standby"


class Standby:
    """The waiting workers of an experiment, each of which runs one trial and ends."""

    def __init__(self, spec: Mapping[str, Any], folder: Path) -> None:
        """Prepare.

        Args:
            spec: The `spec` of the `NotebookTrial`.
            folder: The experiment's folder.
        """
        self._wanted = {
            "kernel": spec.get("kernelName", ""),
            "directory": spec.get("workingDirectory") or str(folder),
        }
        self._waiting: dict[Path, TrialProcess] = {}

    def prepare(self, folder: Path) -> None:
        """Have a worker wait for the trial of *folder*, unless one does."""
        if folder not in self._waiting:
            process = TrialProcess(folder, module=_MODULE)
            process.tell(self._wanted)
            self._waiting[folder] = process

    def start(self, task: Task, folder: Path) -> TrialProcess:
        """Start a trial, with the worker that waits for it where there is one."""
        process = self._waiting.pop(folder, None)
        if process is None or process.exit_code is not None:
            return TrialProcess(folder, task)
        task.write(folder)
        process.tell({})
        return process

    def close(self) -> None:
        """End the workers that still wait."""
        for process in self._waiting.values():
            process.ask_to_end()
        for folder, process in self._waiting.items():
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)
        self._waiting.clear()
