"""Metrics that a trial serves in Prometheus' text format.

The format is that of https://prometheus.io/docs/instrumenting/exposition_formats/; labels
are ignored, and of several samples of one name the last counts.
"""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence

from hpo_lab.collectors.kinds import Source
from hpo_lab.collectors.observation import observe
from hpo_lab.observation import Observation

__all__ = ["collect_prometheus", "parse_exposition"]

INTERVAL = 0.5
"""Seconds between two looks."""

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)\s*(?:\{[^\n]*\})?\s+(\S+)(?:\s+(-?\d+))?\s*", re.ASCII)
_MOST_BYTES = 4 * 1024 * 1024


def parse_exposition(page: str, metrics: Sequence[str], now: float) -> list[Observation]:
    """What a page of metrics says about *metrics*; *now* where it gives no time."""
    found = {}
    for line in page.splitlines():
        sample = _SAMPLE.fullmatch(line)
        if sample and sample[1] in metrics:
            at = int(sample[3]) / 1000 if sample[3] else now
            found[sample[1]] = observe(sample[1], sample[2], at)
    return list(found.values())


def collect_prometheus(source: Source) -> Iterator[list[Observation]]:
    """Ask the trial's own port until it ends; a value is passed on when it changes."""
    known: dict[str, str] = {}
    while not source.ended.wait(INTERVAL):
        try:
            with urllib.request.urlopen(source.url, timeout=5) as answer:
                page = answer.read(_MOST_BYTES).decode(errors="replace")
        except (urllib.error.URLError, OSError, ValueError):
            continue  # It serves nothing yet, or no longer.
        changed = []
        for one in parse_exposition(page, source.metrics, time.time()):
            shown = one.text or repr(one.value)
            if known.get(one.metric) != shown:
                known[one.metric] = shown
                changed.append(one)
        yield changed
