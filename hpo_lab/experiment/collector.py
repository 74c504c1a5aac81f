"""Where the metrics of a trial come from (Katib's `metricsCollectorSpec`)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from pydantic import Field

from hpo_lab.experiment.document import Document

__all__ = [
    "METRICS_FORMAT",
    "Collector",
    "CollectorKind",
    "FileFormat",
    "FileSystemPath",
    "HttpGet",
    "MetricsCollector",
    "MetricsFilter",
    "MetricsSource",
    "PathKind",
]

METRICS_FORMAT: Final = r"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)"
"""Katib's default filter of text lines: `name = number`."""


class CollectorKind(StrEnum):
    """How metrics leave the trial."""

    STD_OUT = "StdOut"
    FILE = "File"
    TENSORFLOW_EVENT = "TensorFlowEvent"
    PROMETHEUS_METRIC = "PrometheusMetric"
    CUSTOM = "Custom"
    PUSH = "Push"
    """The trial reports its metrics itself; no collector runs."""


class PathKind(StrEnum):
    """What a path leads to."""

    FILE = "File"
    DIRECTORY = "Directory"


class FileFormat(StrEnum):
    """The format of a metrics file: lines of text, or lines that are JSON objects."""

    TEXT = "TEXT"
    JSON = "JSON"


class FileSystemPath(Document):
    """A file or directory in the trial's container."""

    path: str | None = None
    kind: PathKind | None = None
    format: FileFormat | None = None


class HttpGet(Document):
    """Where a trial serves its metrics; the fields of Kubernetes' `HTTPGetAction`."""

    path: str | None = None
    port: int | str | None = None
    host: str | None = None
    scheme: str | None = None
    http_headers: tuple[dict[str, str], ...] | None = None


class MetricsFilter(Document):
    """Regular expressions whose groups 1 and 2 are a metric's name and value."""

    metrics_format: tuple[str, ...] = ()


class MetricsSource(Document):
    """Where a collector looks."""

    file_system_path: FileSystemPath | None = None
    http_get: HttpGet | None = None
    filter: MetricsFilter | None = None


class Collector(Document):
    """The kind of collector; `custom_collector` is the container of the kind `Custom`."""

    kind: CollectorKind = CollectorKind.STD_OUT
    custom_collector: dict[str, Any] | None = None


class MetricsCollector(Document):
    """How the metrics of a trial are collected; absent fields have Katib's defaults."""

    collector: Collector = Field(default_factory=Collector)
    source: MetricsSource | None = None

    @property
    def kind(self) -> CollectorKind:
        """`collector.kind`."""
        return self.collector.kind

    @property
    def file_system_path(self) -> FileSystemPath:
        """The path to read, with the defaults of `File` and `TensorFlowEvent`."""
        path = (self.source and self.source.file_system_path) or FileSystemPath()
        match self.kind:
            case CollectorKind.FILE:
                default = FileSystemPath(
                    path="/var/log/katib/metrics.log", kind=PathKind.FILE, format=FileFormat.TEXT
                )
            case CollectorKind.TENSORFLOW_EVENT:
                default = FileSystemPath(path="/var/log/katib/tfevent/", kind=PathKind.DIRECTORY)
            case _:
                default = FileSystemPath()
        return default.model_copy(update=path.model_dump(exclude_none=True))

    @property
    def http_get(self) -> HttpGet:
        """Where to ask for metrics, `/metrics` on port 8080 by default."""
        request = (self.source and self.source.http_get) or HttpGet()
        default = HttpGet(path="/metrics", port=8080)
        return default.model_copy(update=request.model_dump(exclude_none=True))

    @property
    def metrics_format(self) -> tuple[str, ...]:
        """The filters of text lines, `METRICS_FORMAT` by default."""
        formats = self.source and self.source.filter and self.source.filter.metrics_format
        return formats or (METRICS_FORMAT,)
