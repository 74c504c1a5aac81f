"""What a fork does is done a few times before the first fork.

The interpreter fits itself to what it runs (PEP 659), fills its caches, and imports and binds
what it meets for the first time. A fork does that in vain, and has every page copied to
which it writes meanwhile. With a rehearsal a small trial takes a third less.
"""

from __future__ import annotations

import copy
import os
import tempfile
from pathlib import Path
from typing import Any

from hpo_lab.execution.cells import Execution
from hpo_lab.execution.forked_trial import run_trial
from hpo_lab.execution.forking import open_log
from hpo_lab.execution.outputs import Outputs
from hpo_lab.execution.shell import Shell
from hpo_lab.trial.checkpoint import CHECKPOINT_DIR
from hpo_lab.trial.folder import TRIAL_FOLDER, Task
from hpo_lab.trial.report import source_of_report
from hpo_lab.trial.supervise import RUNTIME

__all__ = ["rehearse"]

_TIMES = 8
"""Code is adapted when it is called for the eighth time."""


def rehearse(shell: Shell) -> None:
    """Run a trial of no experiment in *shell*, before its session begins."""
    environment = dict(os.environ)
    log, saved = shell.streams.log, [os.dup(1), os.dup(2)]
    try:
        with tempfile.TemporaryDirectory(dir=environment.get(RUNTIME)) as place:
            for number in range(_TIMES):
                _run_once(shell, f"{place}/{number}")
    except OSError:
        # Without room for files the rehearsal is left out.
        pass
    finally:
        shell.streams.log = log
        for standard, descriptor in enumerate(saved, start=1):
            os.dup2(descriptor, standard)
            os.close(descriptor)
        for name in (TRIAL_FOLDER, CHECKPOINT_DIR):
            os.environ.pop(name, None)
        os.environ.update(environment)


def _run_once(shell: Shell, folder: str) -> None:
    task = Task("rehearsal", 0, {}, {"x": 0.5}, ("score",), "")
    outputs = Outputs(1 << 20)
    shell.emit = outputs.take
    execution = Execution(copy.deepcopy(_NOTEBOOK), shell, outputs)
    execution.foresee()
    Path(folder).mkdir()
    log = shell.streams.log = open_log(folder, "")
    try:
        for standard in (1, 2):
            os.dup2(log, standard)
        run_trial(task, folder, execution, shell)
    finally:
        shell.streams.close()
        os.close(log)


def _cell(source: str, *tags: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "rehearsal",
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "source": source,
    }


_NOTEBOOK = {
    "cells": [
        _cell("x = 0", "parameters"),
        _cell("score = x\nprint(score)"),
        _cell(source_of_report(["score"])),
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}
