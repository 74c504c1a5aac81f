"""An OptimizationJob with every default written out, to be changed in one place at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hpo_lab.experiment.model import ExperimentDocument
from tests.manifest_reading import parse

Change = Callable[[dict[str, Any]], object]

OPTIMIZATION_JOB: dict[str, Any] = {
    "apiVersion": "trainer.kubeflow.org/v1alpha1",
    "kind": "OptimizationJob",
    "metadata": {"name": "tuning", "namespace": "team"},
    "spec": {
        "objectives": [{"metric": "val_loss", "direction": "Minimize"}],
        "searchAlgorithm": {"random": {"seed": 42}},
        "parameters": [
            {
                "name": "learning_rate",
                "searchSpace": {"logUniform": {"min": "0.0001", "max": "0.1", "type": "Float"}},
            },
            {
                "name": "layers",
                "searchSpace": {"uniform": {"min": "1", "max": "8", "type": "Int"}},
            },
            {"name": "batch", "searchSpace": {"categorical": {"choices": ["16", "32"]}}},
        ],
        "numTrials": 20,
        "parallelTrials": 4,
        "trainJobTemplate": {
            "metadata": {"labels": {"team": "vision"}},
            "spec": {
                "runtimeRef": {"name": "torch-distributed"},
                "trainer": {
                    "image": "example/bert",
                    "command": ["python", "train.py"],
                    "env": [{"name": "EPOCHS", "value": "3"}],
                },
                "activeDeadlineSeconds": 600,
            },
        },
    },
}


def changed_job(change: Change = lambda document: None) -> dict[str, Any]:
    document = copy.deepcopy(OPTIMIZATION_JOB)
    change(document)
    return document


def optimization_job(change: Change = lambda document: None) -> ExperimentDocument:
    return parse(changed_job(change))


def of_job(**fields: Any) -> Change:
    """Change fields of the `spec`; None leaves a field out."""

    def change(document: dict[str, Any]) -> None:
        document["spec"].update(fields)
        for name in [name for name, value in fields.items() if value is None]:
            del document["spec"][name]

    return change


def of_space(index: int, **space: Any) -> Change:
    return lambda document: document["spec"]["parameters"][index].update(searchSpace=space)


def of_parameter(index: int, **fields: Any) -> Change:
    return lambda document: document["spec"]["parameters"][index].update(fields)


def of_template(**fields: Any) -> Change:
    return lambda document: document["spec"]["trainJobTemplate"].update(fields)


def of_train_job(**fields: Any) -> Change:
    return lambda document: document["spec"]["trainJobTemplate"]["spec"].update(fields)


def of_trainer(**fields: Any) -> Change:
    return lambda document: document["spec"]["trainJobTemplate"]["spec"]["trainer"].update(fields)
