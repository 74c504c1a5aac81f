"""Follows the metrics file of a trial."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from hpo_lab.store import Observation
from hpo_lab.trial.folder import METRICS, Outcome

__all__ = ["Batch", "read_metrics"]

_MOST_BYTES = 4 * 1024 * 1024
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a trial reported since the last look.

    Attributes:
        observations: In the order they were reported.
        offset: Where the next look starts, in bytes.
        more: Whether there may be more already than is read at once.
        outcome: How the trial ended, if it did; nothing comes after that.
    """

    observations: tuple[Observation, ...]
    offset: int
    more: bool = False
    outcome: Outcome | None = None


def read_metrics(folder: Path, offset: int) -> Batch:
    """The complete lines of the metrics file in *folder* from byte *offset* on.

    A line that is being written is left for the next time; at most 4 MiB are read at once.
    The outcome is given whenever the file is read to its end, and is never behind the offset.
    """
    try:
        with (folder / METRICS).open("rb") as file:
            there = os.fstat(file.fileno()).st_size - offset
            if there <= 0:
                return Batch((), offset)
            file.seek(offset)
            # No more than is there: memory for 4 MiB is not had for nothing.
            data = file.read(min(there, _MOST_BYTES))
    except FileNotFoundError:
        return Batch((), offset)
    complete = data[: data.rfind(b"\n") + 1]
    observations: list[Observation] = []
    for line in complete.splitlines(keepends=True):
        report = json.loads(line)
        if "outcome" in report:
            return Batch(tuple(observations), offset, outcome=Outcome(**report["outcome"]))
        offset += len(line)
        for metric, value in report["metrics"].items():
            text = value if isinstance(value, str) else ""
            observations.append(
                Observation(
                    metric=metric,
                    value=_number(value),
                    time=report["time"],
                    step=report["step"],
                    text=text,
                )
            )
    return Batch(tuple(observations), offset, len(data) == _MOST_BYTES)


def _number(value: float | str) -> float:
    """What was reported as a number; only `nan` and `inf` are numbers when they are text."""
    if isinstance(value, str):
        return float(value) if _NOT_FINITE.fullmatch(value) else math.nan
    return float(value)
