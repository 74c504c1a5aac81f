"""Which executed notebooks of an experiment are kept."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from hpo_lab.experiment.trial import TrialState
from hpo_lab.running.place import Place
from hpo_lab.store import Artifact
from hpo_lab.trial.folder import NOTEBOOK

__all__ = ["Keep", "Keeping"]


class Keep(StrEnum):
    """Whose executed notebooks are kept."""

    ALL = "all"
    BEST = "best"
    FAILED = "failed"
    NONE = "none"


_FAILED = (TrialState.FAILED, TrialState.METRICS_UNAVAILABLE)


class Keeping:
    """Says what to record of an ended trial's files, and discards the others."""

    def __init__(self, trial_spec: Mapping[str, Any], place: Place) -> None:
        """Prepare.

        Args:
            trial_spec: The trial object; its `spec.keep` is a value of `Keep`.
            place: Where the files are.
        """
        self._keep = Keep(trial_spec.get("spec", {}).get("keep", Keep.ALL))
        self._place = place

    def at_end(self, number: int, state: TrialState, best: int | None) -> list[Artifact]:
        """What to record of a trial that ended.

        Args:
            number: The trial.
            state: How it ended.
            best: The best trial now, which may be this one.
        """
        files = self._place.files(number)
        if self._keep is Keep.ALL or (self._keep is Keep.FAILED and state in _FAILED):
            return files
        # Which trial is the best is known at the end: until then its notebook waits.
        if self._keep is not Keep.BEST or number != best:
            self._place.discard(number, NOTEBOOK)
        return [file for file in files if file.name != NOTEBOOK]

    def superseded(self, number: int) -> None:
        """Another trial is the best now, and *number* no longer is."""
        if self._keep is Keep.BEST:
            self._place.discard(number, NOTEBOOK)

    def of_best(self, number: int | None) -> list[Artifact]:
        """What to record of the best trial, if there is one, when the experiment ends."""
        if number is None or self._keep is not Keep.BEST:
            return []
        return [file for file in self._place.files(number) if file.name == NOTEBOOK]
