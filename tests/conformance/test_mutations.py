"""Manifests that are broken at random: never a traceback, and `validate` says what `run` says."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpo_lab.cli import main, running
from hpo_lab.prepare.prepared import Prepared
from tests.experiment.optimization_jobs import OPTIMIZATION_JOB

HERE = Path(__file__).parent
MANIFESTS = [
    document
    for path in sorted(HERE.rglob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
    if document and document.get("kind") == "Experiment"
]
POD = {"containers": [{"name": "main", "command": ["sh", "-c", "echo ${trialParameters.lr}"]}]}
FULL = {
    "restartPolicy": "Never",
    "volumes": [{"name": "v", "emptyDir": {}}, {"name": "h", "hostPath": {"path": "/tmp"}}],
    "initContainers": [{"name": "first", "command": ["true"]}],
    "containers": [
        {
            "name": "main",
            "command": ["echo", "loss=${trialParameters.lr}"],
            "args": ["--out=$(OUT)"],
            "workingDir": "/work",
            "env": [
                {"name": "OUT", "value": "/out"},
                {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            ],
            "envFrom": [{"configMapRef": {"name": "c", "optional": True}}],
            "resources": {"limits": {"cpu": "2", "nvidia.com/gpu": 0}},
            "volumeMounts": [{"name": "v", "mountPath": "/v"}, {"name": "h", "mountPath": "/h"}],
        }
    ],
}


def kubeflow_job(kind: str, field: str, *roles: str) -> dict[str, Any]:
    specs = {role: {"replicas": 1, "template": {"spec": POD}} for role in roles}
    return {"apiVersion": "kubeflow.org/v1", "kind": kind, "spec": {field: specs}}


SOUND = [
    OPTIMIZATION_JOB,
    *(document for document in MANIFESTS if document["metadata"]["name"] in ("random-example",)),
    *(
        {
            "apiVersion": "kubeflow.org/v1beta1",
            "kind": "Experiment",
            "metadata": {"name": "sound"},
            "spec": {
                "objective": {"type": "minimize", "objectiveMetricName": "loss"},
                "algorithm": {"algorithmName": "random"},
                "parameters": [
                    {
                        "name": "lr",
                        "parameterType": "double",
                        "feasibleSpace": {"min": "0.1", "max": "0.5"},
                    }
                ],
                "trialTemplate": {
                    "primaryContainerName": "main",
                    "trialParameters": [{"name": "lr", "reference": "lr"}],
                    "trialSpec": job,
                },
            },
        }
        for job in (
            {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {"spec": FULL}}},
            kubeflow_job("PyTorchJob", "pytorchReplicaSpecs", "Master", "Worker"),
            kubeflow_job("TFJob", "tfReplicaSpecs", "Chief", "Worker", "PS"),
            kubeflow_job("MPIJob", "mpiReplicaSpecs", "Launcher", "Worker"),
            kubeflow_job("XGBoostJob", "xgbReplicaSpecs", "Master", "Worker"),
            {
                "apiVersion": "trainer.kubeflow.org/v1alpha1",
                "kind": "TrainJob",
                "spec": {
                    "trainer": {"numNodes": 2, "command": ["echo", "${trialParameters.lr}"]},
                },
            },
        )
    ),
]
WRONG = st.one_of(
    st.sampled_from(
        [
            *(
                None,
                True,
                "",
                "x",
                "main",
                "one two",
                "${trialParameters.lr}",
                "${trial.x}",
                "$(A)",
            ),
            *(0, -1, 3, 2.5, 1e308, 2**31, 10**30, "1e400", "-1", "3", "0xff", "9" * 400),
            *([], {}, [None], [[]], [{}], ["a"], {"a": None}, {"name": 1}, {"name": "main"}),
            *("Job", "batch/v1", "PyTorchJob", "kubeflow.org/v1", "TrainJob", "MPIJob"),
        ]
    ),
    st.text(max_size=5),
)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value inside *value*."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items if isinstance(value, dict | list) else ():
        yield (*at, key)
        if isinstance(item, dict | list):
            yield from places(item, (*at, key))


@st.composite
def broken_manifests(draw: st.DrawFn) -> dict[str, Any]:
    """A manifest of the documents with one to three values removed, renamed or replaced."""
    # Through JSON, so that no two parts are the same object.
    document = json.loads(json.dumps(draw(st.sampled_from(MANIFESTS) | st.sampled_from(SOUND))))
    for _ in range(draw(st.integers(1, 3))):
        inside = [*places(document)]
        templates = [place for place in inside if "trialSpec" in place]
        *parents, last = draw(st.sampled_from(inside) | st.sampled_from(templates or inside))
        holder = document
        for part in parents:
            holder = holder[part]
        match draw(st.sampled_from(["replace", "replace", "wrap", "remove", "rename", "copy"])):
            case "replace":
                holder[last] = copy.deepcopy(draw(WRONG))
            case "wrap":
                holder[last] = [holder[last]]
            case "remove" if len(document) > 1 or parents:
                del holder[last]
            case "rename" if isinstance(last, str):
                holder[f"{last}s"] = holder.pop(last)
            case "copy" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[last]))
    return document


class _Started(Exception):
    """Raised where the experiment would start."""


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(store: object, prepared: Prepared, **_: object) -> None:
        raise _Started

    monkeypatch.setattr(running, "enrol_prepared", start)
    monkeypatch.setattr(running, "stop_described", start)


def outcome(command: str, path: Path) -> tuple[int, Any]:
    """The exit code of *command*, 0 where it would start trials, and the problems."""
    result = CliRunner().invoke(main, [command, str(path), "--json"])
    if isinstance(result.exception, _Started):
        return 0, []
    if not isinstance(result.exception, SystemExit | None):
        raise result.exception
    said = json.loads(result.stdout)
    return result.exit_code, said.get("problems", [])


def agree(document: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "manifest.yaml")
        path.write_text(yaml.safe_dump(document))
        validated, ran = outcome("validate", path), outcome("run", path)
        spec = document.get("spec")
        lacks_template = isinstance(spec, dict) and not spec.get("trialTemplate")
        if document.get("kind") == "OptimizationJob":
            ours = ("trialTemplate", "feasibleSpace", "TrialCount", "objectiveMetricName")
            assert not any(field in each["where"] for each in ran[1] for field in ours), ran
            assert validated == ran
        elif lacks_template and validated[0] == 0:
            assert "is missing" in ran[1][0]["message"]
        else:
            assert validated == ran


@pytest.mark.parametrize("document", SOUND, ids=lambda document: str(document["spec"])[-60:])
def test_the_sound_manifests_are_sound(document: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(document))
    assert outcome("validate", path) == outcome("run", path) == (0, [])


@given(broken_manifests())
@settings(max_examples=150, deadline=None, suppress_health_check=[*HealthCheck])
def test_a_broken_manifest_is_no_traceback_and_validate_says_what_run_says(
    document: dict[str, Any],
) -> None:
    agree(document)
