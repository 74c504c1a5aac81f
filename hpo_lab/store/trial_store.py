"""The methods of a store that concern trials, and what is kept of them."""

from __future__ import annotations

from collections.abc import Sequence

from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.store import artifacts as _artifacts
from hpo_lab.store import observations, trials
from hpo_lab.store.database import writing
from hpo_lab.store.records import (
    Artifact,
    ArtifactRecord,
    ObservationRecord,
    TrialRecord,
)
from hpo_lab.store.transactions import Transactions, time_of

__all__ = ["TrialStore"]


class TrialStore(Transactions):
    """Trials, their observations, and artifacts."""

    def trials(self, uid: str) -> list[Trial]:
        """The trials of an experiment, by number."""
        with self._engine.connect() as connection:
            return trials.listed(connection, uid)

    def trial(self, uid: str, number: int) -> TrialRecord | None:
        """One trial with its details, None when there is none."""
        with self._engine.connect() as connection:
            return trials.one(connection, uid, number)

    def add_trials(
        self,
        uid: str,
        new: Sequence[Trial],
        now: float | None = None,
        *,
        runner_id: str | None = None,
    ) -> list[Trial]:
        """Store what *new* trials are to try; a number that is taken keeps what it has.

        Returns:
            The trials of these numbers as stored, by number.
        """
        with self._write(uid, runner_id) as connection:
            return trials.add(connection, uid, new, time_of(now))

    def start_trial(
        self,
        uid: str,
        number: int,
        now: float | None = None,
        *,
        pid: int | None = None,
        new: Trial | None = None,
        runner_id: str | None = None,
    ) -> Trial:
        """Record that a trial runs, in process *pid*.

        Args:
            uid: The experiment.
            number: The trial.
            now: When.
            pid: Its process.
            new: What a new trial is to try; a number that is taken keeps what it has.
            runner_id: Who says so.

        Returns:
            The trial as stored.

        Raises:
            NotFound: There is no such trial, and it is not *new*.
            ValueError: It has ended.
        """
        with writing(self._engine) as connection:
            return trials.start(connection, uid, number, runner_id, time_of(now), pid, new)

    def finish_trial(
        self,
        uid: str,
        number: int,
        state: TrialState,
        now: float | None = None,
        *,
        reason: str = "",
        message: str = "",
        traceback: str = "",
        observations: Sequence[Observation] = (),
        offset: int = 0,
        artifacts: Sequence[Artifact] = (),
        runner_id: str | None = None,
    ) -> bool:
        """Record the end of a trial together with its last observations and what it left.

        Args:
            uid: The experiment.
            number: The trial.
            state: A final state.
            now: When.
            reason: Why, as one CamelCase word.
            message: Why, in one line for a person.
            traceback: Of the exception it ended with.
            observations: As in `add_observations`.
            offset: As in `add_observations`.
            artifacts: As in `add_artifact`.
            runner_id: Who says so.

        Returns:
            False, with nothing changed, when the trial had ended before.

        Raises:
            NotFound: There is no such trial.
            OSError: The file of an artifact cannot be read.
            ValueError: *state* is not final, or there are observations and no offset.
        """
        if not state.is_final:
            raise ValueError(f"a trial cannot end as {state}")
        rows = [_artifacts.describe(artifact, self.files) for artifact in artifacts]
        with writing(self._engine) as connection:
            ended = trials.finish(
                connection,
                uid,
                number,
                runner_id,
                observations,
                offset,
                state=state,
                completed_at=time_of(now),
                reason=reason,
                message=message,
                traceback=traceback,
            )
            if ended and rows:
                _artifacts.put(connection, uid, rows)
            return ended

    def requeue_trial(self, uid: str, number: int, *, runner_id: str | None = None) -> int:
        """Set a trial back to `Created`, its observations gone; the number of its next attempt."""
        with writing(self._engine) as connection:
            return trials.requeue(connection, uid, number, runner_id)

    def add_observations(
        self,
        uid: str,
        number: int,
        batch: Sequence[Observation],
        offset: int,
        *,
        runner_id: str | None = None,
    ) -> bool:
        """Store observations and, with them, how far the trial's metrics are imported.

        Args:
            uid: The experiment.
            number: The trial.
            batch: In the order they were reported.
            offset: Where *batch* ends in the trial's metrics file, in bytes; it begins at
                the stored `TrialRecord.offset`. This makes an import after a crash exact.
            runner_id: Who says so.

        Returns:
            False, with nothing changed, when that much was imported before.
        """
        with writing(self._engine) as connection:
            return trials.observe(connection, uid, number, runner_id, batch, offset)

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

    # Artifacts

    def add_artifact(self, uid: str, artifact: Artifact, *, runner_id: str | None = None) -> None:
        """Keep an artifact, in place of one of the same name and trial.

        Raises:
            OSError: Its file cannot be read.
        """
        row = _artifacts.describe(artifact, self.files)
        with self._write(uid, runner_id) as connection:
            _artifacts.put(connection, uid, [row])

    def artifact(self, uid: str, name: str, number: int | None = None) -> ArtifactRecord | None:
        """An artifact with its content: of a trial, or of the experiment itself."""
        with self._engine.connect() as connection:
            return _artifacts.one(connection, uid, name, number, self.files)

    def artifacts(self, uid: str, number: int | None = None) -> list[ArtifactRecord]:
        """The artifacts of a trial, by default all of the experiment, without content."""
        with self._engine.connect() as connection:
            return _artifacts.listed(connection, uid, number, self.files)
