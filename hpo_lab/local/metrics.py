"""Follows the metrics file of a trial."""

from __future__ import annotations

import errno
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

from hpo_lab.observation import LONGEST_LINE, Observation, Outcome, is_time, observations_of
from hpo_lab.trial.folder import METRICS, open_own

__all__ = ["Batch", "read_metrics"]

_OWN = (b'{"time": ', b'{"outcome": ', b'{"interrupted_at": ')
"""How the lines begin that hpo_lab writes."""

_OF_THE_MACHINE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)
"""Why a file cannot be read now, and perhaps can later."""


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
        problem: What is wrong with the file from `offset` on, where something is: the trial has
            written to it, or put something else in its place.
    """

    observations: tuple[Observation, ...]
    offset: int
    more: bool = False
    outcome: Outcome | None = None
    late: tuple[Observation, ...] = ()
    end: int = 0
    problem: str = ""


def read_metrics(folder: Path, offset: int) -> Batch:
    """The complete lines of the metrics file in *folder* from byte *offset* on.

    A line that is being written is left for the next time; at most 4 MiB are read at once. A
    line that hpo_lab began and could not end, for the disk was full, is lost; any other line that
    is no report is a problem, behind which nothing is read. An exception of a trial that was being
    ended from outside is no outcome of it. The outcome is given whenever the file is read to its
    end, and is never behind the offset.
    """
    try:
        descriptor = open_own(f"{folder}/{METRICS}", os.O_RDONLY)
    except FileNotFoundError:
        return Batch((), offset, problem="it was removed" if offset else "")
    except OSError as error:
        if error.errno in _OF_THE_MACHINE:
            return Batch((), offset)
        is_link = error.errno == errno.ELOOP
        return Batch((), offset, problem="it is a link" if is_link else _reason(error))
    with os.fdopen(descriptor, "rb") as file:
        there = os.fstat(descriptor).st_size - offset
        if there < 0:
            return Batch((), offset, problem="it is shorter than before")
        if there == 0:
            return Batch((), offset)
        file.seek(offset)
        # No more than there is: a buffer of 4 MiB would be cleared for every look.
        data = file.read(min(there, LONGEST_LINE))
    complete = data[: data.rfind(b"\n") + 1]
    if not complete and len(data) == LONGEST_LINE:
        return Batch((), offset, problem="it has a line of more than 4 MiB")
    start = offset
    observations: list[Observation] = []
    late: list[Observation] = []
    outcome: Outcome | None = None
    interrupted_at = math.inf
    for line in complete.splitlines(keepends=True):
        try:
            report = _read(line)
        except ValueError as error:
            if outcome is not None:
                continue
            return Batch(tuple(observations), offset, problem=f"{error}: {_shown(line)}")
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
    more = outcome is None and len(data) == LONGEST_LINE
    return Batch(tuple(observations), offset, more, outcome, tuple(late), end)


def _read(line: bytes) -> list[Observation] | Outcome | float:
    """What a line says: a report, how the trial ended, or when it was ended from outside.

    Raises:
        ValueError: None of these.
    """
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        # After an end without a warning, a file system may have zeros in the place of a line.
        if line.startswith(_OWN) or b"\0" in line:
            return []
        raise ValueError("it has a line that is no report") from None
    match document:
        case {"outcome": outcome}:
            return _outcome(outcome)
        case {"interrupted_at": time} if is_time(time):
            return float(time)
    try:
        return observations_of(document)
    except ValueError as error:
        raise ValueError(f"it has a line that cannot be recorded, {error}") from None


def _outcome(fields: object) -> Outcome:
    match fields:
        case {
            "succeeded": bool(succeeded),
            "completed_at": time,
            "message": str(message),
            "traceback": str(traceback),
        } if is_time(time):
            return Outcome(succeeded, float(time), message, traceback)
    raise ValueError("it has a line that is no report")


def _reason(error: OSError) -> str:
    return (error.strerror or "it cannot be read").lower()


def _shown(line: bytes) -> str:
    text = line.decode(errors="replace").strip()
    return text if len(text) <= 60 else f"{text[:57]}..."
