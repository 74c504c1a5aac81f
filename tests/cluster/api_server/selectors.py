"""Label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.cluster.api_server.refusal import bad_request

Predicate = Callable[[dict[str, Any]], bool]

_REQUIREMENT = re.compile(
    r"(?P<absent>!)?(?P<key>[\w./-]+)\s*"
    r"(?:(?P<operator>==?|!=)\s*(?P<value>[\w.-]*)|(?P<set>in|notin)\s*\((?P<values>[^)]*)\))?"
)
_FIELDS = {
    "": ("metadata.name", "metadata.namespace"),
    "Pod": ("spec.nodeName", "status.phase", "spec.restartPolicy"),
    "Job": ("status.successful",),
}


def label_predicate(selector: str) -> Predicate:
    requirements = []
    for text in re.findall(r"(?:[^,(]|\([^)]*\))+", selector):
        match = _REQUIREMENT.fullmatch(text.strip())
        if match is None:
            raise bad_request(f"unable to parse requirement: {text!r}")
        requirements.append(match.groupdict())

    def fits(labels: dict[str, str], each: dict[str, str | None]) -> bool:
        key = each["key"] or ""
        if each["set"]:
            values = {value.strip() for value in (each["values"] or "").split(",")}
            is_in = labels.get(key) in values
            return is_in if each["set"] == "in" else not is_in
        if each["operator"] == "!=":
            return labels.get(key) != each["value"]
        if each["operator"]:
            return labels.get(key) == each["value"]
        return (key in labels) != bool(each["absent"])

    return lambda document: all(
        fits(document["metadata"].get("labels") or {}, each) for each in requirements
    )


def field_predicate(selector: str, kind: str) -> Predicate:
    requirements = []
    for text in filter(None, selector.split(",")):
        match = re.fullmatch(r"([\w.]+)(==?|!=)(.*)", text)
        if match is None:
            raise bad_request(f"invalid field selector: {text!r}")
        if match[1] not in (*_FIELDS[""], *_FIELDS.get(kind, ())):
            raise bad_request(f"field label not supported: {match[1]}")
        requirements.append((match[1].split("."), match[2] != "!=", match[3]))

    def value(document: Any, path: list[str]) -> str:
        for name in path:
            document = (document or {}).get(name)
        return str(document or "")

    return lambda document: all(
        (value(document, path) == wanted) == equal for path, equal, wanted in requirements
    )
