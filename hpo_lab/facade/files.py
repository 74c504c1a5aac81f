"""Where the files of an experiment and its trials are on this machine."""

from __future__ import annotations

from pathlib import Path

from hpo_lab.local.launch import RUNNER_LOG
from hpo_lab.local.place import trial_folder
from hpo_lab.store import Store
from hpo_lab.trial.folder import LOG, NOTEBOOK

__all__ = ["files_of", "log_of", "notebook_of", "runner_log"]


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
