"""The source that a collector reads, and the registry of collectors.

A collector is an entry point of the group `hpo_lab.metric_collectors`, named as Katib's
`collector.kind`. It loads to a function that takes a `Source` and yields observations in
batches while the trial runs. The function returns when the trial has ended and all of its
output was read.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from threading import Event
from typing import Protocol, cast

from hpo_lab.observation import Observation

__all__ = ["MetricCollector", "Source", "collector", "collectors"]

GROUP = "hpo_lab.metric_collectors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A running trial, as a collector sees it.

    Attributes:
        metrics: The names of the metrics to collect.
        output: The trial's output, in chunks while it prints; ends with the trial.
        ended: Set when the trial has ended.
        is_whole: Waits for the trial's end. Returns whether the trial ended by itself, so
            that the last line of its output is complete.
        formats: Filters of text lines (RE2).
        path: The file or directory to read, on this machine.
        is_json: Whether the file holds JSON lines.
        url: Where the trial serves metrics.
        start: Starts the user's own collector, its output piped.
    """

    metrics: tuple[str, ...]
    output: Iterator[bytes]
    ended: Event
    is_whole: Callable[[], bool]
    formats: tuple[str, ...] = ()
    path: Path = Path()
    is_json: bool = False
    url: str = ""
    start: Callable[[], subprocess.Popen[bytes]] | None = None


class MetricCollector(Protocol):
    """Collects the metrics of a trial."""

    def __call__(self, source: Source) -> Iterator[list[Observation]]:
        """Yield batches of observations, in the order of their appearance."""


def collectors() -> list[str]:
    """The names of all collectors."""
    return sorted(entry_points(group=GROUP).names)


def collector(kind: str) -> MetricCollector:
    """The collector called *kind*.

    Raises:
        LookupError: No collector has that name.
    """
    for entry in entry_points(group=GROUP, name=kind):
        return cast(MetricCollector, entry.load())
    raise LookupError(f"no metrics collector {kind!r}; known are {', '.join(collectors())}")
