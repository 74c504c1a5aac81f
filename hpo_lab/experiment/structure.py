"""Pydantic's errors about a document's structure, as problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from hpo_lab.experiment.model import Document, ExperimentSpec
from hpo_lab.experiment.parameter_rules import parameter_problems
from hpo_lab.problems import Problem, nearest

__all__ = ["rules_of_sound_part", "shown", "structure_problems"]

Location = tuple[int | str, ...]
_UNION_MEMBERS = {"int", "float", "str", "bool", "none"}


def structure_problems(
    error: ValidationError, model: type[Document]
) -> tuple[list[Problem], list[Location]]:
    """The errors of a document that should be a *model*, as problems, and their locations."""
    problems = []
    broken = []
    for detail in error.errors(include_url=False):
        location = _location(detail["loc"])
        broken.append(location)
        problems.append(Problem(_path(location), _message(detail, location, model)))
    return problems, broken


def rules_of_sound_part(document: Mapping[str, Any], broken: list[Location]) -> list[Problem]:
    """The problems of the sound parameters of a document with *broken* parts.

    So a misspelt field and a wrong range are reported together. Only parameters are checked:
    in other parts, removing the broken fields could cause problems of its own.
    """
    spec = document.get("spec")
    parameters = spec.get("parameters") if isinstance(spec, Mapping) else None
    if not isinstance(parameters, list):
        return []
    cut = {location[2] for location in broken if location[:2] == ("spec", "parameters")}
    kept = [index for index in range(len(parameters)) if index not in cut]
    try:
        partial = ExperimentSpec.model_validate(
            {
                "objective": {"type": "minimize", "objectiveMetricName": "m"},
                "algorithm": {"algorithmName": "random"},
                "parameters": [parameters[index] for index in kept],
            }
        )
    except ValidationError:
        return []
    return [
        Problem(f"spec.parameters[{index}].{field}", message)
        for index, parameter in zip(kept, partial.parameters, strict=True)
        for field, message in parameter_problems(parameter)
    ]


def shown(value: Any) -> str:
    """*value* as a message shows it, in at most 60 characters."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _location(loc: Location) -> Location:
    """The path in the document, without the union members that pydantic adds."""
    return tuple(
        part
        for part in loc
        if not (isinstance(part, str) and (part in _UNION_MEMBERS or "[" in part))
    )


def _path(location: Location) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _message(detail: Any, location: Location, model: type[Document]) -> str:
    value = shown(detail["input"])
    kind = detail["type"]
    if kind == "extra_forbidden":
        fields = _fields(location[:-1], model)
        hint = nearest(str(location[-1]), fields)
        return f"unknown field{hint or '; allowed are ' + ', '.join(fields)}"
    if kind == "missing":
        return "is missing"
    if kind in ("enum", "literal_error"):
        allowed = detail["ctx"]["expected"]
        word = detail["input"]
        hint = (
            nearest(word, allowed.replace("'", "").replace(" or ", ", ").split(", "))
            if (isinstance(word, str))
            else ""
        )
        return f"found {value}; allowed are {allowed}{hint}"
    if kind in ("value_error", "int_parsing", "float_parsing", "int_type", "float_type"):
        return f"found {value}; a number is needed"
    message = detail["msg"]
    return f"found {value}; {message[0].lower()}{message[1:]}"


def _fields(location: Location, model: type[Document]) -> list[str]:
    """The names of the fields that the part of a *model* at *location* may have."""
    for part in location:
        if isinstance(part, str):
            fields = {to_camel(name): field for name, field in model.model_fields.items()}
            model = _model(fields[part].annotation) or model
    return [to_camel(name) for name in model.model_fields]


def _model(annotation: Any) -> type[Document] | None:
    """The document among the types of *annotation*."""
    if isinstance(annotation, type) and issubclass(annotation, Document):
        return annotation
    return next(filter(None, map(_model, get_args(annotation))), None)
