"""The fork server of functions: `python -m hpo_lab.execution.function_server`.

It loads the pickle of a function once and then forks a process per trial, see
`hpo_lab.execution.forking`. It is told what to set up by

    {"source": PATH, "spec": {...}, "isolation": "auto" | "fork", "log": PATH}

where `spec` is that of the `FunctionTrial`. Where the function cannot be loaded, that is a hazard
too: then every trial tries to in a process of its own, and fails with the traceback.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hpo_lab.execution.fork import finalise, get_ready
from hpo_lab.execution.forking import forget_garbage, serve, take_interrupts
from hpo_lab.execution.hazards import descriptors, fork_hazards, put_pools_away
from hpo_lab.execution.randomness import Randomness
from hpo_lab.trial.checkpoint import open_checkpoint
from hpo_lab.trial.folder import TRIAL_FOLDER, Task
from hpo_lab.trial.function import load_function, report_result, variables_of
from hpo_lab.trial.work import perform

__all__: list[str] = []


class _Warm:
    """A function that was loaded."""

    def __init__(self) -> None:
        """Do what needs no function."""
        # Here, while the runner is still being imported.
        import cloudpickle  # noqa: F401

        self.log = ""
        self._memory = os.memfd_create("set-up")
        self._descriptors = descriptors()
        forget_garbage()

    def set_up(self, config: dict[str, Any], begin: Callable[[str], None]) -> list[str]:
        """Load the function."""
        begin("loading the function")
        self._descriptors |= descriptors()
        self._randomness = Randomness()
        saved = os.dup(1), os.dup(2)
        os.dup2(self._memory, 1)
        os.dup2(self._memory, 2)
        try:
            self._function = load_function(config["spec"], Path(config["source"]))
            _import_modules(config["spec"].get("uses", ()))
        except BaseException as error:
            return [f"it cannot be loaded once for all ({_line(error)})"]
        finally:
            for standard, descriptor in enumerate(saved, start=1):
                os.dup2(descriptor, standard)
                os.close(descriptor)
        self._randomness.end_of_set_up()
        size = os.lseek(self._memory, 0, os.SEEK_END)
        self.log = os.pread(self._memory, size, 0).decode(errors="replace")
        put_pools_away()
        get_ready()
        self._globals = getattr(self._function, "__globals__", {})
        self._globals_before = dict(self._globals)
        self._values = variables_of(self._function)
        forget_garbage()
        if config["isolation"] == "fork":
            return []
        return fork_hazards(self._descriptors, 0, self._values)

    def run(self, task: Task, folder: str, log: int, seed: int) -> bool:
        """Call the function with the values of the trial."""
        os.environ[TRIAL_FOLDER] = folder
        take_interrupts()
        self._randomness.renew(seed, self._values)

        def run() -> None:
            open_checkpoint(folder, task.parent)
            report_result(self._function, task)

        outcome = perform(run, folder)
        # Waits for threads as the end of an interpreter does, and as `multiprocessing` does.
        threading._shutdown()  # type: ignore[attr-defined]
        finalise(self._globals, self._globals_before)
        return outcome.succeeded

    def record_killed(self, task: Task, folder: str) -> None:
        """Write nothing: a function has no notebook."""


def _import_modules(parts: Iterable[str]) -> None:
    """Import the modules of the project that are *parts* of a function.

    So its trials keep them as they are now, also where the function imports them when called.
    """
    from hpo_lab.experiment.function_parts import ORDER

    names = (part.removeprefix(ORDER) for part in parts)
    modules = (
        name.removeprefix("module ") if name.startswith("module ") else name.rpartition(".")[0]
        for name in names
    )
    for module in dict.fromkeys(modules):
        if module and " " not in module and module not in sys.modules:
            # The name may be that of a class, and a module that fails is the trial's to tell.
            with contextlib.suppress(Exception):
                importlib.import_module(module)


def _line(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()


if __name__ == "__main__":
    serve(_Warm)
    # Handlers that loading registered would run for every trial.
    os._exit(0)
