"""Metrics that a trial serves in Prometheus' text format.

The format is that of https://prometheus.io/docs/instrumenting/exposition_formats/. Labels
are ignored, and the last of several samples with the same name counts.
"""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence

from hpo_lab.collectors.numeric_text import observation_of
from hpo_lab.collectors.source import Source
from hpo_lab.observation import Observation, is_time

__all__ = ["collect_prometheus", "parse_exposition"]

INTERVAL = 0.5
"""Seconds between two requests."""

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)\s*(?:\{[^\n]*\})?\s+(\S+)(?:\s+(-?\d+))?\s*", re.ASCII)
_MOST_BYTES = 4 * 1024 * 1024


def parse_exposition(page: str, metrics: Sequence[str], now: float) -> list[Observation]:
    """The observations of *metrics* in *page*, at the time *now* where a sample has no time."""
    observations = {}
    for line in page.splitlines():
        sample = _SAMPLE.fullmatch(line)
        if sample and sample[1] in metrics:
            at = float(sample[3]) / 1000 if sample[3] else now
            at = at if is_time(at) else now
            observations[sample[1]] = observation_of(sample[1], sample[2], at)
    return list(observations.values())


def collect_prometheus(source: Source) -> Iterator[list[Observation]]:
    """Request the trial's metrics until it ends; yields a value when it has changed."""
    texts: dict[str, str] = {}
    while not source.ended.wait(INTERVAL):
        try:
            with urllib.request.urlopen(source.url, timeout=5) as answer:
                page = answer.read(_MOST_BYTES).decode(errors="replace")
        except (urllib.error.URLError, OSError, ValueError):
            continue  # The trial does not serve yet, or no longer.
        changed = []
        for observation in parse_exposition(page, source.metrics, time.time()):
            shown = observation.text or repr(observation.value)
            if texts.get(observation.metric) != shown:
                texts[observation.metric] = shown
                changed.append(observation)
        yield changed
