"""A kind of objects for tests, with a schema, a status, and a list with keys."""

from __future__ import annotations

from typing import Any, Final

from hpo_lab.cluster.api.resource import ApiResource

WIDGETS: Final = ApiResource("contract.hpolab.dev", "v1", "widgets", "Widget")


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


_CONDITION = _object(type={"type": "string"}, status={"type": "string"})
_SCHEMA = _object(
    spec=_object(
        size={"type": "integer", "minimum": 0, "default": 1},
        colour={"type": "string", "enum": ["red", "green"]},
        note={"type": "string"},
        nested=_object(left={"type": "integer"}, right={"type": "integer"}),
        parts={
            "type": "array",
            "items": {
                **_object(name={"type": "string"}, count={"type": "integer"}),
                "required": ["name"],
            },
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        free={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    ),
    status=_object(
        phase={"type": "string"},
        count={"type": "integer"},
        conditions={
            "type": "array",
            "items": {**_CONDITION, "required": ["type"]},
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    ),
)
DEFINITION: Final[dict[str, Any]] = {
    "metadata": {"name": "widgets.contract.hpolab.dev"},
    "spec": {
        "group": WIDGETS.group,
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": _SCHEMA},
                "subresources": {"status": {}},
            }
        ],
    },
}


def widget(name: str, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """A widget to create or apply."""
    metadata = {"name": name} | ({"labels": labels} if labels else {})
    return {"metadata": metadata, "spec": spec}
