"""Rules for the `metricsCollectorSpec` of an experiment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from hpo_lab.experiment.collector import CollectorKind, FileFormat, MetricsCollector, PathKind
from hpo_lab.experiment.job_structure import container_problems
from hpo_lab.problems import Problem

__all__ = ["collector_problems", "only_in_python"]

_PATH = "spec.metricsCollectorSpec"
_ONLY_IN_RE2 = {
    r"\[\[:\^?\w+:\]\]": "a class such as [[:alpha:]]",
    r"\\[pP]": r"a Unicode class such as \pL",
    r"\\[zCQE]": r"one of \z, \C, \Q, \E",
    r"\(\?[a-zA-Z]*U": "the flag U",
    r"\(\?<[A-Za-z_]": "a group named by (?<name>...); write (?P<name>...)",
}
_ONLY_IN_PYTHON = {
    r"\(\?<?[=!]": "a look-ahead or look-behind",
    r"\\[1-9]|\(\?P=": "a back-reference",
    r"\(\?>|[*+?}]\+": "an atomic group or possessive quantifier",
    r"\(\?\(": "a conditional group",
}


def collector_problems(collector: MetricsCollector | None) -> Iterator[Problem]:
    """Every problem of a `metricsCollectorSpec`, with its path from `spec`."""
    if collector is None:
        return
    match collector.kind:
        case CollectorKind.FILE:
            yield from _path(collector, (PathKind.FILE,))
            yield from _filter_of_json(collector)
        case CollectorKind.TENSORFLOW_EVENT:
            yield from _path(collector, (PathKind.DIRECTORY,))
            if collector.file_system_path.format is not None:
                yield Problem(
                    f"{_PATH}.source.fileSystemPath.format",
                    "is not allowed for event files, which have one format only",
                )
        case CollectorKind.PROMETHEUS_METRIC:
            yield from _http(collector)
        case CollectorKind.CUSTOM:
            container = collector.collector.custom_collector
            path = f"{_PATH}.collector.customCollector"
            if container:
                yield from container_problems(container, path)
            else:
                yield Problem(path, "is missing; a collector of kind Custom needs a container")
            if collector.source and collector.source.file_system_path:
                yield from _path(collector, (PathKind.FILE, PathKind.DIRECTORY))
        case _:
            pass
    yield from _formats(collector)


def only_in_python(pattern: str) -> str | None:
    """The construct in *pattern* that Go's regular expressions lack, in words; None if none."""
    return _construct(pattern, _ONLY_IN_PYTHON)


def _path(collector: MetricsCollector, kinds: tuple[PathKind, ...]) -> Iterator[Problem]:
    where = collector.file_system_path
    path = f"{_PATH}.source.fileSystemPath"
    if not PurePosixPath(where.path or "").is_absolute():
        state = "is missing" if not where.path else f"is {where.path!r}"
        yield Problem(f"{path}.path", f"{state}; an absolute path is needed")
    if where.kind not in kinds:
        state = "is missing" if where.kind is None else f"is {where.kind.value!r}"
        allowed = " or ".join(repr(kind.value) for kind in kinds)
        yield Problem(
            f"{path}.kind", f"{state}; a collector of kind {collector.kind.value} needs {allowed}"
        )


def _filter_of_json(collector: MetricsCollector) -> Iterator[Problem]:
    is_json = collector.file_system_path.format is FileFormat.JSON
    if is_json and collector.source and collector.source.filter is not None:
        yield Problem(f"{_PATH}.source.filter", "is not allowed for a file in JSON format")


def _http(collector: MetricsCollector) -> Iterator[Problem]:
    where = collector.http_get
    port = str(where.port)
    if not (port.isdecimal() and 0 < int(port) < 65536):
        yield Problem(
            f"{_PATH}.source.httpGet.port", f"is {where.port!r}; a port from 1 to 65535 is needed"
        )
    if not str(where.path).startswith("/"):
        yield Problem(f"{_PATH}.source.httpGet.path", f"is {where.path!r}; must begin with '/'")


def _formats(collector: MetricsCollector) -> Iterator[Problem]:
    filters = collector.source.filter if collector.source else None
    for index, pattern in enumerate(filters.metrics_format if filters else ()):
        path = f"{_PATH}.source.filter.metricsFormat[{index}]"
        foreign = _construct(pattern, _ONLY_IN_RE2)
        if foreign:
            yield Problem(path, f"{pattern!r} uses {foreign}, which is not supported")
            continue
        try:
            groups = re.compile(pattern).groups
        except (re.error, OverflowError, RecursionError) as error:
            yield Problem(path, f"{pattern!r} is no regular expression: {error}")
            continue
        if groups < 2:
            yield Problem(
                path,
                f"{pattern!r} needs two groups, for the metric's name and value; found {groups}",
            )


def _construct(pattern: str, constructs: dict[str, str]) -> str | None:
    # The second backslash of an escaped backslash does not start an escape.
    text = pattern.replace("\\\\", "")
    return next((words for sign, words in constructs.items() if re.search(sign, text)), None)
