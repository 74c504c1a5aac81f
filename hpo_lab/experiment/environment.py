"""Values of parameters as environment variables of a trial's containers.

Follows KEP-3562 of github.com/kubeflow/trainer (`proposals/2605-optimization-job-crd/README.md`,
8.2, read at 8c0f5059): the variable of a parameter is a prefix and the name of the parameter in
capitals, stands behind the variables of the template, in a TrainJob in `spec.trainer.env`; the
assignment is an annotation of the object, too, for which the document has no key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from hpo_lab.experiment.job_fields import TEXT_MAPS

__all__ = [
    "ASSIGNMENT",
    "defined_variables",
    "is_variable",
    "variable_name",
    "variable_problems",
    "with_variables",
]

ASSIGNMENT: Final = "hpolab.dev/assignment"
"""The annotation with the assignment: a JSON list of `name` and `value`, which is text."""

_TRAIN_JOB: Final = "TrainJob"
_CONTAINERS: Final = ("containers", "initContainers")
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
# What the kubelet would read as a reference, `$(NAME)`, or as an escaped dollar sign.
_REFERENCE = re.compile(r"\$(?=[$(])")

Entries = Sequence[Mapping[str, str]]


def variable_name(prefix: str, parameter: str) -> str:
    """The variable with the value of *parameter*: `KUBEFLOW_TRAINER_OPT_LEARNING_RATE`."""
    return prefix + parameter.upper()


def is_variable(name: str) -> bool:
    """Whether every version of Kubernetes takes *name* as that of a variable."""
    return _VARIABLE.fullmatch(name) is not None


def variable_problems(prefix: str, parameters: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The *parameters* that have no variable of their own: the index of each, and why."""
    owners: dict[str, str] = {}
    for index, name in enumerate(parameters):
        variable = variable_name(prefix, name)
        owner = owners.setdefault(variable, name)
        if not is_variable(variable):
            allowed = "allowed in its name are letters, digits, '_', '-' and '.'"
            yield index, f"{name!r} is given as a variable, {variable!r}; {allowed}"
        elif owner != name:
            yield index, f"{name!r} has the variable of {owner!r}, {variable}"


def defined_variables(job: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """The variables that *job*, at *path*, defines itself: where the name of each is, and it."""
    trainer = _mapping(_mapping(job.get("spec")).get("trainer"))
    is_train_job = job.get("kind") == _TRAIN_JOB
    containers = [(f"{path}.spec.trainer", trainer)] if is_train_job else _containers(job, path)
    for place, container in containers:
        entries = container.get("env")
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, Mapping):
                yield f"{place}.env[{index}].name", str(entry.get("name"))


def with_variables(
    job: Mapping[str, Any], prefix: str, values: Mapping[str, str]
) -> dict[str, Any]:
    """*job* with *values*, texts by parameter, as variables of its containers and annotated.

    Args:
        job: A Kubernetes object.
        prefix: Begins the name of each variable.
        values: Reach the containers as they are; the kubelet resolves no reference in them.
    """
    entries = [
        {"name": variable_name(prefix, name), "value": _REFERENCE.sub("$$", text)}
        for name, text in values.items()
    ]
    assignment = [{"name": name, "value": text} for name, text in values.items()]
    metadata = job.get("metadata") or {}
    annotations = {
        **(metadata.get("annotations") or {}),
        ASSIGNMENT: json.dumps(assignment, ensure_ascii=False),
    }
    return {**_extended(job, entries), "metadata": {**metadata, "annotations": annotations}}


def _extended(job: Mapping[str, Any], entries: Entries) -> dict[str, Any]:
    """*job* with *entries* behind the variables of its containers."""
    if job.get("kind") != _TRAIN_JOB:
        return {field: _in_pods(field, item, entries) for field, item in job.items()}
    spec = _mapping(job.get("spec"))
    trainer = _with_entries(_mapping(spec.get("trainer")), entries)
    return {**job, "spec": {**spec, "trainer": trainer}}


def _in_pods(field: str, value: Any, entries: Entries) -> Any:
    """*value*, the content of *field*, with *entries* in the containers in it."""
    if field in TEXT_MAPS:
        return value
    if isinstance(value, Mapping):
        return {key: _in_pods(key, item, entries) for key, item in value.items()}
    if isinstance(value, list) and field in _CONTAINERS:
        return [_with_entries(_mapping(item), entries) for item in value]
    if isinstance(value, list):
        return [_in_pods("", item, entries) for item in value]
    return value


def _with_entries(container: Mapping[str, Any], entries: Entries) -> dict[str, Any]:
    return {**container, "env": [*(container.get("env") or ()), *entries]}


def _containers(value: Any, path: str, field: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The containers in *value*, the content of *field* at *path*, with their places."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if field in _CONTAINERS:
                yield f"{path}[{index}]", _mapping(item)
            else:
                yield from _containers(item, f"{path}[{index}]")
    elif isinstance(value, Mapping) and field not in TEXT_MAPS:
        for key, item in value.items():
            yield from _containers(item, f"{path}.{key}", key)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
