"""Which executed notebooks of an experiment are kept, and what else of its trials.

A function has no notebook; what it kept by `hpo_lab.keep` is in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from hpo_lab.engine.instructions import TrialEnded
from hpo_lab.experiment.trial import FAILURES, TrialState
from hpo_lab.running.place import Place
from hpo_lab.store import Artifact
from hpo_lab.trial.folder import LOG, NOTEBOOK

__all__ = ["Keep", "Keeping"]


class Keep(StrEnum):
    """Whose executed notebooks are kept; of a function, what it kept."""

    ALL = "all"
    BEST = "best"
    FAILED = "failed"
    NONE = "none"


class Keeping:
    """Says what to record of an ended trial's files, and discards the others."""

    def __init__(self, trial_spec: Mapping[str, Any], place: Place) -> None:
        """Prepare.

        Args:
            trial_spec: The trial object; its `spec.keep` is a value of `Keep`.
            place: Where the files are.
        """
        self._keep = Keep(trial_spec.get("spec", {}).get("keep", Keep.ALL))
        self._is_function = trial_spec.get("kind") == "FunctionTrial"
        self._place = place

    def at_end(self, number: int, state: TrialState) -> list[Artifact]:
        """What to record of the trial *number*, which ended in *state*."""
        files = self._place.files(number)
        if self._keeps(state):
            return files
        return [file for file in files if not self._concerns(file)]

    def clear(self, ended: TrialEnded) -> None:
        """Discard the files that are kept no longer, now that *ended* is recorded."""
        number = ended.trial.number
        # Which trial is the best is known at the end: until then its notebook waits.
        waits = self._keep is Keep.BEST and number == ended.best
        if not waits and not self._keeps(ended.trial.state):
            self._discard(number)
        if ended.superseded is not None and self._keep is Keep.BEST:
            self._discard(ended.superseded)

    def superseded(self, ended: TrialEnded) -> list[str]:
        """What the trial that was the best before *ended* has recorded and keeps no longer.

        Only an experiment that is continued has recorded it, when it ended.
        """
        if ended.superseded is None or self._keep is not Keep.BEST:
            return []
        return [file.name for file in self._place.files(ended.superseded) if self._concerns(file)]

    def _concerns(self, file: Artifact) -> bool:
        return file.name != LOG if self._is_function else file.name == NOTEBOOK

    def _discard(self, number: int) -> None:
        for file in self._place.files(number):
            if self._concerns(file):
                self._place.discard(number, file.name)

    def _keeps(self, state: TrialState) -> bool:
        return self._keep is Keep.ALL or (self._keep is Keep.FAILED and state in FAILURES)

    def of_best(self, number: int | None) -> list[Artifact]:
        """What to record of the best trial, if there is one, when the experiment ends."""
        if number is None or self._keep is not Keep.BEST:
            return []
        return [file for file in self._place.files(number) if self._concerns(file)]
