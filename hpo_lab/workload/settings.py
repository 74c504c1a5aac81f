"""The settings of a workload's trial beside the object that it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["WorkloadSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSettings:
    """The experiment's settings for its trials, with defaults resolved; plain data inside.

    Attributes:
        experiment, namespace: Names of the experiment.
        container: Name of the primary container; the first container when empty.
        pod_labels: Labels of the pod whose metrics count.
        success, failure: GJSON queries on the object.
        collector: Kind of the metrics collector.
        formats: Filters of text lines.
        path: The path in the container of the collected file or directory.
        is_directory: Whether `path` is a directory.
        is_json: Whether the file holds JSON lines.
        http: `path`, `port`, `scheme` and `host` where metrics are served.
        custom: Container of the user's own collector.
        runtime: `docker` or `podman`; processes of this machine when empty.
        directory: Working directory of processes without a `workingDir`.
        paths: Folders of this machine by path in the container.
        beside: Files with ConfigMaps and Secrets.
        checkpoint: Path in the container of the trial's checkpoint folder; empty for none.
    """

    experiment: str
    namespace: str = "default"
    container: str = ""
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    success: str
    failure: str
    collector: str = "StdOut"
    formats: tuple[str, ...] = ()
    path: str = ""
    is_directory: bool = False
    is_json: bool = False
    http: Mapping[str, Any] = field(default_factory=dict)
    custom: Mapping[str, Any] = field(default_factory=dict)
    runtime: str = ""
    directory: str = "."
    paths: Mapping[str, str] = field(default_factory=dict)
    beside: Sequence[str] = ()
    checkpoint: str = ""
