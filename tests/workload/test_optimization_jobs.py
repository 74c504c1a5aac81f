"""OptimizationJobs of Kubeflow Trainer, run on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hpo_lab.experiment.manifest import dump_document
from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.local.runner import local_runner
from hpo_lab.prepare import prepare_manifest, runs_here
from hpo_lab.problems import InvalidInput
from hpo_lab.store import ExperimentRecord, Store
from tests.experiment.optimization_jobs import (
    Change,
    changed_job,
    of_job,
    of_space,
    of_train_job,
    of_trainer,
)

REPORTS = """
import os, hpo_lab
names = ("LEARNING_RATE", "LAYERS", "BATCH")
values = [os.environ["KUBEFLOW_TRAINER_OPT_" + name] for name in names]
print(*values, sep="|")
hpo_lab.report(val_loss=float(values[0]))
hpo_lab.report(val_loss=int(values[1]))
"""
PUSHES = """
import json, os, ssl
from urllib import request
url, token = os.environ["KUBEFLOW_TRAINER_SERVER_URL"], os.environ["KUBEFLOW_TRAINER_SERVER_TOKEN"]
certificates = ssl.create_default_context(cafile=os.environ["KUBEFLOW_TRAINER_SERVER_CA_CERT"])
for value in ("0.5", "0.75"):
    status = {"progressPercentage": 45, "metrics": [{"name": "val_loss", "value": value}]}
    headers = {"Authorization": "Bearer " + open(token).read(), "Content-Type": "application/json"}
    post = request.Request(url, json.dumps({"trainerStatus": status}).encode(), headers)
    assert request.urlopen(post, context=certificates).status == 200
"""


def run(store: Store, folder: Path, *changes: Change) -> ExperimentRecord:
    """Run the OptimizationJob after *changes*."""
    document = changed_job()
    for change in changes:
        change(document)
    path = folder / "job.yaml"
    path.write_text(dump_document(document))
    record = enrol_prepared(store, runs_here(prepare_manifest(path))).record
    local_runner(store, record.uid).run()
    now = store.experiment_by_uid(record.uid)
    assert now is not None
    return now


def refused(folder: Path, change: Change) -> str:
    path = folder / "job.yaml"
    path.write_text(dump_document(changed_job(change)))
    with pytest.raises(InvalidInput) as raised:
        runs_here(prepare_manifest(path))
    return "\n".join(map(str, raised.value.problems))


def test_trials_have_their_values_as_variables(store: Store, tmp_path: Path, log_of: Any) -> None:
    # No shell reads the words of the command.
    show = "import sys; print(sys.argv[-2:]);"
    command = ["python", "-c", show + REPORTS, "a  'b'", "$(KUBEFLOW_TRAINER_OPT_BATCH)"]
    choices = ["$(HOME) $$ '\"", "${x}"]
    record = run(
        store,
        tmp_path,
        of_trainer(command=command),
        of_space(2, categorical={"choices": choices}),
        of_job(numTrials=3, parallelTrials=2),
    )
    trials = list(store.trials(record.uid))
    assert [trial.state for trial in trials] == [TrialState.SUCCEEDED] * 3
    for trial in trials:
        values = trial.assignments
        words, printed = log_of(record, trial.number).splitlines()[:2]
        assert words == str(["a  'b'", values["batch"]])
        assert printed == f"{values['learning_rate']}|{values['layers']}|{values['batch']}"
        # The latest value counts.
        metric = trial.metrics["val_loss"]
        assert metric.latest == values["layers"]


def test_metrics_come_by_the_progress_interface_of_trainer(store: Store, tmp_path: Path) -> None:
    record = run(
        store,
        tmp_path,
        of_trainer(command=["python", "-c", PUSHES]),
        of_job(numTrials=1, parallelTrials=1),
    )
    assert [each.value for each in store.observations(record.uid)] == [0.5, 0.75]
    (trial,) = store.trials(record.uid)
    assert trial.state is TrialState.SUCCEEDED


def test_a_grid_goes_through_the_choices(store: Store, tmp_path: Path) -> None:
    script = (
        'import os, hpo_lab; hpo_lab.report(val_loss=float(os.environ["KUBEFLOW_TRAINER_OPT_N"]))'
    )
    choices = {"name": "n", "searchSpace": {"categorical": {"choices": ["3", "1", "2"]}}}
    record = run(
        store,
        tmp_path,
        of_job(searchAlgorithm={"grid": {}}, parameters=[choices], numTrials=10, parallelTrials=1),
        of_trainer(command=["python", "-c", script]),
    )
    trials = store.trials(record.uid)
    assert [trial.assignments["n"] for trial in trials] == ["3", "1", "2"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            of_trainer(command=None),
            "spec.trainJobTemplate: node: container 'node' has no command, and that of its image "
            "is not known here; write it down, or use --runtime docker",
        ),
        (
            of_train_job(initializer={"dataset": {"storageUri": "s3://a/b"}}),
            "spec.trainJobTemplate.spec.initializer: loads data or a model in pods of its own, "
            "which is not done here; have them on this machine and leave it out",
        ),
        (
            of_train_job(runtimePatches=[{"manager": "me"}]),
            "spec.trainJobTemplate.spec.runtimePatches: changes pods of the training runtime, "
            "which is not here; leave it out",
        ),
        (
            of_train_job(suspend=True),
            "spec.trainJobTemplate.spec.suspend: is true, and nothing here would resume the "
            "TrainJob; leave it out",
        ),
    ],
)
def test_what_cannot_be_done_here_is_refused(change: Change, said: str, tmp_path: Path) -> None:
    assert refused(tmp_path, change) == said


def test_a_time_limit_ends_a_trial(store: Store, tmp_path: Path) -> None:
    record = run(
        store,
        tmp_path,
        of_trainer(command=["sleep", "600"]),
        of_train_job(activeDeadlineSeconds=1),
        of_job(numTrials=1, parallelTrials=1),
    )
    (trial,) = store.trials(record.uid)
    assert trial.state is TrialState.FAILED
