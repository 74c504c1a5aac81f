"""Volumes, mounts and variables that are added to pod templates, beside what their author wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpo_lab.cluster.workloads.pod_templates import ContainerTemplate, PodTemplate

__all__ = ["add_variables", "add_volume", "mount"]


def add_volume(template: PodTemplate, name: str, source: Mapping[str, Any]) -> None:
    """Add the volume *name* to *template*, unless it has such a volume."""
    volumes = template.pod.get("volumes") or []
    if not any(volume.get("name") == name for volume in volumes):
        template.pod["volumes"] = [*volumes, {"name": name, **source}]


def mount(container: ContainerTemplate, volume: str, path: str, **fields: Any) -> None:
    """Mount *volume* at *path* of *container*, unless something is mounted there."""
    mounts = container.body.get("volumeMounts") or []
    if not any(str(each.get("mountPath")).rstrip("/") == path for each in mounts):
        added = {"name": volume, "mountPath": path, **fields}
        container.body["volumeMounts"] = [*mounts, added]


def add_variables(container: ContainerTemplate, variables: Mapping[str, str]) -> None:
    """Add *variables* to the environment of *container*; those that it has stay."""
    written = container.environment.get("env") or []
    names = {variable.get("name") for variable in written}
    added = [
        {"name": name, "value": value} for name, value in variables.items() if name not in names
    ]
    if added:
        # References such as $(HPO_LAB_TRIAL) are expanded to variables that stand before them.
        container.environment["env"] = [*added, *written]
