"""Follows the metrics file of a trial."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

from hpo_lab.observation import Observation, Outcome, observations_of
from hpo_lab.trial.folder import INTERRUPTED, METRICS

__all__ = ["Batch", "read_metrics"]

_MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """What a trial reported since the last look.

    Attributes:
        observations: In the order they were reported.
        offset: Where the next look starts, in bytes.
        more: Whether there may be more already than is read at once.
        outcome: How the trial ended, if it did.
        late: What was reported after that, by an exit handler or by a thread.
        end: The byte after all that.
    """

    observations: tuple[Observation, ...]
    offset: int
    more: bool = False
    outcome: Outcome | None = None
    late: tuple[Observation, ...] = ()
    end: int = 0


def read_metrics(folder: Path, offset: int) -> Batch:
    """The complete lines of the metrics file in *folder* from byte *offset* on.

    A line that is being written is left for the next time; at most 4 MiB are read at once, and
    what a longer line says is lost, as is that of a line that is no report. An exception of a
    trial that was being ended from outside is no outcome of it. The outcome is given whenever
    the file is read to its end, and is never behind the offset.
    """
    try:
        with (folder / METRICS).open("rb") as file:
            there = os.fstat(file.fileno()).st_size - offset
            if there <= 0:
                return Batch((), offset)
            file.seek(offset)
            # No more than there is: a buffer of 4 MiB would be cleared for every look.
            data = file.read(min(there, _MOST_BYTES))
    except FileNotFoundError:
        return Batch((), offset)
    complete = data[: data.rfind(b"\n") + 1]
    if not complete and len(data) == _MOST_BYTES:
        return Batch((), offset + len(data), more=True)
    start = offset
    observations: list[Observation] = []
    late: list[Observation] = []
    outcome: Outcome | None = None
    interrupted_at = math.inf
    for line in complete.splitlines(keepends=True):
        report = _read(line)
        if isinstance(report, float):
            interrupted_at = min(interrupted_at, report)
        elif isinstance(report, Outcome):
            outcome = report
        elif outcome is not None:
            late += report
        else:
            observations += report
        if outcome is None:
            offset += len(line)
    if outcome and not outcome.succeeded and outcome.completed_at >= interrupted_at:
        outcome = None
    end = start + len(complete)
    more = outcome is None and len(data) == _MOST_BYTES
    return Batch(tuple(observations), offset, more, outcome, tuple(late), end)


def _read(line: bytes) -> list[Observation] | Outcome | float:
    """What a line says: a report, how the trial ended, or when it was ended from outside."""
    try:
        document = json.loads(line)
        if "outcome" in document:
            return Outcome(**document["outcome"])
        if INTERRUPTED in document:
            return float(document[INTERRUPTED])
        return observations_of(document)
    except (AttributeError, KeyError, TypeError, ValueError):
        # Where a disk was full, a line can be without its end; a trial may write anything.
        return []
