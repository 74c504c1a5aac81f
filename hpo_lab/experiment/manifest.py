"""Manifests in and out: YAML or JSON text, or plain data, to the model and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from hpo_lab.experiment.model import Document, Experiment, ExperimentSpec
from hpo_lab.experiment.rules import experiment_problems, parameter_problems
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["dump", "load", "parse", "read"]

_LARGEST = 10 * 1024 * 1024
_MOST_VALUES = 200_000


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: a key given twice, or one that is no text, is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is not text", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


# A date in a manifest is text to every Kubernetes tool.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: str | Path) -> Experiment:
    """Read and check the manifest at *path* (YAML or JSON, UTF-8, at most 10 MiB).

    Raises:
        InvalidInput: with every problem found.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise _invalid(str(path), f"is {size} bytes large; a manifest has at most {_LARGEST}")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(str(path), f"is not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise _invalid(str(path), f"cannot be read: {error.strerror or error}") from None
    return load(text, source=str(path))


def load(text: str, *, source: str = "") -> Experiment:
    """The experiment described by *text*, YAML or JSON; *source* names it in messages.

    Raises:
        InvalidInput: with every problem found.
    """
    try:
        documents = [document for document in yaml.load_all(text, _Loader) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise _invalid(place, f"not valid YAML: {error.problem or error.context}", source) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _invalid("", f"not valid YAML: {error or 'nested too deeply'}", source) from None
    if len(documents) != 1:
        found = f"{len(documents)} documents" if documents else "nothing"
        raise _invalid("", f"found {found}; a manifest holds one Experiment", source)
    if _values(documents[0]) > _MOST_VALUES:
        raise _invalid("", f"describes more than {_MOST_VALUES} values (endless alias?)", source)
    return parse(documents[0], source=source)


def parse(document: Any, *, source: str = "") -> Experiment:
    """The experiment described by plain data; *source* names it in messages.

    Raises:
        InvalidInput: with every problem found.
    """
    if not isinstance(document, Mapping):
        raise _invalid("", f"found {_shown(document)}; a manifest is a mapping", source)
    try:
        experiment = Experiment.model_validate(document)
    except ValidationError as error:
        raise InvalidInput(_structure(error, document), source) from None
    problems = experiment_problems(experiment)
    if problems:
        raise InvalidInput(problems, source)
    return experiment


def dump(experiment: Experiment, form: str = "yaml") -> str:
    """The manifest of *experiment* as text, `"yaml"` or `"json"`."""
    document = experiment.to_document()
    if form == "json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def _values(document: Any) -> int:
    """How many values a document holds with its aliases followed, counted up to the limit."""
    count, pending = 0, [document]
    while pending and count <= _MOST_VALUES:
        value = pending.pop()
        count += 1
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return count


def _invalid(where: str, message: str, source: str = "") -> InvalidInput:
    return InvalidInput([Problem(where, message)], source)


def _structure(error: ValidationError, document: Mapping[str, Any]) -> list[Problem]:
    """Pydantic's errors as problems, plus what the rules find in the sound parts."""
    problems = []
    broken: list[tuple[str | int, ...]] = []
    for detail in error.errors(include_url=False):
        location = _location(detail["loc"])
        broken.append(location)
        problems.append(Problem(_path(location), _message(detail, location)))
    problems += _rules_of_sound_part(document, broken)
    return problems


def _location(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The path in the document: union members that pydantic names are no part of it."""
    return tuple(
        part
        for part in loc
        if not (isinstance(part, str) and (part in _UNION_MEMBERS or "[" in part))
    )


_UNION_MEMBERS = {"int", "float", "str", "bool", "none"}


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _message(detail: Any, location: tuple[int | str, ...]) -> str:
    found = _shown(detail["input"])
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"unknown field{nearest(str(location[-1]), _known_fields())}"
    if kind == "missing":
        return "is missing"
    if kind in ("enum", "literal_error"):
        allowed = detail["ctx"]["expected"]
        word = detail["input"]
        hint = nearest(word, allowed.replace("'", "").replace(" or ", ", ").split(", "))
        return f"found {found}; allowed are {allowed}{hint if isinstance(word, str) else ''}"
    if kind in ("value_error", "int_parsing", "float_parsing", "int_type", "float_type"):
        return f"found {found}; a number is needed"
    message = detail["msg"]
    return f"found {found}; {message[0].lower()}{message[1:]}"


def _known_fields() -> list[str]:
    """Every field name of the document."""
    return sorted(
        {to_camel(field) for model in Document.__subclasses__() for field in model.model_fields}
    )


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _rules_of_sound_part(
    document: Mapping[str, Any], broken: list[tuple[str | int, ...]]
) -> list[Problem]:
    """Check what remains when the broken parts are taken out, where that is a document.

    So a misspelt field and a wrong range are reported together. Only problems of
    parameters and metadata are certain then: absence elsewhere may come of the cut.
    """
    spec = document.get("spec")
    if not isinstance(spec, Mapping):
        return []
    cut = {location[2] for location in broken if location[:2] == ("spec", "parameters")}
    parameters = spec.get("parameters")
    if not isinstance(parameters, list):
        return []
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
