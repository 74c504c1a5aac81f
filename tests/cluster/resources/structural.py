"""Structural schemas as JSON schemas, as far as an API server validates by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft4Validator

from hpo_lab.cluster.resources.definitions import GROUP, definitions

_SAME = (
    *("type", "enum", "pattern", "required", "anyOf", "format"),
    *("minimum", "maximum", "exclusiveMinimum"),
    *("minLength", "maxLength", "maxItems", "maxProperties"),
)


def as_json_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema that refuses what an API server refuses, fields that it drops included."""
    result: dict[str, Any] = {key: schema[key] for key in _SAME if key in schema}
    if "items" in schema:
        result["items"] = as_json_schema(schema["items"])
    keeps = schema.get("x-kubernetes-preserve-unknown-fields", False)
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        result["properties"] = {
            name: as_json_schema(part) for name, part in properties.items() if name != "metadata"
        }
        if "metadata" in properties:
            result["properties"]["metadata"] = {"type": "object"}
        values = schema.get("additionalProperties")
        result["additionalProperties"] = as_json_schema(values) if values else keeps
    return result


def definition(kind: str, group: str = GROUP) -> dict[str, Any]:
    """The CustomResourceDefinition of *kind*."""
    by_kind = {each["spec"]["names"]["kind"]: each for each in definitions(group)}
    return by_kind[kind]


def schema(kind: str) -> dict[str, Any]:
    """The structural schema of *kind*."""
    (version,) = definition(kind)["spec"]["versions"]
    whole: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return whole


def errors(kind: str, document: Any) -> list[str]:
    """What the schema of *kind* refuses in *document*, with its path."""
    validator = Draft4Validator(as_json_schema(schema(kind)))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def parts(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every part of a structural schema with its path."""
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from parts(part, f"{path}.{name}")
    for field in ("items", "additionalProperties"):
        if field in schema:
            yield from parts(schema[field], f"{path}[]")
