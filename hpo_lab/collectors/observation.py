"""One observed value, and when text is a number."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass

__all__ = ["Observation", "observe"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([Ee][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Observation:
    """A value that a trial produced.

    Attributes:
        metric: What was measured.
        value: The number; NaN when what was found is no number.
        time: Seconds since the epoch.
        step: Position in the trial, such as an epoch.
        text: What was found, where that is no finite number.
    """

    metric: str
    value: float
    time: float
    step: int | None = None
    text: str = ""

    def to_line(self) -> str:
        """The observation as a line of a trial's metrics file."""
        value = self.value if math.isfinite(self.value) and not self.text else self.text
        return json.dumps({"time": self.time, "step": self.step, "metrics": {self.metric: value}})


def observe(metric: str, found: str, time: float, step: int | None = None) -> Observation:
    """The observation of the text *found*: a number where it is one in full, else that text.

    So `1,234`, `0x1F`, `98%` and nothing at all are no numbers, as little as the beginning of
    one is. `nan` and `inf` are kept as such, with their text.
    """
    if _NUMBER.fullmatch(found):
        value = float(found)
        if math.isfinite(value):
            return Observation(metric, value, time, step)
        return Observation(metric, value, time, step, found)
    value = float(found) if _NOT_FINITE.fullmatch(found) else math.nan
    return Observation(metric, value, time, step, found)
