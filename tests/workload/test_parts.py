"""The pure parts: variables, paths, replicas, rendezvous, status, container engines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hpo_lab.experiment.job_status import default_conditions, job_outcome
from hpo_lab.problems import InvalidInput
from hpo_lab.workload.configuration import Configuration
from hpo_lab.workload.container import command_words, expand_references, variables
from hpo_lab.workload.container_engine import container_command
from hpo_lab.workload.container_process import gpu_demand
from hpo_lab.workload.ended_job import ended_job
from hpo_lab.workload.paths import collected_folder, mounts, own_parents, translate
from hpo_lab.workload.rendezvous import hostfile, rendezvous, started
from hpo_lab.workload.replicas import chosen, primary, replicas, retries
from hpo_lab.workload.served import served_url

from .conftest import kubeflow_job


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)-$(B)", "1-$(B)"),
        ("$$(A)", "$(A)"),
        ("$A ${A} $", "$A ${A} $"),
        ("$$$(A)", "$1"),
        ("$(A", "$(A"),
        ("$()", "$()"),
    ],
)
def test_variables_are_expanded_as_the_kubelet_does(text: str, expanded: str) -> None:
    assert expand_references(text, {"A": "1"}) == expanded


def test_variables_of_a_container() -> None:
    container = {
        "command": ["run", "--at=$(WHERE)"],
        "args": ["$(POD)"],
        "env": [
            {"name": "HOST", "value": "here"},
            {"name": "WHERE", "value": "$(HOST):$(PORT)/$(LATER)"},
            {"name": "LATER", "value": "x"},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "T", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a/b']"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {
                "name": "NONE",
                "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": True}},
            },
        ],
        "resources": {"limits": {"cpu": "2"}},
    }
    facts = {"metadata.name": "pod-1", "labels": {"a/b": "yes"}, "annotations": {}}
    found = variables(container, facts, {"PORT": "80", "KEY": "secret"}, Configuration())
    assert found == {
        "HOST": "here",
        "WHERE": "here:80/$(LATER)",
        "LATER": "x",
        "POD": "pod-1",
        "T": "yes",
        "CPU": "2",
        "KEY": "secret",
    }
    assert command_words(container, found) == ["run", "--at=here:80/$(LATER)", "pod-1"]
    with pytest.raises(ValueError, match="KEY: 's' is not on this machine"):
        variables(container, facts, {}, Configuration())


def test_variables_of_config_maps_and_secrets(tmp_path: Path) -> None:
    beside = tmp_path / "beside.yaml"
    beside.write_text(CONFIGURATION)
    configuration = Configuration.read([beside])
    container = {
        "envFrom": [
            {"configMapRef": {"name": "settings"}},
            {"prefix": "S_", "secretRef": {"name": "account"}},
            {"configMapRef": {"name": "elsewhere", "optional": True}},
        ],
        "env": [
            {"name": "depth", "value": "4"},
            {"name": "W", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "width"}}},
            {"name": "T", "valueFrom": {"secretKeyRef": {"name": "account", "key": "token"}}},
        ],
    }
    found = variables(container, {}, {"W": "of this machine"}, configuration)
    secrets = {"S_token": "plain", "S_user": "ada"}
    assert found == {"depth": "4", "width": "64", **secrets, "W": "64", "T": "plain"}
    for source in ({"configMapRef": {"name": "setings"}}, {"secretRef": {"name": "settings"}}):
        with pytest.raises(ValueError, match="is not given; give it by --with FILE"):
            variables({"envFrom": [source]}, {}, {}, configuration)
    key = {"name": "settings", "key": "widht"}
    with pytest.raises(ValueError, match="no entry 'widht'; did you mean 'width'"):
        variables(
            {"env": [{"name": "W", "valueFrom": {"configMapKeyRef": key}}]}, {}, {}, configuration
        )


CONFIGURATION = """
kind: ConfigMap
metadata: {name: settings}
data: {depth: "3", width: "64"}
---
kind: Secret
metadata: {name: account}
data: {token: cGxhaW4=}
stringData: {user: ada}
---
kind: Service
metadata: {name: settings}
"""


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (CONFIGURATION + "---\n" + CONFIGURATION, "describes the ConfigMap 'settings' again"),
        ("{kind: ConfigMap, metadata: {name: a}, data: {k: 3}}", "entry 'k' is 3; text is needed"),
        ("{kind: Secret, metadata: {name: a}, data: {k: plain}}", "text in base64"),
        (None, "cannot be read"),
    ],
)
def test_wrong_config_maps_and_secrets(tmp_path: Path, document: str | None, message: str) -> None:
    path = tmp_path / "beside.yaml"
    if document is not None:
        path.write_text(document)
    with pytest.raises(InvalidInput, match=message):
        Configuration.read([path])


def test_paths_of_a_container() -> None:
    places = {"/train": "/here/t", "/train/deep": "/here/d", "/out": "/here/o"}
    assert translate("--log_dir=/train/metrics", places) == "--log_dir=/here/t/metrics"
    assert translate("echo 1 > /out/a.txt; cat /train/deep", places) == (
        "echo 1 > /here/o/a.txt; cat /here/d"
    )
    for other in ("/training", "data/train", "/data/train", "/out.txt", "~/out", "http://x/out"):
        assert translate(other, places) == other
    assert collected_folder("/var/log/katib/metrics.log", is_directory=False) == "/var/log/katib"
    assert collected_folder("/train/", is_directory=True) == "/train"
    assert collected_folder("/metrics.log", is_directory=False) == "/metrics.log"


def test_parents_of_the_collected_folder_belong_to_the_trial(tmp_path: Path) -> None:
    top = tmp_path / "machine"
    assert [*own_parents(f"{top}/logs/test", [])][:2] == [f"{top}/logs", str(top)]
    assert [*own_parents("/logs", [])] == []
    assert [*own_parents(f"{top}/logs/test", [f"{top}/data"])] == [f"{top}/logs"]
    assert [*own_parents(f"{top}/logs/test", [f"{top}/logs"])] == []
    assert [*own_parents(f"{top}/logs/test", [str(top)])] == []
    (top / "logs" / "test").mkdir(parents=True)  # what a trial left when it ran as root
    assert [*own_parents(f"{top}/logs/test", [])][:2] == [f"{top}/logs", str(top)]
    (top / "logs" / "data").touch()
    assert [*own_parents(f"{top}/logs/test", [])] == []


def test_volumes_that_are_here(tmp_path: Path) -> None:
    pod = {
        "spec": {
            "volumes": [
                {"name": "data", "hostPath": {"path": "/srv/data"}},
                {"name": "scratch", "emptyDir": {}},
                {"name": "claim", "persistentVolumeClaim": {"claimName": "c"}},
            ]
        }
    }
    mounted = [
        {"name": "data", "mountPath": "/data/", "subPath": "a"},
        {"name": "scratch", "mountPath": "/scratch"},
        {"name": "claim", "mountPath": "/claim"},
    ]
    assert mounts(pod, {"volumeMounts": mounted}, tmp_path) == {
        "/data": "/srv/data/a",
        "/scratch": str(tmp_path / "volumes" / "scratch"),
    }
    assert (tmp_path / "volumes" / "scratch").is_dir()


def named(job: dict[str, Any]) -> dict[str, Any]:
    return {**job, "metadata": {"name": "t-0"}}


def test_pytorch_replicas_and_their_variables() -> None:
    job = named(
        kubeflow_job("PyTorchJob", "pytorchReplicaSpecs", Worker=(2, ["w"]), Master=(1, ["m"]))
    )
    found = replicas(job)
    assert [one.name for one in found] == ["master-0", "worker-0", "worker-1"]
    label = {"training.kubeflow.org/job-role": "master"}
    assert primary(found[::-1], label).name == "master-0"
    assert primary(found, {"training.kubeflow.org/replica-index": "1"}).name == "worker-1"
    second = rendezvous(job, found, [4000, 4001, 4002])[2]
    assert second["RANK"] == second["PET_NODE_RANK"] == "2"
    assert second["WORLD_SIZE"] == second["PET_NNODES"] == "3"
    assert (second["MASTER_ADDR"], second["MASTER_PORT"]) == ("127.0.0.1", "4000")
    job["spec"] |= {"nprocPerNode": "2", "elasticPolicy": {"minReplicas": 1, "maxRestarts": 3}}
    first = rendezvous(job, found, [4000, 4001, 4002])[0]
    assert (first["WORLD_SIZE"], first["PET_NNODES"]) == ("6", "1:3")
    assert first["PET_RDZV_ENDPOINT"] == "127.0.0.1:4000" and first["PET_MAX_RESTARTS"] == "3"


def test_a_tensorflow_cluster_leaves_its_evaluator_out() -> None:
    job = named(
        kubeflow_job(
            "TFJob",
            "tfReplicaSpecs",
            PS=(1, ["p"]),
            Worker=(2, ["w"]),
            Chief=(1, ["c"]),
            Evaluator=(1, ["e"]),
        )
    )
    found = replicas(job)
    config = [json.loads(each["TF_CONFIG"]) for each in rendezvous(job, found, [1, 2, 3, 4, 5])]
    assert config[2]["cluster"] == {
        "chief": ["127.0.0.1:1"],
        "worker": ["127.0.0.1:2", "127.0.0.1:3"],
        "ps": ["127.0.0.1:4"],
    }
    assert config[2]["task"] == {"type": "worker", "index": 1}
    assert config[4]["task"] == {"type": "evaluator", "index": 0}
    alone = named(kubeflow_job("TFJob", "tfReplicaSpecs", Chief=(1, ["c"])))
    assert rendezvous(alone, replicas(alone), [1]) == [{}]


def test_other_kinds_of_jobs() -> None:
    jax = named(kubeflow_job("JAXJob", "jaxReplicaSpecs", Worker=(2, ["w"])))
    assert rendezvous(jax, replicas(jax), [7, 8])[1] == {
        "COORDINATOR_ADDRESS": "127.0.0.1",
        "COORDINATOR_PORT": "7",
        "NUM_PROCESSES": "2",
        "PROCESS_ID": "1",
    }
    boost = named(kubeflow_job("XGBoostJob", "xgbReplicaSpecs", Master=(1, ["m"]), Worker=(2, [])))
    worker = rendezvous(boost, replicas(boost), [7, 8, 9])[1]
    assert (worker["RANK"], worker["WORLD_SIZE"], worker["WORKER_PORT"]) == ("1", "3", "8")
    paddle = named(kubeflow_job("PaddleJob", "paddleReplicaSpecs", Worker=(2, ["w"])))
    assert rendezvous(paddle, replicas(paddle), [7, 8])[1]["PADDLE_MASTER"] == "127.0.0.1:7"
    mpi = named(kubeflow_job("MPIJob", "mpiReplicaSpecs", Launcher=(1, ["l"]), Worker=(2, ["w"])))
    mpi["spec"]["slotsPerWorker"] = 2
    assert [one.name for one in started("MPIJob", replicas(mpi))] == ["launcher-0"]
    assert hostfile(mpi, replicas(mpi)) == "localhost slots=4\n"
    train = named({"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob"})
    train["spec"] = {"trainer": {"numNodes": 2, "numProcPerNode": 4, "command": ["torchrun"]}}
    found = replicas(train)
    assert chosen(found[1], "node")["command"] == ["torchrun"]
    assert found[1].labels["batch.kubernetes.io/job-completion-index"] == "1"
    node = rendezvous(train, found, [7, 8])[1]
    assert (node["PET_NODE_RANK"], node["PET_NPROC_PER_NODE"]) == ("1", "4")
    with pytest.raises(ValueError, match="has no replicas"):
        replicas(named({"kind": "TFJob", "spec": {}}))


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("batch/v1", "Job"),
        ("trainer.kubeflow.org/v1alpha1", "TrainJob"),
        *(
            ("kubeflow.org/v1", kind)
            for kind in ("PyTorchJob", "TFJob", "MPIJob", "XGBoostJob", "JAXJob", "PaddleJob")
        ),
    ],
)
def test_the_status_answers_the_usual_conditions(version: str, kind: str) -> None:
    job = {"apiVersion": version, "kind": kind, "metadata": {"name": "t-0"}}
    conditions = default_conditions(version, kind)
    assert conditions is not None
    good = job_outcome(ended_job(job, succeeded=True), conditions)
    bad = job_outcome(ended_job(job, succeeded=False, message="no"), conditions)
    assert good is not None and good.succeeded
    assert bad is not None and not bad.succeeded and bad.message == "no"


def test_retries_are_those_the_job_asks_for() -> None:
    assert retries({"spec": {}}) == 0
    assert retries({"spec": {"backoffLimit": 2}}) == 2
    assert retries({"spec": {"runPolicy": {"backoffLimit": 1}}}) == 1


def test_gpus_that_a_container_asks_for() -> None:
    assert gpu_demand({"resources": {"limits": {"nvidia.com/gpu": "2"}}}) == 2
    assert gpu_demand({"resources": {"limits": {"cpu": 1}}}) == 0


def test_a_port_may_be_named() -> None:
    container = {"ports": [{"name": "metrics", "containerPort": 9100}]}
    assert served_url({"port": "metrics", "path": "m"}, container) == (
        "http://127.0.0.1:9100/m",
        9100,
    )
    with pytest.raises(ValueError, match="'other'"):
        served_url({"port": "other"}, container)


@pytest.mark.parametrize(
    ("engine", "devices"),
    [
        ("docker", ["--gpus", '"device=0,1"']),
        ("podman", ["--device", "nvidia.com/gpu=0", "--device", "nvidia.com/gpu=1"]),
    ],
)
def test_the_command_line_of_a_container_engine(engine: str, devices: list[str]) -> None:
    container = {
        "image": "repo/image:1",
        "command": ["python", "-u"],
        "args": ["train.py"],
        "workingDir": "/work",
    }
    said = container_command(
        engine, "t-0-pod-0", container, {"A": "secret"}, {"/train": "/here"}, ["0", "1"]
    )
    assert said == [
        *(engine, "run", "--rm", "--init", "--name", "t-0-pod-0", "--network", "host"),
        *("--volume", "/here:/train", "--env", "A", *devices, "--workdir", "/work"),
        *("--entrypoint", "python", "repo/image:1", "-u", "train.py"),
    ]
    assert "secret" not in " ".join(said)
