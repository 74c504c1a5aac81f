"""A manifest that Katib accepts, to be broken in one place at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hpo_lab.experiment.manifest import Manifest, parse_manifest
from hpo_lab.experiment.model import ExperimentDocument

Change = Callable[[dict[str, Any]], object]

KATIB: dict[str, Any] = {
    "apiVersion": "kubeflow.org/v1beta1",
    "kind": "Experiment",
    "metadata": {"name": "random-example", "namespace": "kubeflow"},
    "spec": {
        "objective": {"type": "maximize", "objectiveMetricName": "accuracy"},
        "algorithm": {"algorithmName": "random"},
        "parallelTrialCount": 3,
        "maxTrialCount": 12,
        "maxFailedTrialCount": 3,
        "parameters": [
            {
                "name": "lr",
                "parameterType": "double",
                "feasibleSpace": {"min": "0.01", "max": "0.03"},
            },
            {
                "name": "layers",
                "parameterType": "int",
                "feasibleSpace": {"min": "2", "max": "5"},
            },
        ],
        "trialTemplate": {
            "primaryContainerName": "training",
            "trialParameters": [
                {"name": "learningRate", "reference": "lr"},
                {"name": "numberLayers", "reference": "layers"},
            ],
            "trialSpec": {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "spec": {
                    "template": {
                        "spec": {
                            "restartPolicy": "Never",
                            "containers": [
                                {
                                    "name": "training",
                                    "image": "example/mnist",
                                    "command": [
                                        "python3",
                                        "mnist.py",
                                        "--lr=${trialParameters.learningRate}",
                                        "--layers=${trialParameters.numberLayers}",
                                    ],
                                }
                            ],
                        }
                    }
                },
            },
        },
    },
}


def changed(change: Change) -> dict[str, Any]:
    document = copy.deepcopy(KATIB)
    change(document)
    return document


def manifest(change: Change = lambda document: None) -> Manifest:
    return parse_manifest(changed(change))


def experiment(change: Change = lambda document: None) -> ExperimentDocument:
    return manifest(change).experiment


def spec(**fields: Any) -> Change:
    return lambda document: document["spec"].update(fields)


def template(**fields: Any) -> Change:
    return lambda document: document["spec"]["trialTemplate"].update(fields)


def job(change: Change) -> Change:
    return lambda document: change(document["spec"]["trialTemplate"]["trialSpec"])


def as_jax_job(job: dict[str, Any]) -> None:
    """Make a JAXJob of one worker of *job*, a Job."""
    worker = {"template": job["spec"]["template"]}
    spec = {"jaxReplicaSpecs": {"Worker": worker}}
    job.update(apiVersion="kubeflow.org/v1", kind="JAXJob", spec=spec)


def pod(**fields: Any) -> Change:
    return job(lambda job: job["spec"]["template"]["spec"].update(fields))


def container(**fields: Any) -> Change:
    return job(lambda job: job["spec"]["template"]["spec"]["containers"][0].update(fields))


def parameter(index: int, **fields: Any) -> Change:
    return lambda document: document["spec"]["parameters"][index].update(fields)


def collector(kind: str, source: Any = None, **fields: Any) -> Change:
    described: dict[str, Any] = {"collector": {"kind": kind, **fields}}
    if source is not None:
        described["source"] = source
    return spec(metricsCollectorSpec=described)
