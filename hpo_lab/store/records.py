"""What a store holds, as plain data; times are seconds since the epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import MEASURED, Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.store.lease import Lease

__all__ = [
    "Artifact",
    "ArtifactRecord",
    "Changes",
    "Condition",
    "Control",
    "ExperimentRecord",
    "ObservationRecord",
    "Overview",
    "TrialRecord",
    "title_of",
]


_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Condition:
    """An entry in an experiment's history, of which the last is its present state."""

    type: ExperimentState
    reason: str
    message: str
    time: float


def title_of(namespace: str, name: str) -> str:
    """What a person calls an experiment: `name`, or `namespace/name`."""
    return name if namespace == "default" else f"{namespace}/{name}"


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """An experiment as stored.

    Attributes:
        uid: Identifies it for ever; 32 hexadecimal digits.
        namespace, name: Identify it among those that exist.
        document: The whole document, with the latest specification.
        identity: Equal for two documents that search the same thing.
        state, reason, message: The last condition.
        created_at, started_at, completed_at, updated_at: Times of the experiment itself;
            a change of its trials alone, or a request to stop, does not move `updated_at`.
        elapsed_seconds: How long earlier runners ran it.
        stop_requested: Whether someone asked it to stop.
        lease: Who runs it, or ran it last and ended without saying so.
        place: Where it runs: `local`, or the name of another place.
        revision: Grows with every change of the experiment, its lease and its trials, but
            not with a heartbeat.
        best: The number of its optimal trial; None when there is none, or nobody said which.
        project: The folder that it belongs to; empty for none.
        origin: What its name was made of; None where a person chose the name.
        unreadable: Why its document cannot be read, where it cannot; `document` has then its
            name alone, and what else could be read.
    """

    uid: str
    namespace: str
    name: str
    document: ExperimentDocument
    identity: str
    state: ExperimentState
    reason: str
    message: str
    created_at: float
    started_at: float | None
    completed_at: float | None
    updated_at: float
    elapsed_seconds: float
    stop_requested: bool
    lease: Lease | None
    place: str
    revision: int
    best: int | None
    project: str = ""
    origin: str | None = None
    unreadable: str = ""

    @property
    def title(self) -> str:
        """What a person calls it: `name`, or `namespace/name`."""
        return title_of(self.namespace, self.name)

    def is_active(self, now: float) -> bool:
        """Whether a live runner holds the lease at *now*."""
        return self.lease is not None and self.lease.is_live(now)

    def running_seconds(self, now: float) -> float:
        """How long it has run in all, the present run up to *now* included."""
        if self.lease is None:
            return self.elapsed_seconds
        until = now if self.lease.is_live(now) else self.lease.heartbeat_at
        return self.elapsed_seconds + until - self.lease.since


@dataclass(frozen=True, slots=True)
class Control:
    """What a runner must know about the wishes of others.

    Attributes:
        stop_requested: As in an `ExperimentRecord`.
        changed: The revision of the experiment's last own change; another one when the
            document is another.
    """

    stop_requested: bool
    changed: int


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A trial with what only its runner and its details view need.

    Attributes:
        trial: The trial.
        created_at: When it got its number.
        reason: Why it is in its state, as one CamelCase word.
        traceback: Of the exception it ended with.
        offset: How much of its metrics file is imported, in bytes.
        handle: What its place calls it, such as the name of a job; None when it has none.
    """

    trial: Trial
    created_at: float
    reason: str
    traceback: str
    offset: int
    handle: str | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed in an experiment since a revision, as of a later one.

    Attributes:
        revision: The later one, from which to ask again.
        lease: Who runs it now; heartbeats move it without a new revision.
        experiment: The record, None when only trials changed.
        trials: Those that changed, by number.
    """

    revision: int
    lease: Lease | None
    experiment: ExperimentRecord | None
    trials: list[Trial]


@dataclass(frozen=True, slots=True)
class Overview:
    """What a list of experiments says of one.

    Attributes:
        experiment: The record.
        counts: How many trials are in each state; states without are left out.
        best: The optimal trial; None when there is none, or it is not known which.
        best_is_known: Whether `best` is final; otherwise it is to be looked for in the trials.
    """

    experiment: ExperimentRecord
    counts: Mapping[TrialState, int]
    best: Trial | None
    best_is_known: bool

    @property
    def is_unmeasured(self) -> bool:
        """Whether no trial has measured anything that could be the best."""
        return not any(self.counts.get(state) for state in MEASURED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationRecord(Observation):
    """An observation as stored; `id` grows in the order of storing."""

    id: int
    number: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """Something to keep with an experiment or a trial: `content` itself, or a `path` to it.

    Attributes:
        name: Unique within the trial, or within the experiment where `number` is None.
        media_type: Such as `application/x-ipynb+json`.
        content: The bytes, kept in the database.
        path: An existing file, referred to and not copied.
        number: The trial it belongs to.
        size: In bytes; None until it is measured.
        sha256: Of the bytes, hexadecimal; empty until it is measured.
    """

    name: str
    media_type: str
    content: bytes | None = None
    path: Path | None = None
    number: int | None = None
    size: int | None = None
    sha256: str = ""

    def __post_init__(self) -> None:
        if (self.content is None) == (self.path is None):
            raise ValueError(f"artifact {self.name!r} needs either content or path")

    def measured(self) -> Self:
        """The artifact with its size and digest, for which a file is read, unless it has them.

        Raises:
            OSError: The file cannot be read.
        """
        if self.size is not None:
            return self
        if self.content is not None:
            digest, size = hashlib.sha256(self.content), len(self.content)
        else:
            assert self.path is not None
            with self.path.open("rb") as file:
                # `hashlib.file_digest` clears a large buffer first, for files that are mostly
                # small.
                digest = hashlib.sha256()
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                size = file.tell()
        return replace(self, size=size, sha256=digest.hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRecord:
    """An artifact as stored; lists leave `content` out.

    Attributes:
        size: In bytes, when it was added.
        sha256: Of the bytes, when it was added, hexadecimal.
    """

    name: str
    media_type: str
    number: int | None
    size: int
    sha256: str
    content: bytes | None
    path: Path | None

    def read(self) -> bytes:
        """The bytes, from the database or the file.

        Raises:
            OSError: The file is gone.
            ValueError: The record comes from a list, without its content.
        """
        if self.content is not None:
            return self.content
        if self.path is None:
            raise ValueError(f"artifact {self.name!r} was listed without its content")
        return self.path.read_bytes()
