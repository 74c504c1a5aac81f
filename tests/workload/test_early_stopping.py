"""Jobs that are stopped early, whatever collects their metrics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hpo_lab.experiment.trial import TrialState
from hpo_lab.store import Store
from tests.processes import processes_below

from .conftest import RunJob, job, kubeflow_job

RULE = {
    "algorithmName": "medianstop",
    "algorithmSettings": [
        {"name": "min_trials_required", "value": "1"},
        {"name": "start_step", "value": "2"},
    ],
}
# The first trial ends by itself, with values that no other reaches.
CURVE = (
    "if test -e SEEN; then for i in 1 2 3; do echo acc=0.$i {to}; done; sleep 600 & sleep 600; "
    "else touch SEEN; for i in 1 2 3; do echo acc=0.9$i {to}; done; fi"
)
FILE = {
    "collector": {"kind": "File"},
    "source": {"fileSystemPath": {"path": "/logs/metrics.log", "kind": "File"}},
}
PUSH = (
    "from hpo_lab import report; import os, time; seen = os.path.exists('SEEN')\n"
    "open('SEEN', 'w').close()\n"
    "for step in range(1, 4): report(step=step, acc=0.1 if seen else 0.9)\n"
    "time.sleep(600 * seen)"
)


@pytest.mark.parametrize(
    ("trial_spec", "collector"),
    [
        (job("sh", "-c", CURVE.format(to="")), None),
        (job("sh", "-c", CURVE.format(to='>> "$HPO_LAB_METRICS_PATH"')), FILE),
        (job("python", "-c", PUSH), {"collector": {"kind": "Push"}}),
        (
            kubeflow_job(
                "PyTorchJob",
                "pytorchReplicaSpecs",
                Master=(1, ["sh", "-c", CURVE.format(to="")]),
                Worker=(1, ["sleep", "600"]),
            ),
            None,
        ),
    ],
    ids=["stdout", "file", "push", "replicas"],
)
def test_a_job_is_ended_with_all_its_processes(
    run_job: RunJob, store: Store, tmp_path: Path, trial_spec: Any, collector: Any
) -> None:
    trial_spec = json.loads(json.dumps(trial_spec).replace("SEEN", str(tmp_path / "seen")))
    record = run_job(trial_spec, trials=2, collector=collector, earlyStopping=RULE)
    first, second = store.trials(record.uid)
    assert (first.state, second.state) == (TrialState.SUCCEEDED, TrialState.EARLY_STOPPED)
    assert len(store.observations(record.uid, 1)) == 3
    stored = store.trial(record.uid, 1)
    assert stored is not None and stored.reason == "TrialEarlyStopped"
    assert processes_below(store.folder(record.uid)) == []
