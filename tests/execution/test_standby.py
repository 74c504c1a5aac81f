"""Kernels that are started before there is a trial for them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil

from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import Prepared
from hpo_lab.prepare.notebook import prepare_cell
from hpo_lab.store import Store
from hpo_lab.trial.folder import NOTEBOOK
from tests.processes import processes_below

from .conftest import Tuned

WHO = """
import os, psutil, time

def waiting():
    for process in psutil.process_iter():
        try:
            folder = process.environ().get("HPO_LAB_TRIAL_FOLDER", "")
            if folder == here[:-1] + "1" and "ipykernel_launcher" in process.cmdline():
                return True
        except psutil.Error:
            continue
    return False

print(os.getpid(), psutil.Process().create_time())
here = os.environ["HPO_LAB_TRIAL_FOLDER"]
while here.endswith("0") and not waiting():
    time.sleep(0.05)
score = x
"""


def test_a_kernel_waits_for_its_trial_and_runs_no_other(tuned: Tuned, store: Store) -> None:
    run = tuned("", WHO, trials=3, parallel=1, isolation="kernel")

    born_before = {}
    for number, one in enumerate(run.trials):
        assert one.trial.state is TrialState.SUCCEEDED
        cells = nbformat.read(run.folder(number) / NOTEBOOK, as_version=4).cells
        (told,) = [output.text for cell in cells for output in cell.outputs]
        pid, born = told.split()
        born_before[pid] = float(born) < (one.trial.started_at or 0)
    assert len(born_before) == 3
    assert [*born_before.values()][:2] == [False, True]
    assert processes_below(store.files) == []
    assert not run.folder(3).exists()


def test_what_waits_ends_with_a_killed_runner(store: Store, tmp_path: Path) -> None:
    options = TuneOptions(
        direction=ObjectiveType.MAXIMIZE,
        metric="score",
        trials=4,
        parallel=1,
        isolation="kernel",
    )
    prepared = prepare_cell(
        "x = 0.5  # tune: uniform(0, 1)\nimport time\ntime.sleep(600)\nscore = x",
        [],
        options,
        where="cell",
        name="victim",
        working_directory=tmp_path,
    )
    record = enrol_prepared(store, Prepared(prepared.experiment, prepared.files)).record
    runner = subprocess.Popen(
        [sys.executable, "-m", "hpo_lab.local", record.uid],
        env={**os.environ, "HPO_LAB_STORE": store.location},
    )
    deadline = time.monotonic() + 60
    while _kernels(store) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _kernels(store) >= 2

    runner.kill()
    runner.wait()

    deadline = time.monotonic() + 20
    while processes_below(store.files) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_below(store.files) == []


def _kernels(store: Store) -> int:
    count = 0
    for process in processes_below(store.files):
        try:
            count += "ipykernel_launcher" in process.cmdline()
        except psutil.Error:
            continue
    return count
