"""Merge patches (RFC 7386) and JSON patches (RFC 6902)."""

from __future__ import annotations

from typing import Any

from tests.cluster.api_server.refusal import bad_request, invalid


def merged(target: Any, change: Any) -> Any:
    if not isinstance(change, dict):
        return change
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def patched(target: Any, operations: list[dict[str, Any]]) -> Any:
    """The *target*, which is changed, after the operations."""
    for operation in operations:
        *path, last = [
            part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]
        ]
        try:
            parent = target
            for part in path:
                parent = parent[int(part) if isinstance(parent, list) else part]
            is_list = isinstance(parent, list)
            place: Any = last
            if is_list:
                place = len(parent) if last == "-" else int(last)
            match operation["op"]:
                case "add" if is_list:
                    parent.insert(place, operation["value"])
                case "add":
                    parent[place] = operation["value"]
                case "replace":
                    parent[place]  # must be there
                    parent[place] = operation["value"]
                case "remove":
                    del parent[place]
                case "test":
                    if parent[place] != operation["value"]:
                        raise invalid("patch", [(operation["path"], "testing value failed")])
                case other:
                    raise bad_request(f"operation {other!r} of a JSON patch is not kept")
        except (LookupError, TypeError, ValueError) as error:
            raise invalid("patch", [(operation["path"], f"is missing: {error}")]) from error
    return target
