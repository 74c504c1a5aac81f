"""kill -9 of the runner, again and again: no trial lost, none twice, no process left."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from hpo_lab.experiment.trial import TrialState
from tests.processes import processes_below

TRIALS = 40


def counted(x):
    # A line at the very end: a trial that writes it has come to its end.
    time.sleep(0.1)
    folder = Path(os.environ["HPO_LAB_TRIAL_FOLDER"])
    with (folder.parent / "ends.txt").open("a") as file:
        file.write(f"{folder.name}\n")
    return x


def test_killed_runners_lose_no_trial_and_run_none_twice(store, enrolled):
    record = enrolled(counted, trials=TRIALS, parallel=3)
    rng = random.Random(0)
    for kills in range(11):
        runner = subprocess.Popen(
            [sys.executable, "-m", "hpo_lab.local", record.uid],
            env={**os.environ, "HPO_LAB_STORE": store.location},
        )
        if kills == 10:
            # The eleventh is left alone and finishes what the others began.
            assert runner.wait(timeout=120) == 0
            break
        done = sum(t.is_final for t in store.trials(record.uid))
        # Wait until it is at work, then kill it at a random moment.
        while sum(t.is_final for t in store.trials(record.uid)) <= done and runner.poll() is None:
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.5))
        runner.kill()
        runner.wait()
    assert processes_below(store.files) == []
    trials = store.trials(record.uid)
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert {trial.state for trial in trials} == {TrialState.SUCCEEDED}
    assert sum(trial.attempt - 1 for trial in trials) > 0, "no kill met a running trial"
    observed = Counter(one.number for one in store.observations(record.uid))
    assert observed == Counter(range(TRIALS))
    ends = Counter((store.folder(record.uid) / "ends.txt").read_text().split())
    assert ends == Counter(f"{number:05d}" for number in range(TRIALS))


def waits(x):
    subprocess.Popen(["setsid", "sleep", "600"])
    time.sleep(600)


def test_the_trials_of_a_killed_runner_end_at_once(store, enrolled, tmp_path: Path):
    record = enrolled(waits, trials=2, parallel=2)
    runner = subprocess.Popen(
        [sys.executable, "-m", "hpo_lab.local", record.uid],
        env={**os.environ, "HPO_LAB_STORE": store.location},
    )
    while len(processes_below(store.files)) < 6:
        time.sleep(0.05)
    runner.kill()
    runner.wait()
    deadline = time.monotonic() + 10
    while processes_below(store.files) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_below(store.files) == []
