"""The process that runs a job is forked from one that has imported what that needs."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from hpo_lab.experiment.trial import TrialState
from hpo_lab.store import ExperimentRecord, Store
from tests.processes import processes_below
from tests.workload.conftest import RunJob, job

WHO = """
import os, psutil, signal
above = psutil.Process().parent()
print(f"acc={above.parent().pid}")
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
assert os.getcwd() != "/"
"""


def test_the_jobs_of_an_experiment_have_a_server(run_job: RunJob, store: Store) -> None:
    record = run_job(job(sys.executable, "-c", WHO), trials=3)
    trials = store.trials(record.uid)
    assert {trial.state for trial in trials} == {TrialState.SUCCEEDED}
    assert len({trial.metrics["acc"].latest for trial in trials}) == 1
    assert processes_below(store.files) == []


def test_a_job_that_takes_too_long_is_asked_to_end_once(
    run_job: RunJob, store: Store, log_of: Callable[..., str]
) -> None:
    program = "trap 'echo asked; sleep 1; exit' TERM; echo acc=1; sleep 600 & wait"
    record = run_job(job("sh", "-c", program), trialActiveDeadlineSeconds=6)
    assert log_of(record).count("asked") == 1
    assert processes_below(store.files) == []


KILLS = """
import os, psutil, signal, subprocess, time
subprocess.Popen(["setsid", "sleep", "600"])
process = psutil.Process()
for _ in range({above}):
    process = process.parent()
process.kill()
time.sleep(600)
"""


@pytest.mark.parametrize("above", [0, 1, 2, 3], ids=["program", "fork", "server", "supervisor"])
def test_whoever_is_killed_nothing_is_left(run_job: RunJob, store: Store, above: int) -> None:
    record: ExperimentRecord = run_job(job(sys.executable, "-c", KILLS.format(above=above)))
    (trial,) = store.trials(record.uid)
    assert trial.state is TrialState.FAILED
    assert processes_below(store.files) == []
