"""Pydantic's errors about a document's structure, as problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from hpo_lab.experiment.document import as_text
from hpo_lab.experiment.model import Document, ExperimentSpec
from hpo_lab.experiment.parameter_rules import parameter_problems
from hpo_lab.problems import Problem, nearest

__all__ = ["RuleBroken", "rules_of_sound_part", "shown", "structure_problems"]

Location = tuple[int | str, ...]
_NEEDED = {
    **dict.fromkeys(("value_error", "int_", "float_"), "a number is needed"),
    **dict.fromkeys(("model_", "dict_", "mapping_"), "a mapping is needed"),
    **dict.fromkeys(("tuple_", "list_"), "a list is needed: write '- ' before each entry"),
    "string_type": "text is needed",
    "bool_": "true or false is needed",
    "finite_number": "a finite number is needed",
}
_UNION_MEMBERS = {"int", "float", "str", "bool", "none"}


class RuleBroken(ValueError):
    """A value breaks a rule that its model has; the text is the message of the problem."""


def structure_problems(
    error: ValidationError, model: type[Document]
) -> tuple[list[Problem], list[Location]]:
    """The errors of a document that should be a *model*, as problems, and their locations."""
    details = [(_location(each["loc"]), each) for each in error.errors(include_url=False)]
    problems = [
        Problem(_path(location), _message(detail, location, model)) for location, detail in details
    ]
    # What is missing stands beside, which is said there.
    beside = {
        (*location[:-1], problem.message.split()[2].rstrip(";"))
        for (location, _), problem in zip(details, problems, strict=True)
        if problem.message.startswith("belongs inside")
    }
    problems = [
        problem
        for (location, detail), problem in zip(details, problems, strict=True)
        if not (detail["type"] == "missing" and location in beside)
    ]
    return problems, [location for location, _ in details]


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
    text = as_text(value) if value is None or isinstance(value, bool) else repr(value)
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
        name, fields = str(location[-1]), _fields(location[:-1], model)
        home = _home(name, location[:-1], model)
        hint = nearest(name, fields) or "; allowed are " + ", ".join(fields)
        return home or f"unknown field{hint}"
    if isinstance(broken := detail.get("ctx", {}).get("error"), RuleBroken):
        return str(broken)
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
    if kind == "string_type" and isinstance(detail["input"], bool | int | float):
        return f'found {value}; text is needed: write "{value}"'
    needed = next((words for sign, words in _NEEDED.items() if kind.startswith(sign)), None)
    message = detail["msg"]
    return f"found {value}; {needed or message[0].lower() + message[1:]}"


def _home(name: str, location: Location, model: type[Document]) -> str:
    """Where the field *name* belongs that stands in the part at *location*, in words."""
    part = _part(location, model)
    for field, info in part.model_fields.items():
        inner = _model(info.annotation)
        if inner and name in map(to_camel, inner.model_fields):
            return f"belongs inside {to_camel(field)}; indent it, so that it stands there"
    for length in range(len(location) - 1, 0, -1):
        outer = _part(location[:length], model)
        if name in map(to_camel, outer.model_fields):
            return f"belongs to {_path(location[:length])}, further left"
    return ""


def _fields(location: Location, model: type[Document]) -> list[str]:
    """The names of the fields that the part of a *model* at *location* may have."""
    return [to_camel(name) for name in _part(location, model).model_fields]


def _part(location: Location, model: type[Document]) -> type[Document]:
    for part in location:
        if isinstance(part, str):
            fields = {to_camel(name): field for name, field in model.model_fields.items()}
            model = _model(fields[part].annotation) or model
    return model


def _model(annotation: Any) -> type[Document] | None:
    """The document among the types of *annotation*."""
    if isinstance(annotation, type) and issubclass(annotation, Document):
        return annotation
    return next(filter(None, map(_model, get_args(annotation))), None)
