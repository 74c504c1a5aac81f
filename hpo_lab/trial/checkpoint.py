"""Checkpoints: the files that a trial leaves for the trials that continue from it."""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["CHECKPOINT_DIR", "checkpoint_dir", "checkpoint_folder", "open_checkpoint"]

CHECKPOINT_DIR: Final = "HPO_CHECKPOINT_DIR"
"""Environment variable of a trial with the folder for its checkpoint."""


def checkpoint_dir() -> Path:
    """The folder for the checkpoint of this trial, with a copy of its parent's checkpoint.

    A trial that begins anew finds the folder empty. Outside a trial the folder is empty and
    exists as long as the process, so that the same code runs in a notebook and in a trial.
    """
    folder = os.environ.get(CHECKPOINT_DIR)
    return Path(folder or _outside().name)


@cache
def _outside() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="hpo-checkpoint-")


def checkpoint_folder(folder: Path | str) -> str:
    """Where the checkpoint of the trial in *folder* is."""
    return f"{folder}/checkpoint"


def open_checkpoint(folder: Path | str, parent: str) -> None:
    """Make the checkpoint folder of the trial in *folder*, which starts in this process.

    Args:
        folder: The trial's folder, as the runner made it.
        parent: The folder of the trial that this trial continues from; empty to begin anew.
    """
    place = checkpoint_folder(folder)
    source = checkpoint_folder(parent) if parent else ""
    if source and os.path.isdir(source):
        # The rename shows the trial a whole copy or none, even if the copying is killed.
        shutil.copytree(source, f"{place}.part", symlinks=True)
        os.replace(f"{place}.part", place)
    else:
        os.mkdir(place)
    os.environ[CHECKPOINT_DIR] = place
