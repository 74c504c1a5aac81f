"""Spellings of earlier Katib versions and of common mistakes, brought up to date.

Katib refuses these spellings today, but their meaning is clear. They are read as their
current spelling, with a warning. The functions work on plain data, before the model checks
its structure.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hpo_lab.experiment.document import as_number
from hpo_lab.experiment.model import KATIB_API_VERSION
from hpo_lab.problems import Problem

__all__ = ["OLDER_COLLECTORS", "brought_up_to_date"]

_WITH_GO_TEMPLATES = "kubeflow.org/v1alpha3"
"""Katib's version before the present one; its trial template is a `goTemplate`."""
OLDER_COLLECTORS: Final = {"Prometheus": "PrometheusMetric", "None": "Push"}
"""Kinds of collectors under names that Katib does not know, with their present names."""


def brought_up_to_date(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """*document*, a manifest, in today's spelling, and a warning for each change."""
    new = copy.deepcopy(dict(document))
    spec = _mapping(new.get("spec"))
    collector = _mapping(spec.get("metricsCollectorSpec"))
    warnings = [
        *_version(new),
        *_collector_kind(_mapping(collector.get("collector"))),
        *_file_format(_mapping(_mapping(collector.get("source")).get("fileSystemPath"))),
    ]
    for path, parameter in _parameters(spec):
        warnings += _listed_numbers(parameter, path)
        if new.get("apiVersion") == KATIB_API_VERSION:
            warnings += _unquoted(_mapping(parameter.get("feasibleSpace")), path)
    return new, warnings


def _version(document: dict[str, Any]) -> Iterator[Problem]:
    if document.get("apiVersion") == _WITH_GO_TEMPLATES:
        document["apiVersion"] = KATIB_API_VERSION
        message = f"Katib refuses {_WITH_GO_TEMPLATES!r}; taken as {KATIB_API_VERSION!r}"
        yield Problem("apiVersion", message)


def _collector_kind(collector: dict[str, Any]) -> Iterator[Problem]:
    path = "spec.metricsCollectorSpec.collector"
    kind = collector.get("kind")
    if isinstance(kind, str) and kind in OLDER_COLLECTORS:
        collector["kind"] = present = OLDER_COLLECTORS[kind]
        yield Problem(f"{path}.kind", f"Katib refuses {kind!r}; taken as {present!r}")
    custom = _mapping(collector.get("customCollector"))
    if list(custom) == ["container"] and isinstance(custom["container"], dict):
        collector["customCollector"] = custom["container"]
        yield Problem(
            f"{path}.customCollector",
            "Katib knows no field 'container' here; its content is taken as the container",
        )


def _file_format(path: dict[str, Any]) -> Iterator[Problem]:
    written = path.get("format")
    if isinstance(written, str) and written in ("text", "json"):
        path["format"] = written.upper()
        yield Problem(
            "spec.metricsCollectorSpec.source.fileSystemPath.format",
            f"Katib refuses {written!r}; taken as {written.upper()!r}",
        )


def _listed_numbers(parameter: dict[str, Any], path: str) -> Iterator[Problem]:
    space = _mapping(parameter.get("feasibleSpace"))
    kind = parameter.get("parameterType")
    values = space.get("list")
    if (
        kind not in ("int", "double")
        or not isinstance(values, list)
        or space.keys()
        - {
            "list",
            "distribution",
        }
    ):
        return
    try:
        numbers = [as_number(value) for value in values]
        if kind == "int" and any(number != int(number) for number in numbers):
            return
    except (ValueError, TypeError, OverflowError):
        return
    parameter["parameterType"] = "discrete"
    yield Problem(
        f"{path}.feasibleSpace.list",
        f"Katib refuses a list for a parameter of type {kind}; taken as type discrete",
    )


def _unquoted(space: dict[str, Any], path: str) -> Iterator[Problem]:
    values = [space.get(field) for field in ("min", "max", "step")]
    listed = space.get("list")
    values += listed if isinstance(listed, list) else []
    if any(isinstance(value, bool | int | float) for value in values):
        yield Problem(f"{path}.feasibleSpace", "Katib refuses values without quotation marks")


def _parameters(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    lists = [("spec.parameters", spec.get("parameters"))]
    operations = _mapping(spec.get("nasConfig")).get("operations")
    for index, operation in enumerate(operations if isinstance(operations, list) else ()):
        path = f"spec.nasConfig.operations[{index}].parameters"
        lists.append((path, _mapping(operation).get("parameters")))
    for path, parameters in lists:
        for index, parameter in enumerate(parameters if isinstance(parameters, list) else ()):
            if isinstance(parameter, dict):
                yield f"{path}[{index}]", parameter


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
