"""The folder of a trial: its files and their names.

The runner writes the task before the trial starts, and the trial writes the other files.
Both processes may be killed at any moment. So a file that the other process reads is either
appended line by line or renamed into place.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from hpo_lab.observation import LONGEST_LINE, Observation, Outcome, report_line

__all__ = [
    "CELL",
    "INTERRUPTED",
    "LOG",
    "METRICS",
    "NOTEBOOK",
    "TRIAL_FOLDER",
    "Task",
    "append_line",
    "append_reports",
    "is_plain",
    "mark_interrupted",
    "open_own",
    "write_outcome",
]

TRIAL_FOLDER = "HPO_LAB_TRIAL_FOLDER"
"""Environment variable with the trial's folder; it also marks every process of the trial."""

METRICS = "metrics.jsonl"
"""The metrics file: a line for each report of the trial, and its outcome as the last line."""

INTERRUPTED = "interrupted_at"
"""Field of the line that says when a trial was ended from outside."""

LOG = "log.txt"
NOTEBOOK = "notebook.ipynb"
CELL = "hpo_lab_cell"
"""In the metadata of a cell of a trial notebook: its name and first line in the author's own."""
_TASK = "task.json"
_LONGEST = 100_000
"""Characters of a message and of a traceback that are kept."""


@dataclass(frozen=True, slots=True)
class Task:
    """The task of a trial process.

    Attributes:
        experiment, number: The experiment's name and the trial's number.
        trial_spec: The trial object, as in `trialTemplate.trialSpec`.
        assignments: Parameter values by name.
        metrics: The objective and the additional metrics, the objective first.
        source: Folder with the experiment's source files (notebook, pickled function).
        workload: For a Kubernetes object, the `WorkloadSettings` as plain data.
        parent: Folder of the trial whose checkpoint this trial continues from; empty to begin
            anew.
        seed: For random numbers that its code does not seed, in [0, 2**63).
    """

    experiment: str
    number: int
    trial_spec: Mapping[str, Any]
    assignments: Mapping[str, Any]
    metrics: tuple[str, ...]
    source: str
    workload: Mapping[str, Any] = field(default_factory=dict)
    parent: str = ""
    seed: int = 0

    @property
    def kind(self) -> str:
        """The `kind` of the trial object."""
        return str(self.trial_spec.get("kind", ""))

    @property
    def spec(self) -> Mapping[str, Any]:
        """The `spec` of the trial object."""
        spec: Mapping[str, Any] = self.trial_spec.get("spec", {})
        return spec

    def to_document(self) -> dict[str, Any]:
        """The task as JSON."""
        return {attribute.name: getattr(self, attribute.name) for attribute in fields(self)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Task:
        """The task of a document that `to_document` returned."""
        return cls(**{**document, "metrics": tuple(document["metrics"])})

    def write(self, folder: Path) -> None:
        """Write the task into *folder*."""
        (folder / _TASK).write_text(json.dumps(self.to_document()), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Task:
        """The task in *folder*."""
        return cls.from_document(json.loads((folder / _TASK).read_text()))


def write_outcome(outcome: Outcome, folder: Path | str) -> None:
    """Write how a trial ended into its *folder*, as the last line of its metrics."""
    # The outcome has no file of its own: creating a file is slow on ext4 in a folder
    # where many files were deleted.
    document = {
        "succeeded": outcome.succeeded,
        "completed_at": outcome.completed_at,
        "message": outcome.message[:_LONGEST],
        "traceback": outcome.traceback[-_LONGEST:],
    }
    append_line(f"{folder}/{METRICS}", {"outcome": document})


def mark_interrupted(folder: Path | str) -> None:
    """Note in the *folder* of a trial that it is ended from outside, before it is.

    A signal may look like an exception of the trial's own, which a later runner must not take
    for how the trial ended.
    """
    flags = os.O_WRONLY | os.O_APPEND
    if (Path(folder) / _TASK).exists():
        flags |= os.O_CREAT
    with contextlib.suppress(OSError):
        descriptor = open_own(f"{folder}/{METRICS}", flags)
        try:
            os.write(descriptor, json.dumps({INTERRUPTED: time.time()}).encode() + b"\n")
        finally:
            os.close(descriptor)


def append_line(path: str, document: Mapping[str, Any]) -> None:
    """Append *document* as a line to the file at *path*.

    Raises:
        OSError: The disk has no room for the line, or *path* is no plain file.
        ValueError: The line is longer than the runner reads.
    """
    line = json.dumps(document).encode() + b"\n"
    if len(line) > LONGEST_LINE:
        raise ValueError(
            f"a report of {len(line)} bytes is too long, allowed are {LONGEST_LINE}; "
            "hpo_lab.keep() keeps long texts"
        )
    descriptor = open_own(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        if os.write(descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
    finally:
        os.close(descriptor)


def append_reports(path: str, observations: Sequence[Observation]) -> None:
    """Append *observations* to the metrics file at *path*, each as a line.

    Raises:
        OSError: *path* is no plain file.
    """
    text = "".join(f"{report_line(observation)}\n" for observation in observations)
    descriptor = open_own(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        # Written at once, so that a reader sees whole lines.
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def open_own(path: str, flags: int) -> int:
    """Open a file of a trial: a descriptor.

    A trial may put anything in the place of its files. A link is not followed, and what is no
    plain file is neither waited for nor read.

    Args:
        path: The file.
        flags: As of `os.open`.

    Raises:
        OSError: It cannot be opened, or is no plain file.
    """
    # Linux has these flags, Windows does not.
    more = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags | more, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no plain file", path)
    return descriptor


def is_plain(path: str | os.PathLike[str]) -> bool:
    """Whether *path* is a file of its own: no link, folder or pipe."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False
