"""The object that a trial runs in a cluster."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from hpo_lab.cluster.workloads.options import CheckpointVolume, WorkloadOptions
from hpo_lab.cluster.workloads.pod_templates import (
    PodTemplate,
    pod_templates,
    service_accounts,
)
from hpo_lab.cluster.workloads.rendered import render_workload
from hpo_lab.experiment.job_structure import structure_problems, structure_warnings
from hpo_lab.experiment.rendering import render_trial
from hpo_lab.experiment.rules import run_problems
from hpo_lab.experiment.trial import Trial
from hpo_lab.problems import InvalidInput
from tests.cluster.workloads.workloads import (
    OPTIONS,
    OWNER,
    WITH_CHECKPOINTS,
    WORKLOADS,
    container,
    experiment,
    pod,
    rendered,
    workload,
)
from tests.manifest_reading import read

NAME = "random-example-t00007"
SEEDS = Path(__file__).parents[2] / "conformance"
QUEUE = {"kueue.x-k8s.io/queue-name": "team-a", "kueue.x-k8s.io/priority-class": "low"}
JOB = WORKLOADS["Job"]


def first_pod(job: dict[str, Any]) -> dict[str, Any]:
    template: dict[str, Any] = job["spec"]["template"]
    return template


def first_container(job: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = first_pod(job)["spec"]["containers"][0]
    return made


def variables(made: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in made.get("env", ())}


def test_a_job_is_rendered_whole() -> None:
    assert rendered(JOB) == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": NAME,
            "namespace": "kubeflow",
            "labels": {
                "hpolab.dev/experiment": "random-example",
                "hpolab.dev/trial": NAME,
                "hpolab.dev/attempt": "1",
                "app.kubernetes.io/managed-by": "hpo-lab",
            },
            "ownerReferences": [
                {
                    "apiVersion": "hpolab.dev/v1beta1",
                    "kind": "Trial",
                    "name": NAME,
                    "uid": "t-7",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "backoffLimit": 0,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {
                "rules": [
                    {
                        "action": "Ignore",
                        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                    },
                    {
                        "action": "Ignore",
                        "onExitCodes": {
                            "containerName": "training",
                            "operator": "In",
                            "values": [75],
                        },
                    },
                ]
            },
            "template": {
                "metadata": {
                    "labels": {
                        "hpolab.dev/experiment": "random-example",
                        "hpolab.dev/trial": NAME,
                        "hpolab.dev/attempt": "1",
                        "app.kubernetes.io/managed-by": "hpo-lab",
                    },
                    "annotations": {"sidecar.istio.io/inject": "false"},
                },
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "securityContext": {
                        "seccompProfile": {"type": "RuntimeDefault"},
                        "runAsUser": 65532,
                        "fsGroup": 65532,
                        "fsGroupChangePolicy": "OnRootMismatch",
                        "runAsNonRoot": True,
                    },
                    "containers": [
                        {
                            "name": "training",
                            "image": "example/mnist",
                            "command": ["train", "--lr=0.05", "--layers=5"],
                            "terminationMessagePolicy": "FallbackToLogsOnError",
                            "env": [
                                {
                                    "name": "HPO_LAB_COLLECTOR_URL",
                                    "value": "https://collector:8443",
                                },
                                {"name": "HPO_LAB_TOKEN_FILE", "value": "/var/run/hpo-lab/token"},
                                {"name": "HPO_LAB_CA_FILE", "value": "/var/run/hpo-lab/ca.crt"},
                                {"name": "HPO_LAB_EXPERIMENT", "value": "random-example"},
                                {"name": "HPO_LAB_NAMESPACE", "value": "kubeflow"},
                                {"name": "HPO_LAB_TRIAL", "value": NAME},
                                {"name": "HPO_LAB_TRIAL_NUMBER", "value": "7"},
                                {"name": "HPO_LAB_ATTEMPT", "value": "1"},
                                {"name": "HPO_LAB_SEED", "value": "11"},
                                {"name": "KATIB_TRIAL_NAME", "value": NAME},
                                {"name": "TRIAL_NAME", "value": NAME},
                                {"name": "EXPERIMENT_NAME", "value": "random-example"},
                                {"name": "NAMESPACE", "value": "kubeflow"},
                            ],
                            "volumeMounts": [
                                {
                                    "name": "hpo-lab-reporting",
                                    "mountPath": "/var/run/hpo-lab",
                                    "readOnly": True,
                                }
                            ],
                            "securityContext": {
                                "allowPrivilegeEscalation": False,
                                "capabilities": {"drop": ["ALL"]},
                            },
                        }
                    ],
                    "volumes": [
                        {
                            "name": "hpo-lab-reporting",
                            "projected": {
                                "sources": [
                                    {
                                        "serviceAccountToken": {
                                            "path": "token",
                                            "audience": "hpo-lab",
                                            "expirationSeconds": 3600,
                                        }
                                    },
                                    {
                                        "configMap": {
                                            "name": "hpo-lab-ca",
                                            "items": [{"key": "ca.crt", "path": "ca.crt"}],
                                        }
                                    },
                                ]
                            },
                        }
                    ],
                },
            },
        },
    }


def is_whole(path: Path) -> bool:
    try:
        return not run_problems(read(path))
    except InvalidInput:
        return False


MANIFESTS = [path for path in sorted(SEEDS.glob("*.yaml")) if is_whole(path)]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_a_trial_of_every_manifest_has_the_structure_that_kubernetes_wants(path: Path) -> None:
    described = read(path)
    assignments = {
        each.name: each.choices[0] if each.choices else each.feasible_space.min
        for each in described.spec.parameters
    } or {"algorithm-settings": "{'a': 1}", "search-space": "['b']", "num-layers": "3"}
    trial = Trial(7, assignments, parent=2)
    options = WorkloadOptions(
        reporting=OPTIONS.reporting, checkpoints=CheckpointVolume("checkpoints")
    )
    made = render_workload(described, trial, OWNER, options, seed=1)
    assert [*structure_problems(made, "job"), *structure_warnings(made, "job")] == []
    assert "${" not in str(made)


@pytest.mark.parametrize("kind", WORKLOADS)
def test_every_kind_has_the_structure_that_kubernetes_wants(kind: str) -> None:
    made = rendered(WORKLOADS[kind], labels=QUEUE, trialActiveDeadlineSeconds=90)
    assert [*structure_problems(made, "job"), *structure_warnings(made, "job")] == []


@pytest.mark.parametrize("kind", WORKLOADS)
def test_what_the_author_wrote_stays(kind: str) -> None:
    described = experiment(WORKLOADS[kind])
    assignments = {"lr": 0.05, "layers": 5}
    plain = render_trial(described, NAME, assignments)
    made = render_workload(described, Trial(7, assignments), OWNER, OPTIONS, seed=1)
    assert_contains(made, plain)
    again = render_workload(described, Trial(7, assignments), OWNER, OPTIONS, seed=1)
    assert made == again


def assert_contains(whole: Any, part: Any) -> None:
    """Whether *whole* is *part* with fields and entries added."""
    match part:
        case dict():
            for key, value in part.items():
                assert_contains(whole[key], value)
        case list():
            names = {
                each["name"]: each for each in whole if isinstance(each, dict) and "name" in each
            }
            for index, item in enumerate(part):
                name = item.get("name") if isinstance(item, dict) else None
                assert_contains(names[name] if name else whole[index], item)
        case _:
            assert whole == part


def test_a_template_that_says_everything_stays_as_it_is() -> None:
    said = container(
        env=[{"name": name, "value": "mine"} for name in ("HPO_LAB_TRIAL", "HPO_LAB_TOKEN_FILE")],
        terminationMessagePolicy="File",
        volumeMounts=[{"name": "own", "mountPath": "/var/run/hpo-lab"}],
        securityContext={"allowPrivilegeEscalation": True, "capabilities": {"add": ["CHOWN"]}},
    )
    of_pod = {
        "restartPolicy": "OnFailure",
        "automountServiceAccountToken": True,
        "enableServiceLinks": True,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsUser": 0, "seccompProfile": {"type": "Unconfined"}},
        "volumes": [{"name": "own", "emptyDir": {}}],
        "containers": [said],
    }
    metadata = {"annotations": {"sidecar.istio.io/inject": "true"}}
    job = workload(
        "batch/v1",
        "Job",
        template={"metadata": metadata, "spec": of_pod},
        backoffLimit=3,
        podFailurePolicy={"rules": [{"action": "Count", "onPodConditions": []}]},
        podReplacementPolicy="TerminatingOrFailed",
        activeDeadlineSeconds=5,
        suspend=False,
    )
    described = experiment(job, QUEUE, trialActiveDeadlineSeconds=90)
    trial = Trial(7, {"lr": 0.05, "layers": 5})
    made = render_workload(described, trial, OWNER, WITH_CHECKPOINTS, seed=1)
    assert_contains(made, render_trial(described, NAME, trial.assignments))
    assert made["spec"].keys() == job["spec"].keys()
    assert first_pod(made)["spec"].keys() == of_pod.keys()


def test_accounts_are_seen_wherever_they_are_named() -> None:
    for kind, named in WORKLOADS.items():
        changed = copy.deepcopy(named)
        assert service_accounts(changed) == set(), kind
        changed["spec"]["template"] = {"spec": {"serviceAccountName": "a"}}
        changed["spec"]["tasks"] = [{"pod": {"serviceAccount": "b"}}]
        assert service_accounts(changed) == {"a", "b"}


def templates(kind: str, **options: Any) -> list[PodTemplate]:
    made = rendered(WORKLOADS[kind], **options)
    count = len(pod_templates(copy.deepcopy(made)))
    found = pod_templates(made)
    if kind == "TrainJob":  # Looking at it adds another patch.
        return []
    assert len(found) == count
    return found


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        *(("Job", 1), ("PyTorchJob", 2), ("TFJob", 1), ("MPIJob", 2), ("XGBoostJob", 1)),
        *(("JobSet", 1), ("RayJob", 2), ("Workflow", 1), ("Pod", 1), ("VolcanoJob", 1)),
    ],
)
def test_every_pod_template_has_the_labels(kind: str, count: int) -> None:
    found = templates(kind)
    assert len(found) == count
    for template in found:
        assert template.metadata is not None
        assert template.metadata["labels"]["hpolab.dev/trial"] == NAME


def test_a_train_job_patches_its_runtime() -> None:
    made = rendered(WORKLOADS["TrainJob"])
    assert variables(made["spec"]["trainer"])["HPO_LAB_TRIAL"] == NAME
    (patch,) = made["spec"]["runtimePatches"]
    assert patch["manager"] == "hpolab.dev/controller"
    (job,) = patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    assert job["name"] == "node"
    template = job["template"]["spec"]["template"]
    assert template["metadata"]["labels"]["hpolab.dev/trial"] == NAME
    assert template["spec"]["volumes"][0]["name"] == "hpo-lab-reporting"
    assert template["spec"]["securityContext"]["runAsNonRoot"] is True
    (node,) = template["spec"]["containers"]
    assert node.keys() == {"name", "volumeMounts", "securityContext"}


def test_a_train_job_of_an_earlier_version_overrides_templates() -> None:
    older = copy.deepcopy(WORKLOADS["TrainJob"])
    toleration = {"targetJobs": [{"name": "node"}], "spec": {"tolerations": []}}
    older["spec"]["podTemplateOverrides"] = [toleration]
    first, second = rendered(older)["spec"]["podTemplateOverrides"]
    assert first == toleration
    assert second["metadata"]["labels"]["hpolab.dev/trial"] == NAME
    assert "securityContext" not in second["spec"]


def test_a_pipeline_run_is_reached_through_its_labels_and_steps() -> None:
    made = rendered(WORKLOADS["PipelineRun"])
    assert made["metadata"]["labels"]["hpolab.dev/trial"] == NAME
    (volume,) = made["spec"]["taskRunTemplate"]["podTemplate"]["volumes"]
    (step,) = made["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"]
    assert step["volumeMounts"][0]["name"] == volume["name"] == "hpo-lab-reporting"
    assert variables(step)["HPO_LAB_TRIAL"] == NAME


def test_a_workflow_keeps_its_token_which_its_executor_needs() -> None:
    made = rendered(WORKLOADS["Workflow"])
    assert "automountServiceAccountToken" not in made["spec"]
    assert made["spec"]["podMetadata"]["labels"]["hpolab.dev/trial"] == NAME
    assert variables(made["spec"]["templates"][0]["container"])["HPO_LAB_TRIAL"] == NAME


@pytest.mark.parametrize(
    ("kind", "labels", "reporting"),
    [
        ("PyTorchJob", None, ["Master"]),
        ("PyTorchJob", {"training.kubeflow.org/replica-type": "worker"}, ["Worker"]),
        ("TFJob", None, ["Worker"]),
        ("MPIJob", None, ["Launcher"]),
    ],
)
def test_the_primary_replicas_alone_report(
    kind: str, labels: dict[str, str] | None, reporting: list[str]
) -> None:
    described = experiment(WORKLOADS[kind])
    template = described.spec.trial_template
    assert template is not None
    changed = template.model_copy(update={"primary_pod_labels": labels})
    spec = described.spec.model_copy(update={"trial_template": changed})
    described = described.model_copy(update={"spec": spec})
    trial = Trial(7, {"lr": 0.05, "layers": 5})
    made = render_workload(described, trial, OWNER, OPTIONS, seed=1)
    (roles,) = (value for key, value in made["spec"].items() if key.endswith("ReplicaSpecs"))
    told = {
        role: variables(replica["template"]["spec"]["containers"][0])
        for role, replica in roles.items()
    }
    assert [role for role in told if "HPO_LAB_TOKEN_FILE" in told[role]] == reporting
    assert all(each["HPO_LAB_TRIAL"] == NAME for each in told.values())


def test_the_author_cannot_report_for_another_trial() -> None:
    forged = copy.deepcopy(JOB)
    stolen = {"hpolab.dev/trial": "other-t00001", "team": "vision"}
    other = {"apiVersion": "v1", "kind": "Pod", "name": "other", "uid": "other"}
    forged["metadata"] = {"labels": stolen, "ownerReferences": [other]}
    forged["spec"]["template"]["metadata"] = {"labels": stolen}
    made = rendered(forged)
    for metadata in (made["metadata"], first_pod(made)["metadata"]):
        assert metadata["labels"]["hpolab.dev/trial"] == NAME
        assert metadata["labels"]["team"] == "vision"
    assert [each["uid"] for each in made["metadata"]["ownerReferences"]] == ["t-7"]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("Workflow", lambda spec, forged: spec["templates"][0].update(metadata=forged)),
        ("TrainJob", lambda spec, forged: spec.update(runtimePatches=[{"spec": forged}])),
        ("VolcanoJob", lambda spec, forged: spec.update(podLabels=forged["labels"])),
    ],
)
def test_no_other_label_of_a_template_is_ours(kind: str, change: Any) -> None:
    forged = copy.deepcopy(WORKLOADS[kind])
    change(forged["spec"], {"labels": {"hpolab.dev/trial": "other-t00001", "team": "vision"}})
    made = str(rendered(forged))
    assert "other-t00001" not in made and "vision" in made


def with_context(
    own: dict[str, Any] | None = None, of_pod: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    spec: dict[str, Any] = {"restartPolicy": "Never", **fields}
    if of_pod is not None:
        spec["securityContext"] = of_pod
    made = container() if own is None else container(securityContext=own)
    return workload("batch/v1", "Job", template={"spec": {**spec, "containers": [made]}})


def test_a_root_stays_one() -> None:
    for job in (with_context({"runAsUser": 0}), with_context(None, {"runAsNonRoot": False})):
        made = rendered(job)
        context = first_pod(made)["spec"]["securityContext"]
        assert context.get("runAsNonRoot", False) is False and "runAsUser" not in context
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}


def test_a_user_of_the_author_stays() -> None:
    context = first_pod(rendered(with_context({"runAsUser": 1000})))["spec"]["securityContext"]
    assert context == {"seccompProfile": {"type": "RuntimeDefault"}, "runAsNonRoot": True}


@pytest.mark.parametrize(
    "own", [{"privileged": True}, {"capabilities": {"add": ["SYS_ADMIN"]}, "runAsUser": 1}]
)
def test_what_contradicts_the_restriction_stays(own: dict[str, Any]) -> None:
    assert first_container(rendered(with_context(own)))["securityContext"] == own


def test_capabilities_of_the_author_stay() -> None:
    own = {"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}
    made = first_container(rendered(with_context(own)))["securityContext"]
    assert made == {**own, "allowPrivilegeEscalation": False}


def test_restrictions_are_for_init_containers_too_and_can_be_off() -> None:
    job = with_context(initContainers=[container(name="data")])
    (first,) = first_pod(rendered(job))["spec"]["initContainers"]
    assert first["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    made = rendered(job, WorkloadOptions(is_restricted=False))
    assert "securityContext" not in first_pod(made)["spec"]
    windows = with_context(os={"name": "windows"})
    assert "securityContext" not in first_pod(rendered(windows))["spec"]


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ((1, 20), set()),
        ((1, 22), {"suspend"}),
        ((1, 26), {"suspend", "podFailurePolicy"}),
        ((1, 34), {"suspend", "podFailurePolicy", "podReplacementPolicy"}),
    ],
)
def test_a_job_has_what_its_cluster_knows(version: tuple[int, int], fields: set[str]) -> None:
    made = rendered(JOB, WorkloadOptions(version=version), labels=QUEUE)
    assert made["spec"].keys() - {"template", "backoffLimit"} == fields


def test_a_pod_that_restarts_by_itself_has_no_failure_policy() -> None:
    job = workload("batch/v1", "Job", template=pod(restartPolicy="OnFailure"), backoffLimit=4)
    made = rendered(job)
    assert "podFailurePolicy" not in made["spec"] and made["spec"]["backoffLimit"] == 4


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        *(("Job", ["suspend"]), ("JobSet", ["suspend"]), ("TrainJob", ["suspend"])),
        *(("PyTorchJob", ["runPolicy", "suspend"]), ("MPIJob", ["runPolicy", "suspend"])),
    ],
)
def test_a_queue_holds_a_workload_back(kind: str, path: list[str]) -> None:
    made = rendered(WORKLOADS[kind], labels=QUEUE)
    assert made["metadata"]["labels"].items() >= QUEUE.items()
    value = made["spec"]
    for name in path:
        value = value[name]
    assert value is True
    assert "suspend" not in str(rendered(WORKLOADS[kind]))


@pytest.mark.parametrize("kind", ["Workflow", "Pod", "VolcanoJob"])
def test_a_kind_that_the_queue_does_not_know_is_queued_by_its_pods(kind: str) -> None:
    for template in templates(kind, labels=QUEUE):
        assert template.metadata is not None
        assert template.metadata["labels"].items() >= QUEUE.items()


def test_a_queue_of_the_author_stays() -> None:
    job = copy.deepcopy(JOB)
    job["metadata"] = {"labels": {"kueue.x-k8s.io/queue-name": "mine"}}
    job["spec"]["suspend"] = False
    made = rendered(job, labels=QUEUE)
    assert made["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "mine"
    assert made["spec"]["suspend"] is False


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Job", ["activeDeadlineSeconds"]),
        ("PyTorchJob", ["runPolicy", "activeDeadlineSeconds"]),
        ("Workflow", ["activeDeadlineSeconds"]),
    ],
)
def test_a_time_limit_holds_without_the_controller(kind: str, path: list[str]) -> None:
    value = rendered(WORKLOADS[kind], trialActiveDeadlineSeconds=90.5)["spec"]
    for name in path:
        value = value[name]
    assert value == 151


def test_a_checkpoint_is_a_folder_of_the_trial_on_a_shared_volume() -> None:
    made = rendered(JOB, WITH_CHECKPOINTS)
    spec = first_pod(made)["spec"]
    claim = {"claimName": "checkpoints"}
    assert spec["volumes"] == [{"name": "hpo-lab-checkpoints", "persistentVolumeClaim": claim}]
    assert spec["terminationGracePeriodSeconds"] == 120
    assert first_container(made)["volumeMounts"] == [
        {
            "name": "hpo-lab-checkpoints",
            "mountPath": "/var/lib/hpo-lab/checkpoint",
            "subPath": f"random-example-e-1/{NAME}",
        }
    ]
    told = variables(first_container(made))
    assert told["HPO_CHECKPOINT_DIR"] == "/var/lib/hpo-lab/checkpoint"
    assert "initContainers" not in spec


def test_a_trial_that_continues_gets_a_copy() -> None:
    made = rendered(JOB, WITH_CHECKPOINTS, parent=3)
    (first,) = first_pod(made)["spec"]["initContainers"]
    assert first["image"] == "example/mnist"
    own, parent = first["volumeMounts"]
    assert own["subPath"].endswith("-t00007") and "readOnly" not in own
    assert parent["subPath"].endswith("-t00003") and parent["readOnly"] is True
    assert "cp -R /parent/. /checkpoint/" in first["command"][2]


def test_a_checkpoint_is_where_the_algorithm_says() -> None:
    settings = [{"name": "suggestion_trial_dir", "value": "/opt/katib/data/"}]
    algorithm = {"algorithmName": "pbt", "algorithmSettings": settings}
    made = rendered(JOB, WITH_CHECKPOINTS, algorithm=algorithm)
    assert first_container(made)["volumeMounts"][0]["mountPath"] == "/opt/katib/data"
    assert variables(first_container(made))["HPO_CHECKPOINT_DIR"] == "/opt/katib/data"


def test_a_kind_without_pods_of_its_own_cannot_continue() -> None:
    with pytest.raises(InvalidInput, match="no pods to which the checkpoint"):
        rendered(WORKLOADS["Workflow"], WITH_CHECKPOINTS, parent=3)


def test_a_later_attempt_has_the_same_name_and_says_so() -> None:
    made = rendered(JOB, attempt=3)
    assert made["metadata"]["name"] == NAME
    assert made["metadata"]["labels"]["hpolab.dev/attempt"] == "3"
    assert variables(first_container(made))["HPO_LAB_ATTEMPT"] == "3"


def test_variables_of_the_author_stay() -> None:
    env = [{"name": "NAMESPACE", "value": "mine"}, {"name": "ID", "value": "$(HPO_LAB_TRIAL)"}]
    job = workload(
        "batch/v1",
        "Job",
        template={"spec": {"restartPolicy": "Never", "containers": [container(env=env)]}},
    )
    made = first_container(rendered(job))
    assert variables(made)["NAMESPACE"] == "mine"
    names = [each["name"] for each in made["env"]]
    # A reference is to a variable that stands before it.
    assert names.index("HPO_LAB_TRIAL") < names.index("ID")
    assert len(names) == len({*names})


@pytest.mark.parametrize("kind", ["Job", "TrainJob"])
def test_values_as_variables_are_beside_ours(kind: str) -> None:
    described = experiment(WORKLOADS[kind])
    template = described.spec.trial_template
    assert template is not None
    changed = template.model_copy(update={"environment_prefix": "OPT_"})
    spec = described.spec.model_copy(update={"trial_template": changed})
    described = described.model_copy(update={"spec": spec})
    trial = Trial(7, {"lr": 0.05, "layers": 5})
    made = render_workload(described, trial, OWNER, OPTIONS, seed=1)
    place = made["spec"]["trainer"] if kind == "TrainJob" else first_container(made)
    told = variables(place)
    assert (told["OPT_LR"], told["OPT_LAYERS"], told["HPO_LAB_TRIAL"]) == ("0.05", "5", NAME)


def test_what_runs_on_a_machine_is_refused() -> None:
    own = {"apiVersion": "hpolab.dev/v1beta1", "kind": "NotebookTrial", "spec": {}}
    with pytest.raises(InvalidInput, match="'NotebookTrial', which runs on a machine"):
        rendered(own)
