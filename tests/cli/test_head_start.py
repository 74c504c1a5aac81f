"""`hpo-lab run NOTEBOOK` starts a fork server before it knows what for."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from hpo_lab.local.runner import trial_folder
from hpo_lab.trial.folder import LOG, TRIAL_FOLDER

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="trials are forked on Linux alone")

CELL = "%%tune maximize score --trials 1\nx = 0.5  # tune: uniform(0, 1)\nscore = x\n"
WHO = "import os, psutil\nserver = psutil.Process().parent()\nprint(server.pid)\n"


def servers(process: Any) -> list[psutil.Process]:
    """The supervisor and the server that a command has started."""
    try:
        return [
            one
            for one in psutil.Process(process.pid).children(recursive=True)
            if one.environ().get(TRIAL_FOLDER, "").startswith("/hpo-lab-server/")
        ]
    except psutil.Error:
        return []


def test_the_trials_are_forked_from_it(
    notebook: Any, store: Any, hpo_lab_process: Any, wait_until: Any
) -> None:
    process = hpo_lab_process("run", notebook(CELL + WHO))
    wait_until(lambda: len(servers(process)) == 2)
    _, early = servers(process)
    assert store.experiments() == []

    assert process.wait() == 0
    (record,) = store.experiments()
    log = trial_folder(store, record.uid, 0) / LOG
    assert log.read_text().split() == [str(early.pid)]
    assert not early.is_running()


@pytest.mark.parametrize(
    ("cell", "options", "code"),
    [
        (CELL, ["--trials", "none"], 2),
        (CELL.replace("uniform", "uniforn"), [], 2),
        (CELL, ["--isolation", "kernel"], 0),
    ],
    ids=["bad option", "bad notebook", "kernels"],
)
def test_nothing_is_left_of_one_that_was_not_needed(
    notebook: Any,
    hpo_lab_process: Any,
    wait_until: Any,
    cell: str,
    options: list[str],
    code: int,
) -> None:
    process = hpo_lab_process("run", notebook(cell), *options)
    wait_until(lambda: servers(process))
    found = servers(process)

    assert process.wait() == code
    assert [one for one in found if one.is_running()] == []
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_command_ends_early(
    notebook: Any, hpo_lab_process: Any, wait_until: Any, signum: int
) -> None:
    process = hpo_lab_process("run", notebook(CELL))
    wait_until(lambda: len(servers(process)) == 2)
    found = servers(process)

    process.send(signum)
    assert process.wait() != 0
    wait_until(lambda: not any(one.is_running() for one in found))


def test_no_other_command_starts_one(
    notebook: Any, hpo_lab_process: Any, wait_until: Any, tmp_path: Path
) -> None:
    process = hpo_lab_process("validate", notebook(CELL))
    started = False
    while psutil.pid_exists(process.pid) and "uniform" not in process.stdout:
        started |= bool(psutil.Process(process.pid).children())
    assert process.wait() == 0
    assert not started
