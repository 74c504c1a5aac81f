"""What the schema of a custom resource does to its objects: pruning, defaults, refusals."""

from __future__ import annotations

import copy
from typing import Any

from jsonschema import Draft4Validator

Schema = dict[str, Any]

_ALWAYS = ("apiVersion", "kind", "metadata")


def pruned(value: Any, schema: Schema, *, is_object: bool = True) -> Any:
    """The value without fields that the schema does not name."""
    if isinstance(value, list):
        return [pruned(each, schema.get("items", {}), is_object=False) for each in value]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    rest = schema.get("additionalProperties")
    keeps = schema.get("x-kubernetes-preserve-unknown-fields", False) or rest is True
    is_object = is_object or schema.get("x-kubernetes-embedded-resource", False)
    result = {}
    for name, each in value.items():
        if is_object and name in _ALWAYS:
            result[name] = each
        elif name in properties:
            result[name] = pruned(each, properties[name], is_object=False)
        elif isinstance(rest, dict):
            result[name] = pruned(each, rest, is_object=False)
        elif keeps:
            result[name] = each
    return result


def set_defaults(value: Any, schema: Schema) -> None:
    """Add the defaults of the schema to the value."""
    if isinstance(value, list):
        for each in value:
            set_defaults(each, schema.get("items", {}))
    elif isinstance(value, dict):
        for name, below in schema.get("properties", {}).items():
            if name not in value and "default" in below:
                value[name] = copy.deepcopy(below["default"])
            if name in value:
                set_defaults(value[name], below)
        rest = schema.get("additionalProperties")
        if isinstance(rest, dict):
            for name in value.keys() - schema.get("properties", {}).keys():
                set_defaults(value[name], rest)


def validator(schema: Schema) -> Draft4Validator:
    """Draft 4 is nearest to OpenAPI 3.0, which has `exclusiveMinimum` as a truth value, too."""
    return Draft4Validator(_nullable(schema))


def problems(check: Draft4Validator, document: Any) -> list[tuple[str, str]]:
    return [
        (".".join(map(str, error.absolute_path)) or "<root>", error.message)
        for error in check.iter_errors(document)
    ]


def _nullable(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_nullable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: _nullable(each) for name, each in schema.items()}
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        result["type"] = [schema["type"], "null"]
    return result
