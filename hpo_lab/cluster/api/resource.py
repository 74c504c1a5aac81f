"""Kinds of objects of an API server, and what all objects have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import quote

__all__ = [
    "DEFINITIONS",
    "JOBS",
    "LEASES",
    "NAMESPACES",
    "PODS",
    "TOKEN_REVIEWS",
    "ApiResource",
    "Key",
    "Object",
    "ObjectList",
    "key_of",
    "uid_of",
    "version_of",
]

Object: TypeAlias = dict[str, Any]
"""An object as the API server writes it in JSON."""

Key: TypeAlias = tuple[str, str]
"""Namespace and name of an object; the namespace is empty for objects of the whole cluster."""


@dataclass(frozen=True, slots=True)
class ApiResource:
    """A resource: a kind of objects, and where the API server has them.

    Attributes:
        group: Such as `batch`; empty for the core group.
        version: Such as `v1`.
        plural: The name in addresses, such as `jobs`.
        kind: The name in objects, such as `Job`.
        is_namespaced: Whether its objects belong to a namespace.
    """

    group: str
    version: str
    plural: str
    kind: str
    is_namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The group and version as objects write it, such as `batch/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of an address: of all objects, those of a *namespace*, or a single object."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace and self.is_namespaced:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, *subresource.split("/")) if part]
        # A name comes from elsewhere: it must not lead to another resource.
        return "/" + "/".join(quote(part, safe="") for part in parts)

    def typed(self, document: Mapping[str, Any]) -> Object:
        """The document with its kind, which objects of a list lack."""
        return {"apiVersion": self.api_version, "kind": self.kind, **document}


@dataclass(frozen=True, slots=True)
class ObjectList:
    """Objects of a kind, and the resource version from which a watch continues.

    Attributes:
        items: The objects. They lack `apiVersion` and `kind`, as in every list of the server.
        resource_version: The state of the server that the list shows.
    """

    items: tuple[Object, ...]
    resource_version: str


DEFINITIONS: Final = ApiResource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False
)
JOBS: Final = ApiResource("batch", "v1", "jobs", "Job")
LEASES: Final = ApiResource("coordination.k8s.io", "v1", "leases", "Lease")
NAMESPACES: Final = ApiResource("", "v1", "namespaces", "Namespace", False)
PODS: Final = ApiResource("", "v1", "pods", "Pod")
TOKEN_REVIEWS: Final = ApiResource(
    "authentication.k8s.io", "v1", "tokenreviews", "TokenReview", False
)


def key_of(document: Mapping[str, Any]) -> Key:
    """Namespace and name of an object."""
    metadata = document["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def uid_of(document: Mapping[str, Any]) -> str:
    """What tells an object from a later one of the same name."""
    return str(document["metadata"]["uid"])


def version_of(document: Mapping[str, Any]) -> int:
    """The resource version of an object, which grows with each change of objects of its kind.

    KEP-5504 makes these numbers comparable; they always were, of objects of one kind.
    """
    return int(document["metadata"]["resourceVersion"])
