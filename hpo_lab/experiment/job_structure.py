"""Whether the object that a trial runs has the structure that Kubernetes wants.

The types of a Job, its pods and all below are those of the package `kube-models`, which are made
of Kubernetes' OpenAPI documents: 0.5 MB without dependencies, imported in 0.3 s where a manifest
is read. The others cost more: `kubernetes-validate` is 111 MB of files, `kubernetes` 75 MB and its
HTTP clients, and `kubeflow-trainer-api` takes over a second to import. Of Kubeflow's kinds, what is
above the pod is written down here.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from hpo_lab.experiment.job_fields import GROUPS, REPLICAS
from hpo_lab.experiment.placeholders import PLACEHOLDER
from hpo_lab.masking import is_secret
from hpo_lab.problems import Problem, nearest

__all__ = ["container_problems", "structure_problems", "structure_warnings"]

_QUANTITY = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?")
_COUNT = re.compile(r"[0-9]{1,9}")
_SCALARS = {str: "text", int: "an integer", float: "a number", bool: "true or false"}


class _Field(NamedTuple):
    """The type of a field and whether it must be given."""

    type: Any
    is_required: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class _Shape:
    """The fields of a mapping.

    Attributes:
        fields: The types of the fields by name.
        is_whole: Whether Kubernetes knows no other fields.
        has_roles: Whether the fields are roles; these may be written in any case.
    """

    fields: Mapping[str, _Field]
    is_whole: bool = True
    has_roles: bool = False

    def field(self, name: str) -> _Field | None:
        if self.has_roles:
            return {role.lower(): field for role, field in self.fields.items()}.get(name.lower())
        return self.fields.get(name)


class _Finding(NamedTuple):
    path: str
    message: str
    is_error: bool = True


def structure_problems(job: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """What Kubernetes would refuse in *job*, which stands at *path*.

    A placeholder that is all of a text stands for a value of any scalar type.
    """
    return (Problem(*finding[:2]) for finding in _findings(job, path) if finding.is_error)


def structure_warnings(job: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """The fields in *job* that Kubernetes does not know."""
    return (Problem(*finding[:2]) for finding in _findings(job, path) if not finding.is_error)


def container_problems(container: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """What Kubernetes would refuse in *container*, at *path*, which may lack a name."""
    from kube_models.apis_batch_v1.io.k8s.api.core.v1 import Container

    findings = _mapping({"name": "collector", **container}, _shape(Container), path)
    return (Problem(*finding[:2]) for finding in findings if finding.is_error)


def _findings(job: Mapping[str, Any], path: str) -> Iterator[_Finding]:
    kind = str(job.get("kind"))
    group = GROUPS.get(kind, "/").partition("/")[0]
    if str(job.get("apiVersion")).partition("/")[0] == group:
        yield from _mapping(job, _job(kind), path)


@cache
def _job(kind: str) -> _Shape:
    from kube_models.apis_batch_v1.io.k8s.api.batch.v1 import JobSpec
    from kube_models.apis_batch_v1.io.k8s.api.core.v1 import (
        EnvVar,
        PodTemplateSpec,
        ResourceRequirements,
    )
    from kube_models.apis_batch_v1.io.k8s.apimachinery.pkg.apis.meta.v1 import ObjectMeta

    spec: Any = JobSpec
    if kind == "TrainJob":
        trainer = {
            **dict.fromkeys(("command", "args"), _Field(list[str])),
            **dict.fromkeys(("image", "imagePullPolicy"), _Field(str)),
            "env": _Field(list[EnvVar]),
            "numNodes": _Field(int),
            "numProcPerNode": _Field(int | str),
            "resourcesPerNode": _Field(ResourceRequirements),
        }
        runtime = dict.fromkeys(("name", "apiGroup", "kind"), _Field(str))
        fields = {
            "runtimeRef": _Field(_Shape(runtime)),
            "trainer": _Field(_Shape(trainer)),
            "activeDeadlineSeconds": _Field(int),
        }
        spec = _Shape(fields, is_whole=False)
    elif kind != "Job":
        field, roles = REPLICAS[kind]
        replica = {
            "replicas": _Field(int),
            "restartPolicy": _Field(str),
            "template": _Field(PodTemplateSpec, is_required=True),
        }
        by_role = dict.fromkeys(roles, _Field(_Shape(replica)))
        policy = _Shape({"backoffLimit": _Field(int)}, is_whole=False)
        fields = {
            field: _Field(_Shape(by_role, has_roles=True), is_required=True),
            "runPolicy": _Field(policy),
            "slotsPerWorker": _Field(int),
        }
        spec = _Shape(fields, is_whole=False)
    return _Shape(
        {
            "apiVersion": _Field(str),
            "kind": _Field(str),
            "metadata": _Field(ObjectMeta),
            "spec": _Field(spec, is_required=True),
            "status": _Field(Any),
        }
    )


@cache
def _shape(model: type) -> _Shape:
    """The fields of a class of `kube-models`, which keeps notes of its own in `_` fields."""
    hints = get_type_hints(model)
    missing = dataclasses.MISSING
    return _Shape(
        {
            field.name: _Field(
                hints[field.name], field.default is missing and field.default_factory is missing
            )
            for field in dataclasses.fields(model)
            if not field.name.startswith("_")
        }
    )


def _value(value: Any, kind: Any, path: str) -> Iterator[_Finding]:
    """What is wrong with *value* where a *kind*, a type or a shape, is needed."""
    if isinstance(kind, _Shape):
        yield from _mapping(value, kind, path)
    elif dataclasses.is_dataclass(kind):
        yield from _mapping(value, _shape(kind), path)  # type: ignore[arg-type]
    elif get_origin(kind) in (Union, UnionType):
        kinds = [each for each in get_args(kind) if each is not NoneType]
        if set(kinds) == {str, float}:
            yield from _quantity(value, path)
        elif len(kinds) == 1:
            yield from _value(value, kinds[0], path)
        elif isinstance(value, bool) or not isinstance(value, tuple(kinds)):
            yield _Finding(path, f"found {_shown(value)}; {_named(kinds)} is needed")
    elif get_origin(kind) is list:
        yield from _list(value, get_args(kind)[0], path)
    elif get_origin(kind) is dict:
        if not isinstance(value, Mapping):
            yield _Finding(path, f"found {_shown(value)}; a mapping is needed")
            return
        for key, item in value.items():
            yield from _value(item, get_args(kind)[1], f"{path}[{key}]")
    elif kind in _SCALARS and not _is_placeholder(value):
        yield from _scalar(value, kind, path)


def _mapping(value: Any, shape: _Shape, path: str) -> Iterator[_Finding]:
    if not isinstance(value, Mapping):
        advice = ""
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], Mapping):
            advice = ": leave out the dash"
        yield _Finding(path, f"found {_shown(value)}; a mapping is needed{advice}")
        return
    for name, item in value.items():
        field = shape.field(name)
        if field is not None and item is not None:
            findings = _value(item, field.type, f"{path}.{name}")
            if name == "value" and is_secret(str(value.get("name"))):
                advice = "is no text; write it in quotation marks"
                findings = (finding._replace(message=advice) for finding in findings)
            yield from findings
        elif field is None and shape.is_whole:
            roles = list(shape.fields)
            hint = nearest(name, roles)
            message = f"Kubernetes knows no such field{hint}"
            if shape.has_roles:
                message = f"is no role{hint or '; roles are ' + ', '.join(roles)}"
            yield _Finding(f"{path}.{name}", message, is_error=shape.has_roles)
    for name, field in shape.fields.items():
        if field.is_required and value.get(name) is None:
            others = [other for other in value if shape.field(other) is None]
            yield _Finding(f"{path}.{name}", f"is missing{_instead(name, others)}")


def _instead(name: str, others: list[str]) -> str:
    """A hint at the one of the *others*, which are no fields, that was probably meant as *name*."""
    return f", found {nearest(name, others)[15:-1]}" if nearest(name, others) else ""


def _list(value: Any, kind: Any, path: str) -> Iterator[_Finding]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _value(item, kind, f"{path}[{index}]")
        return
    advice = ""
    if isinstance(value, Mapping):
        first = next(iter(value), "its first field")
        advice = f": write a dash before {first!r}" if value else ""
    elif isinstance(value, str) and kind is str:
        advice = _as_list(value)
    yield _Finding(path, f"found {_shown(value)}; a list is needed{advice}")


def _as_list(text: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError:
        return ""
    return f": write {json.dumps(words, ensure_ascii=False)}"


def _scalar(value: Any, kind: type, path: str) -> Iterator[_Finding]:
    is_right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if is_right or (kind is float and type(value) is int):
        return
    advice = ""
    if kind is str and isinstance(value, bool | int | float):
        advice = f': write "{_shown(value)}"'
    elif kind is not str and isinstance(value, str) and _is_literal(value, kind):
        advice = f": write {value.strip()}, without quotation marks"
    yield _Finding(path, f"found {_shown(value)}; {_SCALARS[kind]} is needed{advice}")


def _is_literal(text: str, kind: type) -> bool:
    if kind is bool:
        return text.strip() in ("true", "false")
    return re.fullmatch(r"\s*-?[0-9]{1,18}\s*", text) is not None


def _quantity(value: Any, path: str) -> Iterator[_Finding]:
    """An amount of a resource: devices, which have a `/` in their name, come in whole numbers."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = str(value) if is_number or isinstance(value, str) else ""
    if PLACEHOLDER.search(text):
        return
    if "/" in path.rpartition("[")[2]:
        if not _COUNT.fullmatch(text):
            yield _Finding(path, f"found {_shown(value)}; a whole number of devices is needed")
    elif not _QUANTITY.fullmatch(text):
        yield _Finding(path, f"found {_shown(value)}; an amount such as 2, 500m or 4Gi is needed")


def _is_placeholder(value: Any) -> bool:
    return isinstance(value, str) and PLACEHOLDER.fullmatch(value) is not None


def _named(kinds: list[type]) -> str:
    return " or ".join(_SCALARS.get(kind, kind.__name__) for kind in kinds)


def _shown(value: Any) -> str:
    """*value* as YAML would show it, in at most 60 characters."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if isinstance(value, str | float) else json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
