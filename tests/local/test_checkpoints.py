"""Trials that continue from the checkpoints of others, through kills."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from hpo_lab.experiment.space import int as whole
from hpo_lab.experiment.space import uniform
from hpo_lab.experiment.trial import TrialState
from hpo_lab.local.runner import local_runner
from tests.processes import processes_below


def trained(x, epochs):
    # What is written in place of a file that is there is either old or new.
    folder = Path(os.environ["HPO_CHECKPOINT_DIR"])
    state, trial = folder / "epochs", Path(os.environ["HPO_LAB_TRIAL_FOLDER"])
    begun = len(state.read_text().split()) if state.exists() else 0
    with (trial.parent / "begun.txt").open("a") as file:
        file.write(f"{trial.name} {begun}\n")
    for _ in range(begun, epochs):
        time.sleep(0.05)
        done = state.read_text() if state.exists() else ""
        (folder / "part").write_text(f"{done}{x!r}\n")
        (folder / "part").replace(state)
    return x


SPACE = {"x": uniform(0, 1), "epochs": whole(1, 4)}
SETTINGS = (("resource_name", "epochs"), ("eta", "2"))
# R = 4 and eta = 2: the brackets are 4, 2, 1 trials, then 3, 1, then 3.
RUNGS = {("2", "0"): 4, ("2", "1"): 2, ("2", "2"): 1, ("1", "0"): 3, ("1", "1"): 1, ("0", "0"): 3}


def test_hyperband_continues_training_through_kills(store, enrolled):
    record = enrolled(
        trained, space=SPACE, algorithm="hyperband", setting=SETTINGS, parallel=2, trials=100
    )
    for done in (2, 5, 9):
        runner = subprocess.Popen(
            [sys.executable, "-m", "hpo_lab.local", record.uid],
            env={**os.environ, "HPO_LAB_STORE": store.location},
        )
        while sum(t.is_final for t in store.trials(record.uid)) < done and runner.poll() is None:
            time.sleep(0.01)
        while runner.poll() is None and not any(
            trial.state is TrialState.RUNNING for trial in store.trials(record.uid)
        ):
            time.sleep(0.005)
        runner.kill()
        runner.wait()
    local_runner(store, record.uid).run()
    assert processes_below(store.files) == []

    trials = store.trials(record.uid)
    assert {trial.state for trial in trials} == {TrialState.SUCCEEDED}
    assert Counter((t.labels["bracket"], t.labels["rung"]) for t in trials) == RUNGS
    assert sum(trial.attempt - 1 for trial in trials) > 0, "no kill met a running trial"
    (condition,) = [c for c in store.conditions(record.uid) if c.type.value == "Succeeded"]
    assert condition.reason == "ExperimentSuggestionEndReached"
    # Every attempt began where the parent stopped, not where the killed attempt was.
    for line in (store.folder(record.uid) / "begun.txt").read_text().splitlines():
        name, begun = line.split()
        parent = trials[int(name)].parent
        assert int(begun) == (0 if parent is None else trials[parent].assignments["epochs"])
    for trial in trials:
        left = store.folder(record.uid) / f"{trial.number:05d}" / "checkpoint" / "epochs"
        assert left.read_text() == f"{trial.assignments['x']!r}\n" * trial.assignments["epochs"]

    store.delete_experiment(record.uid)
    assert not store.folder(record.uid).exists()


def inherited(x):
    state = Path(os.environ["HPO_CHECKPOINT_DIR"]) / "sum"
    total = x + (float(state.read_text()) if state.exists() else 0.0)
    state.write_text(repr(total))
    return total


def test_a_population_hands_its_checkpoints_on(store, enrolled):
    record = enrolled(
        inherited, algorithm="pbt", setting=(("n_population", "5"),), parallel=3, trials=15
    )
    local_runner(store, record.uid).run()
    trials = store.trials(record.uid)
    assert {trial.state for trial in trials} == {TrialState.SUCCEEDED}
    assert {trial.labels["generation"] for trial in trials} >= {"0", "1", "2"}
    for trial in trials:
        before = 0.0 if trial.parent is None else trials[trial.parent].metrics["score"].latest
        assert trial.metrics["score"].latest == trial.assignments["x"] + before
