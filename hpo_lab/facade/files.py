"""Where the files of an experiment and its trials are on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hpo_lab.local.launch import RUNNER_LOG
from hpo_lab.local.place import trial_folder
from hpo_lab.store import Store
from hpo_lab.trial.folder import LOG, NOTEBOOK, open_own

__all__ = [
    "Tail",
    "content_of",
    "files_of",
    "log_of",
    "notebook_of",
    "runner_log",
    "tail_of",
]


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a file.

    Attributes:
        text: What stands there; what is no UTF-8 is replaced.
        start: Where it begins in the file, in bytes.
        size: Of the whole file in bytes.
    """

    text: str
    start: int
    size: int


def tail_of(path: Path, most: int) -> Tail | None:
    """At most so many bytes of the end of a log; None where there is no plain file."""
    try:
        with os.fdopen(open_own(str(path), os.O_RDONLY), "rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - most)
            file.seek(start)
            return Tail(file.read(most).decode(errors="replace"), start, size)
    except OSError:
        return None


def content_of(path: Path) -> bytes | None:
    """The content of a file of a trial; None where there is no plain file."""
    try:
        with os.fdopen(open_own(str(path), os.O_RDONLY), "rb") as file:
            return file.read()
    except OSError:
        return None


def runner_log(store: Store, uid: str) -> Path:
    """The log of the background runner; it need not exist."""
    return store.folder(uid) / RUNNER_LOG


def log_of(store: Store, uid: str, number: int) -> Path:
    """What a trial printed; it need not exist."""
    return trial_folder(store.folder(uid), number) / LOG


def notebook_of(store: Store, uid: str, number: int) -> Path | None:
    """The executed notebook of a trial, None where there is none on this machine."""
    artifact = store.artifact(uid, NOTEBOOK, number)
    path = artifact.path if artifact else None
    return path if path is not None and path.exists() else None


def files_of(store: Store, uid: str, number: int) -> list[Path]:
    """All files of a trial, in the order of their paths."""
    return sorted(
        path for path in trial_folder(store.folder(uid), number).rglob("*") if path.is_file()
    )
