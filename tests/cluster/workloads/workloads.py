"""Templates of every kind of workload, and what a trial of them runs."""

from __future__ import annotations

import copy
from typing import Any

from hpo_lab.cluster.workloads.options import CheckpointVolume, Reporting, WorkloadOptions
from hpo_lab.cluster.workloads.rendered import render_workload
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.trial import Trial
from tests.experiment.manifests import KATIB
from tests.manifest_reading import parse

OPTIONS = WorkloadOptions(reporting=Reporting("https://collector:8443", ca_config_map="hpo-lab-ca"))
WITH_CHECKPOINTS = WorkloadOptions(checkpoints=CheckpointVolume("checkpoints"))
OWNER: dict[str, Any] = {
    "apiVersion": "hpolab.dev/v1beta1",
    "kind": "Trial",
    "metadata": {
        "name": "random-example-t00007",
        "namespace": "kubeflow",
        "uid": "t-7",
        "ownerReferences": [{"uid": "e-1", "controller": True}],
    },
}


def container(**fields: Any) -> dict[str, Any]:
    command = ["train", "--lr=${trialParameters.lr}", "--layers=${trialParameters.layers}"]
    return {"name": "training", "image": "example/mnist", "command": command, **fields}


def pod(**fields: Any) -> dict[str, Any]:
    return {"spec": {"containers": [container()], **fields}}


def workload(version: str, kind: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "spec": spec}


WORKLOADS: dict[str, dict[str, Any]] = {
    "Job": workload("batch/v1", "Job", template=pod(restartPolicy="Never")),
    "PyTorchJob": workload(
        "kubeflow.org/v1",
        "PyTorchJob",
        pytorchReplicaSpecs={
            "Master": {"replicas": 1, "template": pod()},
            "Worker": {"replicas": 2, "template": pod()},
        },
    ),
    "TFJob": workload(
        "kubeflow.org/v1", "TFJob", tfReplicaSpecs={"Worker": {"replicas": 2, "template": pod()}}
    ),
    "MPIJob": workload(
        "kubeflow.org/v2beta1",
        "MPIJob",
        mpiReplicaSpecs={"Launcher": {"template": pod()}, "Worker": {"template": pod()}},
    ),
    "XGBoostJob": workload(
        "kubeflow.org/v1", "XGBoostJob", xgbReplicaSpecs={"Master": {"template": pod()}}
    ),
    "TrainJob": workload(
        "trainer.kubeflow.org/v1alpha1",
        "TrainJob",
        runtimeRef={"name": "torch-distributed"},
        trainer={"image": "example/mnist", "command": container()["command"]},
    ),
    "JobSet": workload(
        "jobset.x-k8s.io/v1alpha2",
        "JobSet",
        replicatedJobs=[
            {"name": "workers", "template": {"spec": {"template": pod(restartPolicy="Never")}}}
        ],
    ),
    "RayJob": workload(
        "ray.io/v1",
        "RayJob",
        entrypoint="python train.py",
        rayClusterSpec={
            "headGroupSpec": {"template": pod()},
            "workerGroupSpecs": [{"groupName": "small", "template": pod()}],
        },
    ),
    "Workflow": workload(
        "argoproj.io/v1alpha1",
        "Workflow",
        entrypoint="train",
        templates=[{"name": "train", "container": container()}],
    ),
    "PipelineRun": workload(
        "tekton.dev/v1",
        "PipelineRun",
        pipelineSpec={"tasks": [{"name": "train", "taskSpec": {"steps": [container()]}}]},
    ),
    "Pod": {"apiVersion": "v1", "kind": "Pod", **pod(restartPolicy="Never")},
    "VolcanoJob": workload(
        "batch.volcano.sh/v1alpha1", "Job", tasks=[{"name": "worker", "template": pod()}]
    ),
}


def experiment(
    trial_spec: dict[str, Any], labels: dict[str, str] | None = None, **spec: Any
) -> ExperimentDocument:
    document = copy.deepcopy(KATIB)
    document["apiVersion"] = "hpolab.dev/v1beta1"
    if labels:
        document["metadata"]["labels"] = labels
    document["spec"]["trialTemplate"] = {
        "primaryContainerName": "training",
        "trialSpec": copy.deepcopy(trial_spec),
        "successCondition": 'status.conditions.#(type=="Complete")#|#(status=="True")#',
        "failureCondition": 'status.conditions.#(type=="Failed")#|#(status=="True")#',
    }
    document["spec"] |= spec
    return parse(document)


def rendered(
    trial_spec: dict[str, Any],
    options: WorkloadOptions = OPTIONS,
    *,
    labels: dict[str, str] | None = None,
    attempt: int = 1,
    parent: int | None = None,
    **spec: Any,
) -> dict[str, Any]:
    trial = Trial(7, {"lr": 0.05, "layers": 5}, attempt=attempt, parent=parent)
    described = experiment(trial_spec, labels, **spec)
    return render_workload(described, trial, OWNER, options, seed=11)
