"""`hpo-lab run NOTEBOOK` starts a fork server before it knows what for."""

from __future__ import annotations

import signal
import sys
from typing import Any

import psutil
import pytest

from hpo_lab.local.place import trial_folder
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
    log = trial_folder(store.folder(record.uid), 0) / LOG
    assert log.read_text().split() == [str(early.pid)]
    assert not is_alive(early)


def is_alive(process: psutil.Process) -> bool:
    """Whether *process* runs; one that nobody has waited for yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


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
    assert [one for one in found if is_alive(one)] == []
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
    wait_until(lambda: not any(map(is_alive, found)))


def test_no_other_command_starts_one(notebook: Any, hpo_lab_process: Any, wait_until: Any) -> None:
    process = hpo_lab_process("validate", notebook(CELL))
    started = []

    def is_done() -> bool:
        started.extend(servers(process))
        return "uniform" in process.stdout

    wait_until(is_done)
    assert process.wait() == 0
    assert started == []
