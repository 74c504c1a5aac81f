"""Kinds of trials: how to run what `trialTemplate.trialSpec` describes.

A kind is an entry point of the group `hpo_lab.trial_kinds`, named as the `kind` of the
trial object; it loads to a function that takes the `Task` and the trial's folder, runs the
trial to its end in the current process, and raises when the trial fails.
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
    """A trial's own code failed; the traceback is that of the trial, not of its runner."""

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback


def trial_kinds() -> list[str]:
    """The names of the kinds that can be run here."""
    return sorted(entry_points(group=GROUP).names)


def trial_kind(name: str) -> TrialKind:
    """The function that runs trials of the kind *name*.

    Raises:
        LookupError: when there is no such kind.
    """
    for entry in entry_points(group=GROUP, name=name):
        return cast(TrialKind, entry.load())
    raise LookupError(f"no trial kind {name!r}; known are {', '.join(trial_kinds())}")
