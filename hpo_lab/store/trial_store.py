"""The methods of a store that concern trials, and what is kept of them."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_lab.experiment.trial import Trial
from hpo_lab.store import artifacts as _artifacts
from hpo_lab.store import observations, trials
from hpo_lab.store.records import (
    ArtifactRecord,
    ObservationRecord,
    TrialRecord,
)
from hpo_lab.store.transactions import Transactions

__all__ = ["TrialStore"]


class TrialStore(Transactions):
    """Trials, their observations, and artifacts."""

    def trials(self, uid: str, numbers: Iterable[int] | None = None) -> list[Trial]:
        """The trials of an experiment by number, or those of *numbers* that exist."""
        with self._engine.connect() as connection:
            return trials.listed(connection, uid, numbers)

    def trial(self, uid: str, number: int) -> TrialRecord | None:
        """One trial with its details, None when there is none."""
        with self._engine.connect() as connection:
            return trials.one(connection, uid, number)

    def last_failed(self, uid: str) -> TrialRecord | None:
        """The trial that failed last with its details, None when none has."""
        with self._engine.connect() as connection:
            return trials.last_failed(connection, uid)

    def observations(
        self,
        uid: str,
        number: int | None = None,
        metric: str | None = None,
        *,
        after_id: int = 0,
        limit: int | None = None,
    ) -> list[ObservationRecord]:
        """Observations in the order of storing.

        Args:
            uid: The experiment.
            number: Of this trial alone.
            metric: Of this metric alone.
            after_id: Only later ones than the observation with this id; no observation
                shows up later with a smaller id than one already read.
            limit: At most so many.
        """
        with self._engine.connect() as connection:
            return observations.listed(connection, uid, number, metric, after_id, limit)

    def reported(
        self, uid: str, metric: str, numbers: Iterable[int] | None = None
    ) -> list[tuple[int, int | None, float, str]]:
        """Trial, step, value and text of what trials reported of *metric*, as they were stored.

        Args:
            uid: The experiment.
            metric: Of this metric.
            numbers: Of these trials alone, a few hundred at most.
        """
        with self._engine.connect() as connection:
            return observations.reported(connection, uid, metric, numbers)

    def running_trials(self, uid: str) -> list[TrialRecord]:
        """The trials that run, with their details, by number."""
        with self._engine.connect() as connection:
            return trials.running(connection, uid)

    def artifact(self, uid: str, name: str, number: int | None = None) -> ArtifactRecord | None:
        """An artifact with its content: of a trial, or of the experiment itself."""
        with self._engine.connect() as connection:
            return _artifacts.one(connection, uid, name, number, self.files)

    def sources(self, uid: str) -> list[ArtifactRecord]:
        """The artifacts of the experiment itself, with their content."""
        with self._engine.connect() as connection:
            return _artifacts.sources(connection, uid, self.files)

    def artifacts(self, uid: str, number: int | None = None) -> list[ArtifactRecord]:
        """The artifacts of a trial, by default all of the experiment, without content."""
        with self._engine.connect() as connection:
            return _artifacts.listed(connection, uid, number, self.files)
