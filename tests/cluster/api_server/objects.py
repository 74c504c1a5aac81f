"""What the verbs of the API do to objects."""

from __future__ import annotations

import json
import random
import re
import string
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.cluster.api_server import ownership, schemas
from tests.cluster.api_server.kinds import Kind, Version, built_in, defined, shaped
from tests.cluster.api_server.refusal import Refusal, bad_request, conflict, invalid, not_found
from tests.cluster.api_server.selectors import Predicate
from tests.cluster.api_server.storage import Key, Object, Storage

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
FINALIZERS = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
"""The finalizers by which the garbage collector is waited for."""
_TYPE = {"apiVersion", "kind"}
_GIVEN_BY_SERVER = (
    "managedFields",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
)
_KEPT = (
    *("name", "namespace", "uid", "creationTimestamp", "generation"),
    *("deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "generateName"),
)


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def copied(value: Any) -> Any:
    return json.loads(json.dumps(value))


class Objects:
    """All objects of all kinds; its methods are those of the API, without HTTP."""

    def __init__(self) -> None:
        self.storage = Storage()
        self.kinds = built_in()
        self.tokens: dict[str, dict[str, Any]] = {}
        """By token the `status` that a TokenReview of it gets."""
        for name in ("default", "kube-system"):
            self.create(self.kind("Namespace"), "v1", "", {"metadata": {"name": name}})

    def kind(self, name: str) -> Kind:
        """The kind of that name."""
        return next(kind for kind in self.kinds.values() if kind.name == name)

    def find(
        self, kind: str, namespace: str = "", fits: Predicate = lambda _: True
    ) -> list[Object]:
        """The objects of a kind, by its name."""
        return self.listed(self.kind(kind), namespace, fits)

    def listed(self, kind: Kind, namespace: str, fits: Predicate) -> list[Object]:
        return [
            document
            for key, document in sorted(self.storage.objects[kind.id].items())
            if namespace in ("", key[0]) and fits(document)
        ]

    def read(self, kind: Kind, namespace: str, name: str) -> Object:
        try:
            return self.storage.objects[kind.id][namespace, name]
        except KeyError:
            raise not_found(f'{kind.plural} "{name}" not found') from None

    def create(
        self,
        kind: Kind,
        version: str,
        namespace: str,
        document: Object,
        *,
        manager: str = "double",
        operation: str = "Update",
    ) -> Object:
        document = copied(document)
        metadata = document.setdefault("metadata", {})
        if metadata.get("resourceVersion"):
            raise bad_request("resourceVersion should not be set on objects to be created")
        if metadata.get("namespace", namespace) != namespace:
            raise bad_request("the namespace of the object does not match that of the request")
        if kind.is_namespaced:
            self._enter(namespace)
            metadata["namespace"] = namespace
        if not metadata.get("name") and metadata.get("generateName"):
            letters = random.choices(string.ascii_lowercase + string.digits, k=5)
            metadata["name"] = metadata["generateName"] + "".join(letters)
        name = metadata.get("name") or ""
        if not _NAME.fullmatch(name) or len(name) > 253:
            raise invalid(kind.name, [("metadata.name", f"{name!r} is no DNS subdomain")])
        key = (namespace, name)
        if key in self.storage.objects[kind.id]:
            raise Refusal(409, "AlreadyExists", f'{kind.plural} "{name}" already exists')
        for field in _GIVEN_BY_SERVER:
            metadata.pop(field, None)
        metadata.update(uid=str(uuid.uuid4()), creationTimestamp=now())
        if kind.has_generation:
            metadata["generation"] = 1
        served = kind.versions[version]
        if served.has_status:
            document.pop("status", None)
        document = self._typed(kind, version, document)
        written = self._pruned(kind, served, document)
        document = shaped(kind, served, None, document)
        if kind.name == "Pod":
            document["status"] = {"phase": "Pending"}
        if kind.name == "CustomResourceDefinition":
            document["status"] = _established(document)
        owned = written if operation == "Apply" else document
        tops = {*document} - _TYPE - ({"status"} if served.has_status else set())
        owners = {(manager, operation, ""): frozenset(ownership.fields(owned, served.schema, tops))}
        return self._put(kind, version, key, document, owners)

    def update(
        self,
        kind: Kind,
        version: str,
        key: Key,
        change: Callable[[Object], Object],
        *,
        subresource: str = "",
        manager: str = "double",
    ) -> Object:
        """Replace an object by what *change* makes of a copy of it."""
        old = self.read(kind, *key)
        served = self._served(kind, version, subresource)
        new = self._kept(old, change(self._typed(kind, version, copied(old))), served, subresource)
        new = shaped(kind, served, old, self._typed(kind, version, new))
        tops = self._tops(served, subresource, old, new)
        owners = ownership.update(
            ownership.fields(old, served.schema, tops),
            ownership.fields(new, served.schema, tops),
            self.storage.owners[old["metadata"]["uid"]],
            (manager, "Update", subresource),
        )
        return self._replace(kind, version, key, old, new, owners)

    def apply(
        self,
        kind: Kind,
        version: str,
        key: Key,
        document: Object,
        *,
        subresource: str = "",
        manager: str,
        force: bool,
    ) -> Object:
        """Server-side apply."""
        served = self._served(kind, version, subresource)
        named = {**(document.get("metadata") or {}), "name": key[1]}
        document = {**document, "metadata": named}
        if named.get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        if key not in self.storage.objects[kind.id] and not subresource:
            if named.get("uid"):
                raise conflict("uid mismatch: the object of this uid does not exist")
            return self.create(kind, version, key[0], document, manager=manager, operation="Apply")
        old = self.read(kind, *key)
        live = copied(old)
        live["metadata"].update(
            {name: named[name] for name in ("uid", "resourceVersion") if name in named}
        )
        tops = self._tops(served, subresource, old, document)
        owners = ownership.apply(
            live,
            ownership.fields(self._pruned(kind, served, document), served.schema, tops),
            ownership.fields(old, served.schema, tops),
            self.storage.owners[old["metadata"]["uid"]],
            (manager, "Apply", subresource),
            force,
        )
        new = self._kept(old, live, served, subresource)
        new = shaped(kind, served, old, self._typed(kind, version, new))
        return self._replace(kind, version, key, old, new, owners)

    def delete(
        self,
        kind: Kind,
        key: Key,
        *,
        propagation: str = "Background",
        uid: str = "",
        grace: int | None = None,
    ) -> Object | None:
        """Delete an object; what is left of it while something has to come first."""
        old = self.read(kind, *key)
        metadata = {**old["metadata"]}
        if uid and uid != metadata["uid"]:
            message = f"UID in precondition: {uid}, UID in object meta: {metadata['uid']}"
            raise conflict(f"Precondition failed: {message}")
        if propagation in FINALIZERS:
            finalizers = [*(metadata.get("finalizers") or ())]
            metadata["finalizers"] = [*finalizers, FINALIZERS[propagation]]
        runs = kind.name == "Pod" and (old.get("spec") or {}).get("nodeName") and grace != 0
        if old.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            runs = False
        if not metadata.get("finalizers") and not runs:
            self._end(kind, key)
            return None
        if "deletionTimestamp" not in metadata:
            metadata["deletionTimestamp"] = now()
            metadata["deletionGracePeriodSeconds"] = (
                0 if not runs else 30 if grace is None else grace
            )
            if kind.has_generation:
                metadata["generation"] += 1
        new = {**old, "metadata": metadata}
        return old if new == old else self.storage.put(kind.id, key, new)

    def _enter(self, namespace: str) -> None:
        """Refuse to create something in a namespace that is not there."""
        if not namespace:
            raise bad_request("an empty namespace may not be set during creation")
        self.read(self.kind("Namespace"), "", namespace)

    def _end(self, kind: Kind, key: Key) -> None:
        """Remove an object with what lives in it."""
        if kind.name == "Namespace":
            for other in [*self.kinds.values()]:
                for inner in [each for each in self.storage.objects[other.id] if each[0] == key[1]]:
                    self.storage.remove(other.id, inner)
        if kind.name == "CustomResourceDefinition" and key[1] in self.kinds:
            for inner in [*self.storage.objects[key[1]]]:
                self.storage.remove(key[1], inner)
            del self.kinds[key[1]]
        self.storage.remove(kind.id, key)

    def _kept(self, old: Object, new: Object, served: Version, subresource: str) -> Object:
        """The *new* object with what this request cannot change."""
        metadata = {**(new.get("metadata") or {})}
        # The status of custom resources is written whatever uid a patch names.
        if (
            not subresource
            and metadata.get("uid", old["metadata"]["uid"]) != old["metadata"]["uid"]
        ):
            raise invalid(str(metadata.get("name")), [("metadata.uid", "field is immutable")])
        version = metadata.get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise conflict("the object has been modified; apply your changes to the latest version")
        if metadata.get("name", old["metadata"]["name"]) != old["metadata"]["name"]:
            raise bad_request("the name of the object does not match that of the request")
        if subresource == "status":
            new = {**old, "status": new.get("status")}
            metadata = {**old["metadata"]}
        elif served.has_status:
            new = {**new, "status": old.get("status")}
        for field in _KEPT:
            metadata.pop(field, None)
            if field in old["metadata"]:
                metadata[field] = old["metadata"][field]
        metadata = {name: value for name, value in metadata.items() if value is not None}
        new = {**new, "metadata": metadata}
        return {name: value for name, value in new.items() if value is not None}

    def _replace(
        self,
        kind: Kind,
        version: str,
        key: Key,
        old: Object,
        new: Object,
        owners: ownership.Owners,
    ) -> Object:
        uncounted = {"metadata", *_TYPE}
        if kind.versions[version].has_status:
            uncounted.add("status")
        if kind.has_generation and any(
            old.get(name) != new.get(name) for name in (old.keys() | new.keys()) - uncounted
        ):
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        if (
            old["metadata"].get("finalizers")
            and not new["metadata"].get("finalizers")
            and ("deletionTimestamp" in old["metadata"])
        ):
            self._end(kind, key)
            return new
        stays = {**new["metadata"], "resourceVersion": old["metadata"]["resourceVersion"]}
        is_same = {**new, "metadata": stays, "apiVersion": old["apiVersion"]} == old
        if is_same and owners == self.storage.owners[old["metadata"]["uid"]]:
            return old
        return self._put(kind, version, key, new, owners)

    def _put(
        self, kind: Kind, version: str, key: Key, document: Object, owners: ownership.Owners
    ) -> Object:
        entries = ownership.managed_fields(owners, kind.api_version(version), now())
        metadata = {**document["metadata"], "managedFields": entries}
        stored = self.storage.put(kind.id, key, {**document, "metadata": metadata})
        self.storage.owners[metadata["uid"]] = owners
        if kind.name == "CustomResourceDefinition":
            self.kinds[key[1]] = defined(stored)
        return stored

    def _served(self, kind: Kind, version: str, subresource: str) -> Version:
        served = kind.versions[version]
        if subresource and not (subresource == "status" and served.has_status):
            raise not_found("the server could not find the requested resource")
        return served

    def _tops(self, served: Version, subresource: str, *documents: Object) -> set[str]:
        """The names below which this request owns fields."""
        if subresource:
            return {subresource}
        names = {name for document in documents for name in document} - _TYPE
        return names - {"status"} if served.has_status else names

    def _pruned(self, kind: Kind, served: Version, document: Object) -> Object:
        if not kind.is_custom:
            return document
        pruned: Object = schemas.pruned(document, served.schema)
        return pruned

    def _typed(self, kind: Kind, version: str, document: Object) -> Object:
        return {**document, "apiVersion": kind.api_version(version), "kind": kind.name}


def _established(definition: Object) -> Object:
    return {
        "acceptedNames": definition["spec"]["names"],
        "conditions": [
            {"type": each, "status": "True", "reason": each, "lastTransitionTime": now()}
            for each in ("NamesAccepted", "Established")
        ],
        "storedVersions": [
            each["name"] for each in definition["spec"]["versions"] if each.get("storage")
        ],
    }
