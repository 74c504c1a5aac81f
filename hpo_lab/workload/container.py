"""The environment variables and the command line of a container's process.

`$(VAR)` is expanded as the kubelet does it (`k8s.io/kubernetes/third_party/forked/golang/
expansion`): the reference to an undefined variable stays as written, and `$$` is a dollar
sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hpo_lab.workload.configuration import Configuration

__all__ = ["command_words", "expand_references", "field_value", "variables"]

_REFERENCE = re.compile(r"\$(\$|\(([^()]*)\))")
_INDEXED = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


def expand_references(text: str, variables: Mapping[str, str]) -> str:
    """*text* with `$(VAR)` replaced by its value for each name of *variables*."""

    def value(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return variables.get(match[2], match[0])

    return _REFERENCE.sub(value, text)


def variables(
    container: Mapping[str, Any],
    facts: Mapping[str, Any],
    outer: Mapping[str, str],
    configuration: Configuration,
) -> dict[str, str]:
    """The variables that *container* defines; each may refer to the variables before it.

    Where a Secret or ConfigMap is not in *configuration*, the variable of the same name in
    *outer* gives the value.

    Args:
        container: The container.
        facts: The pod, as fields refer to it (see `field_value`).
        outer: Variables that are defined outside the container.
        configuration: ConfigMaps and Secrets.

    Raises:
        ValueError: This machine cannot provide a value.
    """
    defined: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        defined |= configuration.variables(source)
    for entry in container.get("env") or ():
        name = entry["name"]
        if entry.get("valueFrom") is None:
            defined[name] = expand_references(str(entry.get("value") or ""), {**outer, **defined})
            continue
        value = _value_from(entry["valueFrom"], name, container, facts, outer, configuration)
        if value is not None:
            defined[name] = value
    return defined


def command_words(container: Mapping[str, Any], variables: Mapping[str, str]) -> list[str]:
    """The command and arguments of *container*."""
    texts = [*(container.get("command") or ()), *(container.get("args") or ())]
    return [expand_references(str(word), variables) for word in texts]


def field_value(path: str, facts: Mapping[str, Any]) -> str | None:
    """The value of a `fieldRef` to *path*; None where the pod has no such field.

    Args:
        path: A field of the pod, such as `metadata.labels['app']`.
        facts: The pod's `labels` and `annotations`, and plain fields by path.
    """
    indexed = _INDEXED.fullmatch(path)
    if indexed:
        value = facts.get(indexed[1], {}).get(indexed[2], "")
        return str(value)
    value = facts.get(path)
    return None if value is None else str(value)


def _value_from(
    source: Mapping[str, Any],
    name: str,
    container: Mapping[str, Any],
    facts: Mapping[str, Any],
    outer: Mapping[str, str],
    configuration: Configuration,
) -> str | None:
    if "fieldRef" in source:
        path = str(source["fieldRef"].get("fieldPath", ""))
        value = field_value(path, facts)
        if value is None:
            raise ValueError(f"variable {name}: a pod has no field {path!r} here")
        return value
    if "resourceFieldRef" in source:
        kind, _, resource = str(source["resourceFieldRef"].get("resource", "")).partition(".")
        amounts = (container.get("resources") or {}).get(kind) or {}
        return str(amounts.get(resource, 0))
    for kind in ("secretKeyRef", "configMapKeyRef"):
        if kind in source:
            value = configuration.entry(source[kind], secret=kind == "secretKeyRef")
            if value is not None:
                return value
            if name in outer:
                return outer[name]
            if source[kind].get("optional"):
                return None
            raise ValueError(
                f"variable {name}: {source[kind].get('name')!r} is not on this machine; "
                f"give it by --with FILE, or set {name} in the environment"
            )
    raise ValueError(f"variable {name}: {', '.join(source)} is not supported")
