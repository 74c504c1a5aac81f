"""Checkpoints: what a trial leaves in its folder for the trials that continue from it."""

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
    """The folder for the checkpoint of this trial, with a copy of its parent's in it.

    A trial that begins anew finds it empty. Outside a trial it is an empty folder that is
    there as long as the process, so that the same code runs in a notebook and in a trial.
    """
    given = os.environ.get(CHECKPOINT_DIR)
    return Path(given or _outside().name)


@cache
def _outside() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="hpo-checkpoint-")


def checkpoint_folder(folder: Path | str) -> str:
    """Where the checkpoint of the trial in *folder* is."""
    return f"{folder}/checkpoint"


def open_checkpoint(folder: Path | str, parent: str) -> None:
    """Give the trial in *folder*, which is about to start in this process, its checkpoint folder.

    Args:
        folder: The trial's folder, as the runner made it.
        parent: The folder of the trial that it continues from; empty when it begins anew.
    """
    place = checkpoint_folder(folder)
    left = checkpoint_folder(parent) if parent else ""
    if left and os.path.isdir(left):
        # The trial sees the whole copy or none: one killed in between starts anew.
        shutil.copytree(left, f"{place}.part", symlinks=True)
        os.replace(f"{place}.part", place)
    else:
        os.mkdir(place)
    os.environ[CHECKPOINT_DIR] = place
