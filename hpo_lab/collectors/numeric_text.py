"""Decides whether a text that a collector reads is a number."""

from __future__ import annotations

import math
import re

from hpo_lab.observation import Observation

__all__ = ["observation_of"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([Ee][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


def observation_of(metric: str, text: str, time: float, step: int | None = None) -> Observation:
    """The observation of *text*: a number where all of it is a number, else NaN with the text.

    So `1,234`, `0x1F`, `98%` and the empty text are no numbers, and neither is a text that
    only begins with a number. `nan` and `inf` keep their value and their text.
    """
    if _NUMBER.fullmatch(text):
        value = float(text)
        if math.isfinite(value):
            return Observation(metric, value, time, step)
        return Observation(metric, value, time, step, text)
    value = float(text) if _NOT_FINITE.fullmatch(text) else math.nan
    return Observation(metric, value, time, step, text)
