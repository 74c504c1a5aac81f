"""Which groups and kinds there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.cluster.api_server.kinds import Kind
from tests.cluster.api_server.refusal import not_found


def answer(path: str, kinds: Mapping[str, Kind]) -> dict[str, Any] | None:
    """The answer to a request for what is there; None if it asks for something else."""
    match path.strip("/").split("/"):
        case ["version"]:
            return {"major": "1", "minor": "36", "gitVersion": "v1.36.0-double"}
        case ["healthz" | "readyz" | "livez"]:
            return {}
        case ["api", version]:
            return _resources("", version, kinds)
        case ["apis", group, version]:
            return _resources(group, version, kinds)
        case ["api" | "apis", _, *rest] if rest:
            return None
    raise not_found("the server could not find the requested resource")


def _resources(group: str, version: str, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    served = [kind for kind in kinds.values() if kind.group == group and version in kind.versions]
    if not served:
        raise not_found("the server could not find the requested resource")
    resources = []
    for kind in served:
        resource = {"name": kind.plural, "kind": kind.name, "namespaced": kind.is_namespaced}
        resources.append(resource)
        if kind.versions[version].has_status:
            resources.append({**resource, "name": f"{kind.plural}/status"})
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": resources,
    }
