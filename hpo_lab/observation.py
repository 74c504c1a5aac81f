"""What a trial reported, how it ended, and how a report is written as a line.

Every way of reporting ends in a line of the trial's metrics file: `report()`, the collectors,
and the service that trials push to. A line is one JSON document; JSON has no NaN and no
infinity, which are written as text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "LONGEST_LINE",
    "Observation",
    "Outcome",
    "check_name",
    "is_step",
    "is_time",
    "observations_of",
    "report_document",
    "report_line",
]

LONGEST_LINE = 4 * 1024 * 1024
"""The most bytes of a line of a metrics file, its end included."""

_LONGEST_NAME = 1000
"""The most bytes of a metric's name: PostgreSQL has an index of them."""

_FIRST_TIME, _LAST_TIME = -62_135_596_800.0, 253_402_300_800.0
"""The years 1 to 9999, which are those that a date can have."""

_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Observation:
    """One value that a trial reported.

    Attributes:
        metric: What was measured.
        value: The number; NaN when what was reported is no number.
        time: When it was reported, in seconds since the epoch.
        step: Position in the trial, such as an epoch; fits in 64 bits.
        text: What was reported, kept when `value` is not finite; the value's own spelling
            when empty.
    """

    metric: str
    value: float
    time: float
    step: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a trial ended, as the trial itself saw it.

    Attributes:
        succeeded: Whether it came to its end without an exception.
        completed_at: When, in seconds since the epoch.
        message: The exception in one line.
        traceback: Of the exception.
    """

    succeeded: bool
    completed_at: float
    message: str = ""
    traceback: str = field(default="", repr=False)


def report_document(
    time: float, step: int | None, metrics: Mapping[str, float | str]
) -> dict[str, Any]:
    """The JSON document of one report: values by metric name at one time and step."""
    values = {
        name: value if isinstance(value, str) or math.isfinite(value) else repr(value)
        for name, value in metrics.items()
    }
    return {"time": time, "step": step, "metrics": values}


def report_line(observation: Observation) -> str:
    """The line of a metrics file that holds *observation* alone, without its end."""
    value = observation.text or observation.value
    return json.dumps(
        report_document(observation.time, observation.step, {observation.metric: value})
    )


def observations_of(document: Any) -> list[Observation]:
    """The observations in the JSON document of a report.

    Raises:
        ValueError: It is no report that a store can hold; the message says why.
    """
    match document:
        case {"time": time, "step": step, "metrics": dict(metrics)}:
            pass
        case _:
            raise ValueError("it is no report")
    if not is_time(time):
        raise ValueError(f"the time {_shown(time)} is no time in seconds since the epoch")
    if step is not None and not is_step(step):
        raise ValueError(f"the step {_shown(step)} is no integer of 64 bits")
    for name in metrics:
        check_name(name)
    return [
        Observation(
            metric=name,
            value=_number(name, value),
            time=float(time),
            step=step,
            text=value if isinstance(value, str) else "",
        )
        for name, value in metrics.items()
    ]


def is_step(step: object) -> bool:
    """Whether a store can hold *step*: whether it is an integer that 64 bits can hold."""
    return type(step) is int and -(2**63) <= step < 2**63


def is_time(time: object) -> bool:
    """Whether *time*, in seconds since the epoch, is a number of the years 1 to 9999."""
    return type(time) in (int, float) and _FIRST_TIME <= time < _LAST_TIME  # type: ignore[operator]


def check_name(name: str) -> None:
    """Check the name of a metric.

    Raises:
        ValueError: A store cannot hold *name*; the message says why.
    """
    size = len(name.encode(errors="surrogatepass"))
    if size > _LONGEST_NAME:
        raise ValueError(
            f"the name of a metric has {size} bytes, {name[:40]!r}...; allowed are {_LONGEST_NAME}"
        )
    if "\0" in name or (not name.isascii() and any("\ud800" <= each <= "\udfff" for each in name)):
        raise ValueError(f"the name of a metric, {name!r}, has a character that is no text")


def _number(name: str, value: Any) -> float:
    """What was reported as a number; only `nan` and `inf` are numbers when they are text."""
    if isinstance(value, str):
        return float(value) if _NOT_FINITE.fullmatch(value) else math.nan
    try:
        return float(value)
    except (OverflowError, TypeError):
        raise ValueError(f"the metric {name!r} is {_shown(value)}, which is no number") from None


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
