"""Workers that run one trial after the other, each in a new kernel."""

from __future__ import annotations

from collections import defaultdict

import nbformat
import pytest

from hpo_lab.experiment.model import AlgorithmSetting, EarlyStopping
from hpo_lab.experiment.trial import TrialState
from hpo_lab.store import Store
from hpo_lab.trial.folder import LOG, NOTEBOOK
from tests.processes import processes_below

from .conftest import Tuned

ABOUT_THE_WORKER = """
import os, psutil, subprocess
worker = psutil.Process().parent()
here = os.environ["HPO_LAB_TRIAL_FOLDER"]
assert os.environ["HPO_CHECKPOINT_DIR"] == here + "/checkpoint" and os.path.isdir(here)
subprocess.Popen(["setsid", "sleep", "600"])
above = os.path.dirname(os.environ["JUPYTER_RUNTIME_DIR"])
trials = len([each for each in os.scandir(above) if each.is_dir()])
print("worker", worker.pid, worker.num_fds(), worker.cwd(), len(worker.children()), trials)
score = x
"""


def test_a_worker_runs_many_trials_and_keeps_nothing_of_them(tuned: Tuned, store: Store) -> None:
    run = tuned("", ABOUT_THE_WORKER, trials=8, parallel=1, isolation="kernel")

    found = defaultdict(list)
    for number, one in enumerate(run.trials):
        assert one.trial.state is TrialState.SUCCEEDED, one.trial.message
        (line,) = (run.folder(number) / LOG).read_text().splitlines()
        _, pid, descriptors, directory, children, trials = line.split()
        assert (children, trials) == ("1", "1")
        found[pid].append((int(descriptors), directory))
    # One runs a trial, the other waits for the next.
    assert len(found) == 2
    for seen in found.values():
        assert len(seen) > 2 and len({directory for _, directory in seen}) == 1
        assert seen[-1][0] <= seen[1][0]
    assert processes_below(store.files) == []


ENDS_ONE = """
import os, psutil, signal, subprocess, time
kernel = psutil.Process()
if os.environ["HPO_LAB_TRIAL_FOLDER"].endswith("0"):
    subprocess.Popen(["setsid", "sleep", "600"])
    [kernel, *kernel.parents()][{above}].kill()
    time.sleep(600)
score = x
"""


@pytest.mark.parametrize("victim", ["kernel", "worker", "supervisor"])
def test_what_is_killed_fails_one_trial(tuned: Tuned, store: Store, victim: str) -> None:
    above = ["kernel", "worker", "supervisor"].index(victim)
    run = tuned("", ENDS_ONE.format(above=above), trials=2, parallel=1, isolation="kernel")

    states = [one.trial.state for one in run.trials]
    assert states == [TrialState.FAILED, TrialState.SUCCEEDED]
    assert processes_below(store.files) == []


def test_the_trial_after_one_that_was_stopped_has_a_new_worker(tuned: Tuned, store: Store) -> None:
    run = tuned(
        "",
        "import os, time\nfrom hpo_lab import report\n"
        "first = os.environ['HPO_LAB_TRIAL_FOLDER'].endswith('0')\n"
        "print(os.getppid(), flush=True)\n"
        "report(step=0, score=-1.0 if first else 1.0)\ntime.sleep(600 * first)",
        trials=2,
        parallel=1,
        isolation="kernel",
        early_stopping=EarlyStopping(
            algorithm_name="threshold",
            algorithm_settings=(AlgorithmSetting(name="lower", value="0"),),
        ),
    )

    states = [one.trial.state for one in run.trials]
    assert states == [TrialState.EARLY_STOPPED, TrialState.SUCCEEDED]
    workers = {(run.folder(number) / LOG).read_text().split()[0] for number in range(2)}
    assert len(workers) == 2
    assert processes_below(store.files) == []


def test_what_a_kernel_says_at_its_end_is_not_in_the_log(tuned: Tuned) -> None:
    run = tuned(
        "",
        "import atexit, os\nlog = open(os.environ['HPO_LAB_TRIAL_FOLDER'] + '/log.txt', 'a')\n"
        "atexit.register(log.write, 'last words')\nprint('of the trial')\nscore = x",
        trials=2,
        isolation="kernel",
    )

    assert [(run.folder(n) / LOG).read_text() for n in range(2)] == ["of the trial\n"] * 2


@pytest.mark.parametrize(
    ("flood", "limit", "kept"),
    [
        ("print('é' * 2**20)", 2**20, "é" * 2**19),
        ("print('数' * 1000)", 1000, "数" * 333),
        (
            "for i in range(4000): print(i, flush=True)",
            2**20,
            "".join(f"{i}\n" for i in range(4000)),
        ),
    ],
    # The environment of a process has no room for a mebibyte in the name of a test.
    ids=["two bytes", "three bytes", "lines"],
)
def test_the_first_bytes_of_a_flood_are_kept(
    tuned: Tuned, flood: str, limit: int, kept: str
) -> None:
    source = f"{flood}\nscore = x"
    run = tuned("", source, trials=1, parallel=1, isolation="kernel", trial_output=limit)
    assert run.trials[0].trial.state is TrialState.SUCCEEDED, run.trials[0].trial.message
    executed = nbformat.read(run.folder(0) / NOTEBOOK, as_version=4)
    outputs = [out for cell in executed.cells for out in cell.get("outputs", ())]
    assert "".join(out.text for out in outputs if out.get("name") == "stdout") == kept
    notices = [out.text for out in outputs if out.get("name") == "stderr"]
    assert [f"cut off after {limit} bytes" in notice for notice in notices] == (
        [True] if len(kept.encode()) > limit - 3 else []
    )
