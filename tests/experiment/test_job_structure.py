"""What is wrong with the structure of the object that a trial runs."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from hpo_lab.experiment.job_structure import structure_problems, structure_warnings

POD = """
spec:
  volumes: [{name: data, emptyDir: {}}]
  containers:
  - name: main
    command: [train]
    env: [{name: A, value: "1"}]
    resources: {limits: {cpu: 500m, memory: 4Gi, nvidia.com/gpu: 1}}
    ports: [{containerPort: 80}]
    livenessProbe: {httpGet: {port: http}}
    volumeMounts: [{name: data, mountPath: /data}]
"""
JOB: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"labels": {"a": "b"}},
    "spec": {"completions": 2, "suspend": False, "template": yaml.safe_load(POD)},
}
PYTORCH: dict[str, Any] = {
    "apiVersion": "kubeflow.org/v1",
    "kind": "PyTorchJob",
    "spec": {"pytorchReplicaSpecs": {"Master": {"replicas": 1, "template": yaml.safe_load(POD)}}},
}
TRAIN: dict[str, Any] = {
    "apiVersion": "trainer.kubeflow.org/v1alpha1",
    "kind": "TrainJob",
    "spec": {"runtimeRef": {"name": "torch"}, "trainer": {"numNodes": 2, "command": ["train"]}},
}


def broken(job: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """*job* with *value* at *path*; the field goes where *value* is an ellipsis."""
    job = copy.deepcopy(job)
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split("/")]
    place: Any = job
    for part in parents:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return job


CONTAINER = "spec/template/spec/containers/0"


@pytest.mark.parametrize("job", [JOB, PYTORCH, TRAIN], ids=["Job", "PyTorchJob", "TrainJob"])
def test_a_sound_object_has_no_problems(job: dict[str, Any]) -> None:
    assert [*structure_problems(job, "job"), *structure_warnings(job, "job")] == []


@pytest.mark.parametrize(
    ("job", "path", "value", "message"),
    [
        (JOB, "spec", ..., "spec: is missing"),
        (JOB, "spec", [1], "spec: found a list; a mapping is needed"),
        (JOB, "spec/template", None, "template: is missing"),
        (JOB, "spec/completions", "two", "completions: found 'two'; an integer is needed"),
        (JOB, "spec/completions", "2", "an integer is needed: write 2, without quotation marks"),
        (JOB, "spec/completions", 1.5, "completions: found 1.5; an integer is needed"),
        (JOB, "spec/completions", True, "completions: found true; an integer is needed"),
        (JOB, "spec/suspend", "true", "true or false is needed: write true, without quotation"),
        (JOB, "metadata/labels/a", 1, 'metadata.labels[a]: found 1; text is needed: write "1"'),
        (JOB, "spec/template/spec", [{}], "spec: found a list; a mapping is needed: leave out"),
        (JOB, "spec/template/spec/containers", {"name": "a"}, "needed: write a dash before 'name'"),
        (JOB, "spec/template/spec/containers", "main", "found 'main'; a list is needed"),
        (JOB, "spec/template/spec/containers/0", None, "found null; a mapping is needed"),
        (JOB, "spec/template/spec/volumes/0/name", ..., "volumes[0].name: is missing"),
        (JOB, f"{CONTAINER}/command", "a 'b c'", 'a list is needed: write ["a", "b c"]'),
        (JOB, f"{CONTAINER}/command", ["a", None], "command[1]: found null; text is needed"),
        (JOB, f"{CONTAINER}/command", ["a", [1]], "command[1]: found a list; text is needed"),
        (JOB, f"{CONTAINER}/env", {"A": "1"}, "env: found a mapping; a list is needed: write a"),
        (JOB, f"{CONTAINER}/env/0", {"nam": "A"}, "name: is missing, found 'nam'"),
        (JOB, f"{CONTAINER}/env/0/value", 0.5, 'found 0.5; text is needed: write "0.5"'),
        (JOB, f"{CONTAINER}/ports/0/containerPort", "http", "found 'http'; an integer is needed"),
        (JOB, f"{CONTAINER}/livenessProbe/httpGet/port", [], "an integer or text is needed"),
        (JOB, f"{CONTAINER}/resources/limits/cpu", "two", "an amount such as 2, 500m or 4Gi"),
        (JOB, f"{CONTAINER}/resources/limits", [], "limits: found a list; a mapping is needed"),
        (PYTORCH, "spec/pytorchReplicaSpecs", ..., "spec.pytorchReplicaSpecs: is missing"),
        (PYTORCH, "spec/pytorchReplicaSpecs/Workers", {}, "is no role; did you mean 'Worker'?"),
        (PYTORCH, "spec/pytorchReplicaSpecs/PS", {}, "is no role; roles are Master, Worker"),
        (PYTORCH, "spec/pytorchReplicaSpecs/Master/replicas", "x", "an integer is needed"),
        (PYTORCH, "spec/pytorchReplicaSpecs/Master/template", [], "a mapping is needed"),
        (TRAIN, "spec/trainer/numNodes", "two", "numNodes: found 'two'; an integer is needed"),
        (TRAIN, "spec/trainer/command", "train", 'a list is needed: write ["train"]'),
    ],
)
def test_what_kubernetes_refuses_is_a_problem(
    job: dict[str, Any], path: str, value: Any, message: str
) -> None:
    problems = [str(problem) for problem in structure_problems(broken(job, path, value), "job")]
    assert message in problems[0]
    assert all(problem.startswith("job.") for problem in problems)


@pytest.mark.parametrize("amount", ["one", 1.5, -1, True, None, "1k", ["1"]])
def test_devices_are_counted(amount: Any) -> None:
    job = broken(JOB, f"{CONTAINER}/resources/limits", {"nvidia.com/gpu": amount})
    (problem,) = structure_problems(job, "job")
    assert problem.where.endswith("limits[nvidia.com/gpu]")
    assert "a whole number of devices is needed" in problem.message


@pytest.mark.parametrize(
    ("job", "path"),
    [
        (JOB, "spec/completions"),
        (JOB, "spec/suspend"),
        (JOB, f"{CONTAINER}/env/0/value"),
        (JOB, f"{CONTAINER}/resources/limits/cpu"),
        (PYTORCH, "spec/pytorchReplicaSpecs/Master/replicas"),
    ],
)
def test_a_placeholder_stands_for_any_scalar(job: dict[str, Any], path: str) -> None:
    assert [*structure_problems(broken(job, path, "${trialParameters.n}"), "job")] == []


@pytest.mark.parametrize(
    ("job", "path", "message"),
    [
        (JOB, "spec/paralelism", "no such field; did you mean 'parallelism'?"),
        (JOB, f"{CONTAINER}/livenessProbe/httpGet/prt", "no such field; did you mean 'port'?"),
        (TRAIN, "spec/trainer/numNode", "no such field; did you mean 'numNodes'?"),
    ],
)
def test_a_field_that_kubernetes_does_not_know_is_a_warning(
    job: dict[str, Any], path: str, message: str
) -> None:
    job = broken(job, path, 1)
    assert [*structure_problems(job, "job")] == []
    (warning,) = structure_warnings(job, "job")
    assert message in warning.message and warning.where == f"job.{path}".replace(
        "/0", "[0]"
    ).replace("/", ".")


def test_other_kinds_and_roles_in_any_case_are_left_alone() -> None:
    other = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": 1}
    volcano = {"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "spec": 1}
    lower = {"master": PYTORCH["spec"]["pytorchReplicaSpecs"]["Master"]}
    for job in (other, volcano, broken(PYTORCH, "spec/pytorchReplicaSpecs", lower)):
        assert [*structure_problems(job, "job"), *structure_warnings(job, "job")] == []
