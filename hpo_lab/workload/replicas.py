"""The pods of a job, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hpo_lab.experiment.job_fields import REPLICAS

__all__ = ["MOST_PODS", "Replica", "chosen", "primary", "replicas", "retries"]

MOST_PODS: Final = 1000
"""The most pods of a job; each is a process of this machine."""

_LABEL = "training.kubeflow.org"


@dataclass(frozen=True, slots=True)
class Replica:
    """A pod of a job.

    Attributes:
        role: The role in lower case: `master`, `worker`; `pod` for a Job, `node` for a
            TrainJob.
        index: Counted from 0 within the role.
        rank: Counted from 0 within the job.
        pod: The pod template.
        labels: The pod's labels, including the labels that the operator adds.
        path: The path in the job to what describes the pod's containers.
    """

    role: str
    index: int
    rank: int
    pod: Mapping[str, Any]
    labels: Mapping[str, str]
    path: str

    @property
    def name(self) -> str:
        """The role and the index, such as `worker-0`."""
        return f"{self.role}-{self.index}"

    @property
    def containers(self) -> Sequence[Mapping[str, Any]]:
        """The containers of the pod."""
        return (self.pod.get("spec") or {}).get("containers") or ()

    @property
    def init_containers(self) -> Sequence[Mapping[str, Any]]:
        """The containers that run before the others, in their order."""
        return (self.pod.get("spec") or {}).get("initContainers") or ()


def replicas(job: Mapping[str, Any]) -> list[Replica]:
    """The pods of *job*, by rank.

    Raises:
        ValueError: The job has no pods, or its kind is not supported.
    """
    members = [
        Replica(role, index, rank, pod, _labels(job, role, index, pod), path)
        for rank, (role, index, pod, path) in enumerate(_pods(job))
    ]
    if not members:
        raise ValueError(f"the {job.get('kind')} has no replicas")
    return members


def primary(candidates: Sequence[Replica], labels: Mapping[str, str]) -> Replica:
    """The replica whose metrics count: the first with all of *labels*, else the first."""
    for replica in candidates:
        if labels and labels.items() <= replica.labels.items():
            return replica
    return candidates[0]


def chosen(replica: Replica, name: str) -> Mapping[str, Any]:
    """The container called *name*, else the first container.

    Raises:
        ValueError: The replica has no containers.
    """
    for container in replica.containers:
        if container.get("name") == name:
            return container
    if not replica.containers:
        raise ValueError(f"{replica.name} has no containers")
    return replica.containers[0]


def retries(job: Mapping[str, Any]) -> int:
    """The number of times that a failed job runs again: its `backoffLimit`, 0 by default.

    Kubernetes' default of 6 is meant for lost nodes, which this machine does not have.
    """
    spec = job.get("spec") or {}
    limit = spec.get("backoffLimit", (spec.get("runPolicy") or {}).get("backoffLimit", 0))
    return max(0, int(limit or 0))


def _pods(job: Mapping[str, Any]) -> Iterator[tuple[str, int, Mapping[str, Any], str]]:
    """The role, index, template and path of each pod of *job*."""
    kind, spec = str(job.get("kind")), job.get("spec") or {}
    if kind == "Job":
        count = int(spec.get("completions") or spec.get("parallelism") or 1)
        pods = [("pod", count, spec.get("template") or {}, "spec.template.spec")]
    elif kind == "TrainJob":
        trainer = spec.get("trainer") or {}
        fields = ("image", "command", "args", "env")
        container = {"name": "node"} | {key: trainer[key] for key in fields if key in trainer}
        container["resources"] = trainer.get("resourcesPerNode") or {}
        pod = {"spec": {"containers": [container]}}
        pods = [("node", int(trainer.get("numNodes") or 1), pod, "spec.trainer")]
    elif kind in REPLICAS:
        field, roles = REPLICAS[kind]
        by_role = {
            name.lower(): (name, replica_spec)
            for name, replica_spec in (spec.get(field) or {}).items()
            if replica_spec
        }
        pods = []
        for role in map(str.lower, roles):
            if role in by_role:
                name, replica_spec = by_role[role]
                count = 1 if replica_spec.get("replicas") is None else int(replica_spec["replicas"])
                path = f"spec.{field}.{name}.template.spec"
                pods.append((role, count, replica_spec.get("template") or {}, path))
    else:
        raise ValueError(f"no such kind of job: {kind!r}")
    total = sum(count for _, count, _, _ in pods)
    if total > MOST_PODS:
        raise ValueError(f"the {kind} has {total} pods; at most {MOST_PODS} can run here")
    for role, count, template, path in pods:
        yield from ((role, index, template, path) for index in range(count))


def _labels(
    job: Mapping[str, Any], role: str, index: int, pod: Mapping[str, Any]
) -> dict[str, str]:
    name = (job.get("metadata") or {}).get("name", "")
    labels = {
        **((pod.get("metadata") or {}).get("labels") or {}),
        "katib.kubeflow.org/trial": name,
    }
    match job.get("kind"):
        case "Job":
            labels["batch.kubernetes.io/job-name"] = labels["job-name"] = name
            labels["batch.kubernetes.io/job-completion-index"] = str(index)
        case "TrainJob":
            labels["jobset.sigs.k8s.io/jobset-name"] = name
            labels["jobset.sigs.k8s.io/replicatedjob-name"] = role
            labels["batch.kubernetes.io/job-completion-index"] = str(index)
        case _:
            labels[f"{_LABEL}/job-name"] = name
            labels[f"{_LABEL}/replica-type"] = role
            labels[f"{_LABEL}/replica-index"] = str(index)
            if role in ("master", "chief", "launcher"):
                labels[f"{_LABEL}/job-role"] = "master"
    return labels
