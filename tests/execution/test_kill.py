"""kill -9 of any process between the runner and what a trial started leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import Prepared
from hpo_lab.prepare.notebook import prepare_cell
from hpo_lab.store import Store
from tests.processes import processes_below

CELL = (
    "x = 0.5  # tune: uniform(0, 1)\nimport subprocess, time\n"
    "subprocess.Popen(['setsid', 'sleep', '600'])\n"
    "subprocess.Popen(['sleep', '600'])\ntime.sleep(600)\nscore = x"
)


@pytest.mark.parametrize("victim", ["runner", "supervisor", "server", "trial"])
def test_nothing_is_left(victim: str, store: Store, tmp_path: Path) -> None:
    options = TuneOptions(
        direction=ObjectiveType.MAXIMIZE, metric="score", trials=2, parallel=2, max_failed=1
    )
    prepared = prepare_cell(
        CELL, [], options, where="cell", name="victim", working_directory=tmp_path
    )
    record = enrol_prepared(store, Prepared(prepared.experiment, prepared.files)).record
    runner = subprocess.Popen(
        [sys.executable, "-m", "hpo_lab.local", record.uid, "NotebookTrial"],
        env={**os.environ, "HPO_LAB_STORE": store.location},
    )
    deadline = time.monotonic() + 30
    while (
        sum(one.name() == "sleep" for one in processes_below(store.files)) < 4
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    (supervisor,) = psutil.Process(runner.pid).children()
    (server,) = supervisor.children()
    trials = [one for one in server.children() if one.name() != "sleep"]
    assert len(trials) == 2
    chosen = {"runner": runner, "supervisor": supervisor, "server": server, "trial": trials[0]}

    before = processes_below(store.files)

    chosen[victim].kill()

    if victim in ("supervisor", "server"):
        # That is not the trials' fault, so they run again.
        _, alive = psutil.wait_procs(before, timeout=20)
        assert not [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]
        while not any(trial.attempt > 1 for trial in store.trials(record.uid)):
            assert runner.poll() is None
            time.sleep(0.05)
        runner.terminate()
    deadline = time.monotonic() + 20
    while processes_below(store.files) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = processes_below(store.files)
    runner.wait(30)
    assert left == []
