"""What a request is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from tests.cluster.api_server.kinds import Kind
from tests.cluster.api_server.refusal import Refusal, not_found
from tests.cluster.api_server.selectors import Predicate, field_predicate, label_predicate

_VERBS = {
    "GET": ("list", "get"),
    "POST": ("create", "create"),
    "PUT": ("", "update"),
    "PATCH": ("", "patch"),
    "DELETE": ("deletecollection", "delete"),
}


@dataclass(frozen=True)
class Address:
    verb: str
    kind: Kind
    version: str
    namespace: str
    name: str
    subresource: str
    query: Mapping[str, str]

    @property
    def key(self) -> tuple[str, str]:
        return self.namespace, self.name

    @property
    def manager(self) -> str:
        return self.query.get("fieldManager") or "unknown"

    @cached_property
    def fits(self) -> Predicate:
        """Whether the selectors select an object."""
        labels = label_predicate(self.query.get("labelSelector", ""))
        fields = field_predicate(self.query.get("fieldSelector", ""), self.kind.name)
        return lambda document: labels(document) and fields(document)


def addressed(
    method: str, path: str, query: Mapping[str, str], kinds: Mapping[str, Kind]
) -> Address:
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        group, version, rest = "", parts[1], parts[2:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = (*rest, "", "")[:3]
    kind = kinds.get(f"{plural}.{group}")
    if kind is None or version not in kind.versions or bool(namespace) > kind.is_namespaced:
        raise not_found("the server could not find the requested resource")
    verb = _VERBS[method][bool(name)]
    if verb == "list" and query.get("watch") in ("1", "true"):
        verb = "watch"
    if (kind.name, subresource) == ("Pod", "log"):
        verb = "log"
    if not verb:
        raise Refusal(405, "MethodNotAllowed", f"{method} needs a name")
    return Address(verb, kind, version, namespace, name, subresource, query)
