"""Metrics as one JSON object a line, such as `{"epoch": 3, "accuracy": "0.9"}`.

As in Katib, keys are metrics, values may be text, and `timestamp` is the time: RFC 3339 or
seconds since the epoch. `step`, `global_step` or `epoch` is the step.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from hpo_lab.collectors.observation import observe
from hpo_lab.collectors.text import LineParser, timestamp
from hpo_lab.observation import Observation

__all__ = ["json_parser"]


def json_parser(metrics: Sequence[str]) -> LineParser:
    """A parser of JSON lines; those that are no JSON object hold nothing."""

    def parse(line: bytes, arrived: float) -> list[Observation]:
        try:
            # Numbers stay text, so that one place decides what a number is.
            found = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError):
            return []
        if not isinstance(found, Mapping):
            return []
        time = _time(found.get("timestamp"), arrived)
        step = _step(found)
        return [observe(name, _text(found[name]), time, step) for name in metrics if name in found]

    return parse


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else json.dumps(value)


def _time(value: Any, arrived: float) -> float:
    if not isinstance(value, str):
        return arrived
    time = timestamp(value)
    if time is None:
        time = observe("", value, arrived).value
    return time if math.isfinite(time) else arrived


def _step(found: Mapping[str, Any]) -> int | None:
    for key in ("step", "global_step", "epoch"):
        text = found.get(key)
        if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 18:
            return int(text)
    return None
