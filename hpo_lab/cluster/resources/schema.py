"""Structural schemas of the models, for CustomResourceDefinitions.

Follows https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/.
A structural schema gives each field one type. Two kinds of values of the document have none:
numbers that may be texts are `int-or-string`, so that a fraction is written in quotation marks,
as Katib wants it; and values of choices and points, which are any scalar, are kept as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from hpo_lab.cluster.resources.refinements import REFINEMENTS, CelRule, Refinement
from hpo_lab.experiment.document import Document

__all__ = ["described", "schema_of", "with_rules"]

_MOST_TEXT, _MOST_ITEMS, _MOST_PROPERTIES = 1024, 100, 64
_ANY_OBJECT = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_ANY_SCALAR = {"x-kubernetes-preserve-unknown-fields": True, "nullable": True}
_INT_OR_TEXT = {
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "x-kubernetes-int-or-string": True,
    "maxLength": 64,
}
_NUMBER = _INT_OR_TEXT | {
    "pattern": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$",
}
_SCALARS: Mapping[Any, Mapping[str, Any]] = {
    str: {"type": "string", "maxLength": _MOST_TEXT},
    int: {"type": "integer", "format": "int64"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
}


def schema_of(model: type[Document]) -> dict[str, Any]:
    """The structural schema of *model*, with the names that a manifest has."""
    refinement = REFINEMENTS.get(model, Refinement())
    properties: dict[str, Any] = {}
    required = []
    for name, info in model.model_fields.items():
        alias = info.alias or name
        schema = _of_type(info.annotation)
        if info.is_required():
            required.append(alias)
        elif info.default_factory is None and info.default not in (None, ()):
            default = info.default
            schema["default"] = default.value if isinstance(default, Enum) else default
        properties[alias] = _merged(schema, refinement.fields.get(alias, {}))
    schema = described(model, {"type": "object", "properties": properties})
    if required:
        schema["required"] = required
    return with_rules(schema, refinement.rules)


def described(model: type[Document], schema: Mapping[str, Any]) -> dict[str, Any]:
    """*schema* with the first paragraph of the docstring of *model* as its description."""
    paragraph = (model.__doc__ or "").strip().partition("\n\n")[0]
    return {"description": " ".join(paragraph.split()), **schema}


def with_rules(schema: Mapping[str, Any], rules: tuple[CelRule, ...]) -> dict[str, Any]:
    """*schema* with *rules* in CEL."""
    if not rules:
        return dict(schema)
    return {**schema, "x-kubernetes-validations": [rule.to_document() for rule in rules]}


def _of_type(annotation: Any) -> dict[str, Any]:
    """The schema of values of a type as the models write it."""
    arguments = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Annotated:
            return _of_type(arguments[0])
        case origin if origin in (Union, UnionType):
            return _of_union([each for each in arguments if each is not NoneType])
        case origin if origin is tuple:
            return {
                "type": "array",
                "items": _of_type(arguments[0]),
                "maxItems": _MOST_ITEMS,
                "x-kubernetes-list-type": "atomic",
            }
        case origin if origin is dict:
            if arguments[1] is Any:
                return dict(_ANY_OBJECT)
            values = _of_type(arguments[1])
            bound = _MOST_PROPERTIES
            return {"type": "object", "additionalProperties": values, "maxProperties": bound}
    if issubclass(annotation, Document):
        return schema_of(annotation)
    if issubclass(annotation, Enum):
        return {"type": "string", "enum": [member.value for member in annotation]}
    return dict(_SCALARS[annotation])


def _of_union(kinds: list[Any]) -> dict[str, Any]:
    if len(kinds) == 1:
        return _of_type(kinds[0])
    if {*kinds} == {int, float}:
        return dict(_NUMBER)
    if {*kinds} == {int, str}:
        return dict(_INT_OR_TEXT)
    if {*kinds} == {bool, int, float, str}:
        return dict(_ANY_SCALAR)
    raise TypeError(f"no structural schema has the types {kinds}")


def _merged(schema: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """*schema* with *more*, mappings within merged likewise."""
    merged = dict(schema)
    for key, value in more.items():
        before = merged.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(before, value) if both else value  # type: ignore[arg-type]
    return merged
