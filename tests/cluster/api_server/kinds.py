"""The kinds that the double serves: built-in ones, and those that definitions register."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft4Validator

from tests.cluster.api_server import schemas
from tests.cluster.api_server.refusal import invalid

Object = dict[str, Any]
Check = Callable[[Object | None, Object], list[tuple[str, str]]]


@dataclass
class Version:
    schema: schemas.Schema = field(default_factory=dict)
    has_status: bool = True
    check: Draft4Validator | None = None


@dataclass
class Kind:
    """A kind of objects; `versions` are those that are served."""

    group: str
    plural: str
    name: str
    versions: dict[str, Version]
    is_namespaced: bool = True
    is_custom: bool = False
    has_generation: bool = False
    check: Check = lambda old, new: []

    @property
    def id(self) -> str:
        return f"{self.plural}.{self.group}"

    def api_version(self, version: str) -> str:
        return f"{self.group}/{version}" if self.group else version


def _check_job(old: Object | None, new: Object) -> list[tuple[str, str]]:
    spec = new.get("spec") or {}
    pod = (spec.get("template") or {}).get("spec") or {}
    problems = []
    if pod.get("restartPolicy") not in ("Never", "OnFailure"):
        problems.append(("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"'))
    if not pod.get("containers"):
        problems.append(("spec.template.spec.containers", "Required value"))
    if old is not None and old["spec"].get("template") != spec.get("template"):
        problems.append(("spec.template", "field is immutable"))
    return problems


def _check_pod(old: Object | None, new: Object) -> list[tuple[str, str]]:
    has_containers = bool((new.get("spec") or {}).get("containers"))
    return [] if has_containers else [("spec.containers", "Required value")]


def _check_definition(old: Object | None, new: Object) -> list[tuple[str, str]]:
    spec = new.get("spec") or {}
    problems = []
    for place, version in enumerate(spec.get("versions") or [{}]):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            where = f"spec.versions[{place}].schema.openAPIV3Schema"
            problems.append((where, "Required value: schemas are required"))
    names = spec.get("names") or {}
    if new["metadata"]["name"] != f"{names.get('plural')}.{spec.get('group')}":
        problems.append(("metadata.name", "must be spec.names.plural+'.'+spec.group"))
    if spec.get("scope") not in ("Namespaced", "Cluster"):
        problems.append(("spec.scope", "Required value"))
    return problems


def built_in() -> dict[str, Kind]:
    kinds = [
        Kind("", plural, name, {"v1": Version(has_status=has_status)}, check=check)
        for plural, name, has_status, check in (
            ("configmaps", "ConfigMap", False, lambda old, new: []),
            ("events", "Event", False, lambda old, new: []),
            ("persistentvolumeclaims", "PersistentVolumeClaim", True, lambda old, new: []),
            ("pods", "Pod", True, _check_pod),
            ("secrets", "Secret", False, lambda old, new: []),
            ("serviceaccounts", "ServiceAccount", False, lambda old, new: []),
            ("services", "Service", True, lambda old, new: []),
        )
    ]
    kinds += [
        Kind("", "namespaces", "Namespace", {"v1": Version()}, False),
        Kind("events.k8s.io", "events", "Event", {"v1": Version(has_status=False)}),
        Kind("batch", "jobs", "Job", {"v1": Version()}, has_generation=True, check=_check_job),
        Kind("coordination.k8s.io", "leases", "Lease", {"v1": Version(has_status=False)}),
        Kind("authentication.k8s.io", "tokenreviews", "TokenReview", {"v1": Version()}, False),
        Kind(
            *("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition"),
            {"v1": Version()},
            False,
            has_generation=True,
            check=_check_definition,
        ),
    ]
    return {kind.id: kind for kind in kinds}


def defined(definition: Object) -> Kind:
    """The kind that a definition registers."""
    spec = definition["spec"]
    versions = {}
    for each in spec["versions"]:
        if each.get("served"):
            schema = each["schema"]["openAPIV3Schema"]
            has_status = "status" in (each.get("subresources") or {})
            versions[each["name"]] = Version(schema, has_status, schemas.validator(schema))
    return Kind(
        spec["group"],
        spec["names"]["plural"],
        spec["names"]["kind"],
        versions,
        spec["scope"] == "Namespaced",
        is_custom=True,
        has_generation=True,
    )


def shaped(kind: Kind, version: Version, old: Object | None, new: Object) -> Object:
    """The object as it is stored: pruned, with defaults, and refused if it is wrong."""
    if kind.is_custom:
        new = schemas.pruned(new, version.schema)
        schemas.set_defaults(new, version.schema)
    problems = kind.check(old, new)
    if version.check is not None:
        problems = problems + schemas.problems(version.check, new)
    for name, value in (new["metadata"].get("labels") or {}).items():
        if not isinstance(value, str) or len(value) > 63:
            problems.append(("metadata.labels", f"{name}: must be no more than 63 characters"))
    if problems:
        raise invalid(f"{kind.name} {new['metadata'].get('name')!r}", problems)
    return new
