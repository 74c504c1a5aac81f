"""Which executed notebooks of an experiment are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from hpo_lab.experiment.trial import TrialState
from hpo_lab.store import Artifact
from hpo_lab.trial.folder import LOG, NOTEBOOK

__all__ = ["Keep", "Keeping"]


class Keep(StrEnum):
    """Whose executed notebooks are kept."""

    ALL = "all"
    BEST = "best"
    FAILED = "failed"
    NONE = "none"


_FAILED = (TrialState.FAILED, TrialState.METRICS_UNAVAILABLE)


class Keeping:
    """Says what to record of an ended trial's files, and removes the others."""

    def __init__(self, trial_spec: Mapping[str, Any], folder_of: Callable[[int], Path]) -> None:
        """Prepare.

        Args:
            trial_spec: The trial object; its `spec.keep` is a value of `Keep`.
            folder_of: The folder of a trial.
        """
        self._keep = Keep(trial_spec.get("spec", {}).get("keep", Keep.ALL))
        self._folder_of = folder_of

    def at_end(self, number: int, state: TrialState, best: int | None) -> list[Artifact]:
        """What to record of a trial that ended.

        Args:
            number: The trial.
            state: How it ended.
            best: The best trial now, which may be this one.
        """
        kept = [*self._artifact(number, LOG, "text/plain")]
        if self._keep is Keep.ALL or (self._keep is Keep.FAILED and state in _FAILED):
            return [*kept, *self._notebook(number)]
        # Which one is the best is known at the end: until then its file waits.
        if self._keep is not Keep.BEST or number != best:
            self._remove(number)
        return kept

    def superseded(self, number: int) -> None:
        """Another trial is the best now, and *number* no longer is."""
        if self._keep is Keep.BEST:
            self._remove(number)

    def of_best(self, number: int | None) -> list[Artifact]:
        """What to record of the best trial, if there is one, when the experiment ends."""
        if number is None or self._keep is not Keep.BEST:
            return []
        return self._notebook(number)

    def _notebook(self, number: int) -> list[Artifact]:
        return self._artifact(number, NOTEBOOK, "application/x-ipynb+json")

    def _artifact(self, number: int, name: str, kind: str) -> list[Artifact]:
        path = self._folder_of(number) / name
        if not path.exists():
            return []
        return [Artifact(name=name, media_type=kind, path=path, number=number)]

    def _remove(self, number: int) -> None:
        (self._folder_of(number) / NOTEBOOK).unlink(missing_ok=True)
