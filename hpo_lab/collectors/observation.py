"""When a text that a collector finds is a number."""

from __future__ import annotations

import math
import re

from hpo_lab.observation import Observation

__all__ = ["observe"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([Ee][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


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
