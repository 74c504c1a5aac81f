"""Experiments whose trials are Kubernetes objects, run by the local runner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.local.place import trial_folder
from hpo_lab.local.runner import local_runner
from hpo_lab.prepare import Prepared
from hpo_lab.store import ExperimentRecord, Store, open_store
from hpo_lab.workload.local_settings import LOCAL, LocalSettings
from tests.manifest_reading import parse

RunJob = Callable[..., ExperimentRecord]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "store" / "hpo_lab.db")
    yield opened
    opened.close()


def job(*command: str, **container: Any) -> dict[str, Any]:
    """A `batch/v1` Job of one container."""
    main = {"name": "main", "image": "x", "command": list(command), **container}
    pod = {"containers": [main], "restartPolicy": "Never"}
    return {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {"spec": pod}}}


def kubeflow_job(kind: str, field: str, **roles: tuple[int, list[str]]) -> dict[str, Any]:
    """A job of the training operator; each role has a number of replicas and a command."""
    specs = {
        role: {
            "replicas": count,
            "template": {"spec": {"containers": [{"name": "main", "command": command}]}},
        }
        for role, (count, command) in roles.items()
    }
    return {"apiVersion": "kubeflow.org/v1", "kind": kind, "spec": {field: specs}}


@pytest.fixture
def run_job(store: Store) -> RunJob:
    """`run_job(job("sh", "-c", "echo acc=$x"))`: run an experiment over `x` in [0, 1]."""

    def run(
        trial_spec: Mapping[str, Any],
        *,
        trials: int = 1,
        parallel: int = 1,
        collector: Mapping[str, Any] | None = None,
        template: Mapping[str, Any] | None = None,
        local: LocalSettings | None = None,
        **spec: Any,
    ) -> ExperimentRecord:
        uses = "${trialParameters.x}" in repr(trial_spec)
        if not uses:
            # Katib wants every parameter used.
            annotations = {"x": "${trialParameters.x}"}
            trial_spec = {**trial_spec, "metadata": {"annotations": annotations}}
        document = {
            "apiVersion": "kubeflow.org/v1beta1",
            "kind": "Experiment",
            "metadata": {
                "name": spec.pop("name", "one"),
                "annotations": spec.pop("annotations", {}),
            },
            "spec": {
                "objective": {"type": "maximize", "objectiveMetricName": "acc"},
                "algorithm": {"algorithmName": "random"},
                "parameters": [
                    {
                        "name": "x",
                        "parameterType": "double",
                        "feasibleSpace": {"min": "0", "max": "1"},
                    }
                ],
                "seed": 1,
                "maxTrialCount": trials,
                "parallelTrialCount": parallel,
                "trialTemplate": {
                    "primaryContainerName": "main",
                    "trialParameters": [{"name": "x", "reference": "x"}],
                    "trialSpec": dict(trial_spec),
                    **(template or {}),
                },
                **({"metricsCollectorSpec": collector} if collector else {}),
                **spec,
            },
        }
        files = {LOCAL: local.file()} if local else {}
        record = enrol_prepared(store, Prepared(parse(document), files)).record
        local_runner(store, record.uid).run()
        found = store.experiment_by_uid(record.uid)
        assert found is not None
        return found

    return run


@pytest.fixture
def log_of(store: Store) -> Callable[..., str]:
    """`log_of(record, 0)`: what a trial printed."""

    def read(record: ExperimentRecord, number: int = 0) -> str:
        return (trial_folder(store.folder(record.uid), number) / "log.txt").read_text()

    return read
