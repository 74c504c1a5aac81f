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
    "Observation",
    "Outcome",
    "is_step",
    "observations_of",
    "report_document",
    "report_line",
]

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


def observations_of(document: Mapping[str, Any]) -> list[Observation]:
    """The observations in the JSON document of a report.

    Raises:
        ValueError: Its step does not fit into 64 bits.
    """
    if document["step"] is not None and not is_step(document["step"]):
        raise ValueError(f"step {document['step']} does not fit into 64 bits")
    return [
        Observation(
            metric=metric,
            value=_number(value),
            time=document["time"],
            step=document["step"],
            text=value if isinstance(value, str) else "",
        )
        for metric, value in document["metrics"].items()
    ]


def is_step(step: int) -> bool:
    """Whether a store can hold *step*, which takes 64 bits."""
    return -(2**63) <= step < 2**63


def _number(value: float | str) -> float:
    """What was reported as a number; only `nan` and `inf` are numbers when they are text."""
    if isinstance(value, str):
        return float(value) if _NOT_FINITE.fullmatch(value) else math.nan
    return float(value)
