"""Kinds of trials: the functions that run the objects of `trialTemplate.trialSpec`.

A kind is an entry point of the group `hpo_lab.trial_kinds`, named as the `kind` of the
trial object. It loads to a function that takes the `Task` and the trial's folder, runs the
trial to its end in the current process, and raises an error when the trial fails.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from hpo_lab.trial.folder import Task

__all__ = ["TrialFailed", "TrialKind", "trial_kind", "trial_kinds"]

GROUP = "hpo_lab.trial_kinds"

TrialKind = Callable[[Task, Path], None]


class TrialFailed(Exception):
    """A trial's own code failed; `traceback` is the traceback of that code."""

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback


def trial_kinds() -> list[str]:
    """The names of the kinds of trials that this installation can run."""
    return sorted(entry_points(group=GROUP).names)


def trial_kind(name: str) -> TrialKind:
    """The function that runs trials of the kind *name*.

    Raises:
        LookupError: No kind has that name.
    """
    for entry in entry_points(group=GROUP, name=name):
        return cast(TrialKind, entry.load())
    raise LookupError(f"no trial kind {name!r}; known are {', '.join(trial_kinds())}")
