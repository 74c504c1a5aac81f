"""The kinds of workloads: where their fields are that a trial needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hpo_lab.experiment.job_fields import REPLICAS

__all__ = ["WorkloadKind", "field_at", "kind_of", "put_at"]

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkloadKind:
    """The fields of a kind of workloads.

    Attributes:
        suspend: The path of the field that holds a workload back; empty where there is none.
        is_queued: Whether Kueue itself knows the kind, and not only its pods.
        deadline: The path of the seconds that a workload may be active; empty where there is none.
    """

    suspend: Path = ()
    is_queued: bool = False
    deadline: Path = ()


_JOB = WorkloadKind(("spec", "suspend"), True, ("spec", "activeDeadlineSeconds"))
_REPLICATED = WorkloadKind(
    ("spec", "runPolicy", "suspend"), True, ("spec", "runPolicy", "activeDeadlineSeconds")
)
_KINDS: Final[Mapping[tuple[str, str], WorkloadKind]] = {
    ("batch", "Job"): _JOB,
    ("jobset.x-k8s.io", "JobSet"): WorkloadKind(("spec", "suspend"), True),
    ("trainer.kubeflow.org", "TrainJob"): WorkloadKind(("spec", "suspend"), True),
    ("ray.io", "RayJob"): _JOB,
    ("argoproj.io", "Workflow"): WorkloadKind(deadline=("spec", "activeDeadlineSeconds")),
    **{("kubeflow.org", kind): _REPLICATED for kind in REPLICAS},
}


def kind_of(workload: Mapping[str, Any]) -> WorkloadKind:
    """The fields of the kind of *workload*; none of them for a kind that is not known."""
    group = str(workload.get("apiVersion", "")).partition("/")[0]
    return _KINDS.get((group, str(workload.get("kind", ""))), WorkloadKind())


def field_at(value: Any, path: Path) -> Any:
    """The value at *path* in plain data; None where it is missing."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def put_at(target: dict[str, Any], path: Path, value: Any) -> None:
    """Put *value* at *path* of *target*, unless something stands there."""
    for name in path[:-1]:
        inner = target.get(name)
        if not isinstance(inner, dict):
            inner = target[name] = {}
        target = inner
    target.setdefault(path[-1], value)
