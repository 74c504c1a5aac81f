"""The pod templates in a workload of any kind.

A pod template is a mapping whose `spec` has a list of `containers`, at any depth. Of three kinds
the pods are described otherwise: a TrainJob patches the templates of its runtime, a Workflow has
one description for the pods of all its templates, and a PipelineRun one for those of its tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hpo_lab.experiment.job_fields import REPLICAS, TEXT_MAPS

__all__ = [
    "ContainerTemplate",
    "PodTemplate",
    "pod_templates",
    "primary_templates",
    "service_accounts",
]

_ACCOUNTS: Final = ("serviceAccountName", "serviceAccount")
_MANAGER: Final = "hpolab.dev/controller"
_REPLICA_TYPE: Final = "training.kubeflow.org/replica-type"
_REPLICATED_JOB: Final = "jobset.sigs.k8s.io/replicatedjob-name"


@dataclass(frozen=True, slots=True)
class ContainerTemplate:
    """A container of a pod template.

    Attributes:
        body: What has the volume mounts and the security context.
        environment: What has the `env`; of a TrainJob another mapping than *body*.
    """

    body: dict[str, Any]
    environment: dict[str, Any]

    @property
    def name(self) -> str:
        """The name; empty where the kind gives containers none."""
        return str(self.body.get("name", ""))


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """A description of pods in a workload; changes of its mappings are changes of the workload.

    Attributes:
        metadata: The mapping with the labels; None where the labels of the workload are those of
            its pods.
        pod: What has the volumes and the security context.
        containers: The containers that run side by side.
        role: The role of the pods in a job of Kubeflow's training operator, in lower case.
        is_whole: Whether *pod* is the whole specification of a pod; else it has volumes and a
            security context alone.
        can_restrict: Whether security contexts can be given.
    """

    metadata: dict[str, Any] | None
    pod: dict[str, Any]
    containers: tuple[ContainerTemplate, ...]
    role: str = ""
    is_whole: bool = True
    can_restrict: bool = True

    def chosen(self, name: str) -> ContainerTemplate | None:
        """The container called *name*, else the first container; None where there is none."""
        named = (each for each in self.containers if name and each.name == name)
        return next(named, next(iter(self.containers), None))


def pod_templates(
    workload: dict[str, Any], pod_labels: Mapping[str, str] | None = None
) -> list[PodTemplate]:
    """Every pod template in *workload*.

    Args:
        workload: The object; where its kind describes pods by patches, an empty patch is added.
        pod_labels: The labels of the pods that report the metrics, which tell the part of a
            TrainJob that trains.
    """
    templates = [*_templates(workload, "")]
    group = str(workload.get("apiVersion", "")).partition("/")[0]
    match group, workload.get("kind"):
        case "trainer.kubeflow.org", "TrainJob":
            templates.append(_trainer(workload, (pod_labels or {}).get(_REPLICATED_JOB, "node")))
        case "argoproj.io", "Workflow":
            templates += _workflow(workload)
        case "tekton.dev", "PipelineRun":
            templates.append(_pipeline(workload))
    return templates


def primary_templates(
    workload: Mapping[str, Any],
    templates: list[PodTemplate],
    pod_labels: Mapping[str, str] | None,
) -> list[PodTemplate]:
    """Those of the *templates* of *workload* whose pods report the metrics.

    In a job of Kubeflow's training operator one role does: that of *pod_labels*, else the first.
    In other kinds every pod may.
    """
    kind = str(workload.get("kind"))
    if kind not in REPLICAS or not any(template.role for template in templates):
        return templates
    roles = [role.lower() for role in REPLICAS[kind][1]]
    present = [role for role in roles if any(each.role == role for each in templates)]
    chosen = (pod_labels or {}).get(_REPLICA_TYPE, "").lower()
    role = chosen if chosen in present else next(iter(present), "")
    return [template for template in templates if template.role == role] or templates


def service_accounts(workload: Any) -> set[str]:
    """The service accounts that *workload* names for its pods, wherever it does."""
    names: set[str] = set()
    if isinstance(workload, Mapping):
        for name, item in workload.items():
            if name in _ACCOUNTS and isinstance(item, str):
                names.add(item)
            names |= service_accounts(item)
    elif isinstance(workload, list):
        names = names.union(*map(service_accounts, workload))
    return names


def _templates(value: Any, field: str, role: str = "") -> Iterator[PodTemplate]:
    """The pod templates in *value*, which stands in a *field* of a part called *role*."""
    if isinstance(value, dict):
        pod = value.get("spec")
        if isinstance(pod, dict) and _mappings(pod.get("containers")):
            containers = _mappings(pod["containers"])
            yield PodTemplate(
                _mapping(value, "metadata"),
                pod,
                tuple(ContainerTemplate(each, each) for each in containers),
                role.lower() if field == "template" else "",
            )
            return
        for name, item in value.items():
            if name not in TEXT_MAPS:
                yield from _templates(item, name, field)
    elif isinstance(value, list):
        for item in value:
            yield from _templates(item, field, role)


def _trainer(workload: dict[str, Any], part: str) -> PodTemplate:
    """The pods that train in a TrainJob, by a patch of the *part* of its runtime.

    Trainer 2.2 has `runtimePatches`; a workload that has `podTemplateOverrides` is for an
    earlier one, which patches no security context.
    """
    spec = _mapping(workload, "spec")
    body: dict[str, Any] = {"name": "node"}
    container = ContainerTemplate(body, _mapping(spec, "trainer"))
    if "podTemplateOverrides" in spec:
        override: dict[str, Any] = {"targetJobs": [{"name": part}]}
        spec["podTemplateOverrides"] = [*_mappings(spec["podTemplateOverrides"]), override]
        template, can_restrict = override, False
    else:
        template, can_restrict = {}, True
        job = {"name": part, "template": {"spec": {"template": template}}}
        patch = {
            "manager": _MANAGER,
            "trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": [job]}}},
        }
        spec["runtimePatches"] = [*_mappings(spec.get("runtimePatches")), patch]
    metadata, pod = _mapping(template, "metadata"), _mapping(template, "spec")
    pod["containers"] = [body]
    return PodTemplate(metadata, pod, (container,), is_whole=False, can_restrict=can_restrict)


def _workflow(workload: dict[str, Any]) -> Iterator[PodTemplate]:
    spec = _mapping(workload, "spec")
    containers = [
        template[field]
        for template in _mappings(spec.get("templates"))
        for field in ("container", "script")
        if isinstance(template.get(field), dict)
    ]
    if containers:
        pairs = tuple(ContainerTemplate(each, each) for each in containers)
        yield PodTemplate(_mapping(spec, "podMetadata"), spec, pairs, is_whole=False)


def _pipeline(workload: dict[str, Any]) -> PodTemplate:
    """The pods of a PipelineRun, which have its labels."""
    spec = _mapping(workload, "spec")
    is_older = str(workload.get("apiVersion")).endswith("/v1beta1")
    pod = _mapping(spec if is_older else _mapping(spec, "taskRunTemplate"), "podTemplate")
    tasks = _mappings((spec.get("pipelineSpec") or {}).get("tasks"))
    steps = [
        step for task in tasks for step in _mappings((task.get("taskSpec") or {}).get("steps"))
    ]
    pairs = tuple(ContainerTemplate(step, step) for step in steps)
    return PodTemplate(None, pod, pairs, is_whole=False)


def _mapping(parent: dict[str, Any], name: str) -> dict[str, Any]:
    """The mapping *name* in *parent*, made where it is missing."""
    if not isinstance(parent.get(name), dict):
        parent[name] = {}
    mapping: dict[str, Any] = parent[name]
    return mapping


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
