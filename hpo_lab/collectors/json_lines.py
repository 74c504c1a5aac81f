"""Metrics in lines that are JSON objects, such as `{"epoch": 3, "accuracy": "0.9"}`.

As in Katib, keys are metrics, values may be text, and `timestamp` is the time: RFC 3339 or
seconds since the epoch. `step`, `global_step` or `epoch` is the step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hpo_lab.collectors.numeric_text import observation_of
from hpo_lab.collectors.text import LineParser, parse_time
from hpo_lab.observation import Observation, is_time

__all__ = ["json_parser"]


def json_parser(metrics: Sequence[str]) -> LineParser:
    """A parser of JSON lines; a line that is no JSON object holds no observation."""

    def parse(line: bytes, arrived: float) -> list[Observation]:
        try:
            # Numbers stay text, so that `observation_of` alone decides what a number is.
            document = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError):
            return []
        if not isinstance(document, Mapping):
            return []
        time = _time(document.get("timestamp"), arrived)
        step = _step(document)
        return [
            observation_of(name, _text(document[name]), time, step)
            for name in metrics
            if name in document
        ]

    return parse


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else json.dumps(value)


def _time(value: Any, arrived: float) -> float:
    if not isinstance(value, str):
        return arrived
    time = parse_time(value)
    if time is None:
        time = observation_of("", value, arrived).value
    return time if is_time(time) else arrived


def _step(document: Mapping[str, Any]) -> int | None:
    for key in ("step", "global_step", "epoch"):
        text = document.get(key)
        if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 18:
            return int(text)
    return None
