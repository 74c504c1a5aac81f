"""Server-side apply: which manager owns which field.

A path names a field as `fieldsV1` does: `f:name`, the item of a keyed list `k:{"name":"x"}`, the
item of a set `v:"x"`. Lists that the schema says nothing about are owned as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.cluster.api_server.refusal import Refusal

Path = tuple[str, ...]
Owner = tuple[str, str, str]
"""Manager, operation (`Apply` or `Update`), subresource."""
Owners = dict[Owner, frozenset[Path]]

_MISSING = object()
_UNOWNED = {
    *("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp"),
    *("managedFields", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"),
    "generateName",
}


def fields(document: dict[str, Any], schema: dict[str, Any], tops: set[str]) -> dict[Path, Any]:
    """The fields of an object below the names *tops*, and their values."""
    owned = {name: value for name, value in document.items() if name in tops}
    if "metadata" in owned:
        metadata = {k: v for k, v in owned["metadata"].items() if k not in _UNOWNED}
        owned["metadata"] = metadata
        if not metadata:
            del owned["metadata"]
    return dict(_leaves(owned, schema, ()))


def apply(
    live: dict[str, Any],
    wanted: dict[Path, Any],
    current: dict[Path, Any],
    owners: Owners,
    owner: Owner,
    force: bool,
) -> Owners:
    """Change *live* to what *owner* applies; the owners after that."""
    conflicts = [
        (other, path)
        for other, paths in owners.items()
        if other != owner
        for path in sorted(paths & wanted.keys())
        if current.get(path, _MISSING) != wanted[path]
    ]
    if conflicts and not force:
        causes = [
            {
                "reason": "FieldManagerConflict",
                "message": f'conflict with "{other[0]}"',
                "field": "".join("." + part.partition(":")[2] for part in path),
            }
            for other, path in conflicts
        ]
        message = f"Apply failed with {len(conflicts)} conflicts: {causes[0]['field']}"
        raise Refusal(409, "Conflict", message, causes)
    lost = {path for _, path in conflicts}
    after = {other: paths - lost for other, paths in owners.items() if other != owner}
    others: frozenset[Path] = frozenset().union(*after.values())
    gone = owners.get(owner, frozenset()) - wanted.keys() - others
    for path in sorted(gone, key=len):
        _remove(live, path)
    for path, value in wanted.items():
        _set(live, path, value)
    after[owner] = frozenset(wanted)
    return {each: paths for each, paths in after.items() if paths}


def update(before: dict[Path, Any], after: dict[Path, Any], owners: Owners, owner: Owner) -> Owners:
    """The owners after *owner* made other values of some fields."""
    changed = {path for path, value in after.items() if before.get(path, _MISSING) != value}
    touched = changed | (before.keys() - after.keys())
    result = {each: paths - touched for each, paths in owners.items()}
    result[owner] = result.get(owner, frozenset()) | changed
    return {each: paths for each, paths in result.items() if paths}


def managed_fields(owners: Owners, api_version: str, time: str) -> list[dict[str, Any]]:
    entries = []
    for (manager, operation, subresource), paths in owners.items():
        tree: dict[str, Any] = {}
        for path in sorted(paths):
            node = tree
            for part in path:
                node = node.setdefault(part, {})
        entry = {
            "manager": manager,
            "operation": operation,
            "apiVersion": api_version,
            "time": time,
            "fieldsType": "FieldsV1",
            "fieldsV1": tree,
        }
        entries.append(entry | ({"subresource": subresource} if subresource else {}))
    return entries


def _leaves(value: Any, schema: dict[str, Any], at: Path) -> Iterator[tuple[Path, Any]]:
    list_type = schema.get("x-kubernetes-list-type")
    if isinstance(value, dict) and value and schema.get("x-kubernetes-map-type") != "atomic":
        for name, each in value.items():
            below = schema.get("properties", {}).get(name)
            if below is None:
                rest = schema.get("additionalProperties")
                below = rest if isinstance(rest, dict) else {}
            yield from _leaves(each, below, (*at, f"f:{name}"))
    elif isinstance(value, list) and value and list_type == "map":
        for item in value:
            keys = {key: item.get(key) for key in schema["x-kubernetes-list-map-keys"]}
            element = (*at, "k:" + json.dumps(keys, sort_keys=True))
            yield element, None
            yield from _leaves(item, schema.get("items", {}), element)
    elif isinstance(value, list) and value and list_type == "set":
        for item in value:
            yield (*at, "v:" + json.dumps(item)), item
    else:
        yield at, value


def _item(node: list[Any], part: str) -> int | None:
    """Where the item of a list is that a part of a path names."""
    wanted = json.loads(part[2:])
    for place, item in enumerate(node):
        if part.startswith("k:"):
            if all(item.get(key) == value for key, value in wanted.items()):
                return place
        elif item == wanted:
            return place
    return None


def _set(node: Any, path: Path, value: Any) -> None:
    for part, following in zip(path, (*path[1:], ""), strict=True):
        if part.startswith("f:"):
            if not following:
                # An empty container says that it is there, not what is in it.
                if value not in ({}, []) or not isinstance(node.get(part[2:]), type(value)):
                    node[part[2:]] = value
                return
            kind: type = dict if following.startswith("f:") else list
            if not isinstance(node.get(part[2:]), kind):
                node[part[2:]] = kind()
            node = node[part[2:]]
        else:
            place = _item(node, part)
            if place is None:
                node.append(json.loads(part[2:]))
                place = -1
            node = node[place]


def _remove(node: Any, path: Path) -> None:
    part, rest = path[0], path[1:]
    if part.startswith("f:"):
        name = part[2:]
        if not isinstance(node, dict) or name not in node:
            return
        if rest:
            _remove(node[name], rest)
        if not rest or node[name] in ({}, []):
            del node[name]
    else:
        place = _item(node, part) if isinstance(node, list) else None
        if place is None:
            return
        if rest:
            _remove(node[place], rest)
        else:
            del node[place]
