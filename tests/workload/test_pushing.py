"""A trial that pushes metrics as Katib's SDK does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.local.runner import local_runner
from hpo_lab.prepare import Prepared, prepare_manifest, runs_here
from hpo_lab.store import Store
from tests.katib_api.test_pushing import KATIB, REPORT
from tests.workload.conftest import RunJob, job


def test_pushed_metrics_are_observed(run_job: RunJob, store: Store) -> None:
    words = ("python", "-c", REPORT, KATIB, "$(KATIB_TRIAL_NAME)", "acc=0.5", "acc=0.75")
    record = run_job(job(*words), trials=2, collector={"collector": {"kind": "Push"}})
    assert [(one.number, one.value) for one in store.observations(record.uid)] == [
        (0, 0.5),
        (0, 0.75),
        (1, 0.5),
        (1, 0.75),
    ]


ENGINE = """#!{python}
# Stands in for a container engine: has the volumes and variables, but no container.
import os, sys
import hpo_lab
volumes = dict(reversed(one.rsplit(":", 1)) for one in sys.argv if ":/var/run/" in one)
namespace = open(volumes["/var/run/secrets/kubernetes.io/serviceaccount"] + "/namespace").read()
assert namespace == "team" and "grpc_proxy" in sys.argv, sys.argv
hpo_lab.report(acc=0.5)
"""


MANIFEST = """
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {name: one, namespace: team}
spec:
  objective: {type: maximize, objectiveMetricName: acc}
  algorithm: {algorithmName: random}
  maxTrialCount: 1
  parallelTrialCount: 1
  metricsCollectorSpec: {collector: {kind: Push}}
  parameters: [{name: x, parameterType: int, feasibleSpace: {min: "1", max: "9"}}]
  trialTemplate:
    primaryContainerName: main
    trialParameters: [{name: x, reference: x}]
    trialSpec:
      apiVersion: batch/v1
      kind: Job
      spec:
        template:
          spec:
            restartPolicy: Never
            containers: [{name: main, image: trainer, args: ["${trialParameters.x}"]}]
"""


def test_a_container_knows_its_namespace(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = tmp_path / "bin" / "docker"
    engine.parent.mkdir()
    engine.write_text(ENGINE.format(python=sys.executable))
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", str(engine.parent), prepend=os.pathsep)
    manifest = tmp_path / "experiment.yaml"
    manifest.write_text(MANIFEST)
    prepared = runs_here(prepare_manifest(manifest), runtime="docker")
    record = enrol_prepared(store, Prepared(prepared.experiment, prepared.files)).record
    local_runner(store, record.uid).run()
    assert [one.value for one in store.observations(record.uid)] == [0.5]
