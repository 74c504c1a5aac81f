"""The store as the rest of the project uses it: one method, one transaction."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from hpo_lab.experiment.model import Experiment, Value
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.store import artifacts as _artifacts
from hpo_lab.store import experiments, lease, trials
from hpo_lab.store.engine import connect, writing
from hpo_lab.store.location import Location
from hpo_lab.store.records import (
    Artifact,
    ArtifactRecord,
    Condition,
    Control,
    ExperimentRecord,
    Observation,
    ObservationRecord,
    TrialRecord,
)

__all__ = ["Store", "open_store"]


def open_store(location: str | os.PathLike[str] | None = None) -> Store:
    """Open a store, making it where there is none.

    Args:
        location: Path of a SQLite file, or a URL (`sqlite:///PATH`, `postgresql://...`);
            by default `$HPO_LAB_STORE`, else a file in the user's data folder.

    Raises:
        InvalidInput: The location cannot be used.
    """
    return Store(Location.parse(location))


class Store:
    """The record of experiments, trials, observations and artifacts.

    Safe to use from several threads, and before and after a fork. Every method is one
    transaction. Methods that change an experiment raise `NotFound` when it does not exist;
    those with `runner_id` raise `LeaseLost`, and change nothing, when that runner no longer
    holds the experiment's lease. `now` is in seconds since the epoch, by default the
    present time.

    Attributes:
        location: Opens the same store from another process; holds the password, if any.
        files: Folder for the files of trials.
    """

    def __init__(self, location: Location) -> None:
        self._location = location
        self._engine = connect(location)
        self._writer = writing(self._engine)
        self.location: str = location.address
        self.files: Path = location.files

    def __repr__(self) -> str:
        return f"Store({str(self._location)!r})"

    def close(self) -> None:
        """Close the idle connections; the store opens new ones when it is used again."""
        self._engine.dispose()

    def folder(self, uid: str) -> Path:
        """Where the files of one experiment belong; it need not exist yet."""
        return self.files / uid

    # Experiments

    def create_experiment(
        self,
        document: Experiment,
        *,
        identity: str,
        artifacts: Sequence[Artifact] = (),
        now: float | None = None,
    ) -> ExperimentRecord:
        """Add an experiment together with its artifacts.

        Args:
            document: The whole document.
            identity: Equal for two documents that search the same thing.
            artifacts: Kept with it, such as the source notebook.
            now: When.

        Raises:
            NameTaken: Its namespace has an experiment of this name.
            OSError: The file of an artifact cannot be read.
        """
        created = Condition(
            ExperimentState.CREATED, "ExperimentCreated", "Experiment is created", _time(now)
        )
        rows = [_artifacts.describe(artifact, self.files) for artifact in artifacts]
        with self._writer.begin() as connection:
            uid = experiments.create(connection, document, identity, created)
            if rows:
                _artifacts.put(connection, uid, rows)
            record = experiments.by_uid(connection, uid)
        assert record is not None
        return record

    def experiment(self, name: str, namespace: str = "default") -> ExperimentRecord | None:
        """The experiment of that name, None when there is none."""
        with self._engine.connect() as connection:
            return experiments.by_name(connection, name, namespace)

    def experiment_by_uid(self, uid: str) -> ExperimentRecord | None:
        """The experiment with that uid, None when there is none."""
        with self._engine.connect() as connection:
            return experiments.by_uid(connection, uid)

    def experiments(self, namespace: str | None = None) -> list[ExperimentRecord]:
        """The experiments of a namespace, by default of all, the newest first."""
        with self._engine.connect() as connection:
            return experiments.listed(connection, namespace)

    def trial_counts(self, namespace: str | None = None) -> dict[str, Mapping[TrialState, int]]:
        """How many trials are in each state, by experiment uid; states without are left out."""
        with self._engine.connect() as connection:
            return experiments.trial_counts(connection, namespace)

    def update_spec(self, uid: str, document: Experiment, now: float | None = None) -> None:
        """Replace the document of an experiment, whose name, namespace and points stay.

        Points that were enqueued can only be added to, also by *document*: the trials that
        have them refer to their places.

        Raises:
            ValueError: The new document has another name or namespace.
        """
        with self._write(uid) as connection:
            old = experiments.control(connection, uid).document
            if (old.namespace, old.name) != (document.namespace, document.name):
                raise ValueError(
                    f"experiment {old.namespace}/{old.name} cannot become "
                    f"{document.namespace}/{document.name}"
                )
            points = old.spec.enqueued_points
            if document.spec.enqueued_points[: len(points)] != points:
                document = _with_points(document, points)
            experiments.change(connection, uid, _time(now), document=document.to_document())

    def enqueue(
        self, uid: str, points: Sequence[Mapping[str, Value]], now: float | None = None
    ) -> Experiment:
        """Append *points* to those that are to become the next new trials.

        Returns:
            The document with them.
        """
        with self._write(uid) as connection:
            document = experiments.control(connection, uid).document
            added = (*document.spec.enqueued_points, *map(dict, points))
            document = _with_points(document, added)
            experiments.change(connection, uid, _time(now), document=document.to_document())
            return document

    def delete_experiment(self, uid: str) -> None:
        """Delete an experiment, its trials and its folder; its runner loses the lease."""
        with self._write(uid) as connection:
            experiments.remove(connection, uid)
        # A trial that still runs may hold files open; what stays behind harms nobody.
        shutil.rmtree(self.folder(uid), ignore_errors=True)

    def request_stop(self, uid: str, now: float | None = None) -> None:
        """Ask the experiment's runner, present or next, to stop."""
        with self._write(uid) as connection:
            experiments.change(connection, uid, _time(now), stop_requested=True)

    def clear_stop(self, uid: str, now: float | None = None) -> None:
        """Take the request to stop back."""
        with self._write(uid) as connection:
            experiments.change(connection, uid, _time(now), stop_requested=False)

    def control(self, uid: str) -> Control:
        """The request to stop and the present document; cheap enough to poll.

        Raises:
            NotFound: The experiment is gone.
        """
        with self._engine.connect() as connection:
            return experiments.control(connection, uid)

    def set_condition(
        self,
        uid: str,
        type: ExperimentState | str,
        reason: str,
        message: str,
        now: float | None = None,
        *,
        runner_id: str | None = None,
    ) -> None:
        """Add a condition to the history and make it the state; repeating the last is no change.

        `started_at` is set by the first `Running`, `completed_at` by a final state and
        cleared by any other.

        Args:
            uid: The experiment.
            type: The new state.
            reason: Why, as one CamelCase word.
            message: Why, for a person.
            now: When.
            runner_id: Who says so, where only the runner may.
        """
        condition = Condition(ExperimentState(type), reason, message, _time(now))
        with self._write(uid, runner_id) as connection:
            experiments.add_condition(connection, uid, condition)

    def conditions(self, uid: str) -> list[Condition]:
        """The history of an experiment, its creation first."""
        with self._engine.connect() as connection:
            return experiments.history(connection, uid)

    # The lease

    def acquire_lease(self, uid: str, runner: lease.Runner, now: float | None = None) -> bool:
        """Make *runner* the experiment's runner; False while another live one is.

        A holder is dead when its process on this machine is, or when it is on another
        machine and was silent for `LEASE_SECONDS`.
        """
        with self._writer.begin() as connection:
            return lease.acquire(connection, uid, runner, _time(now))

    def renew_lease(self, uid: str, runner_id: str, now: float | None = None) -> bool:
        """Say that the runner lives; False when it has lost the lease."""
        with self._writer.begin() as connection:
            return lease.renew(connection, uid, runner_id, _time(now))

    def release_lease(self, uid: str, runner_id: str, now: float | None = None) -> bool:
        """Give the lease back and count the time it was held; False when it was lost before."""
        with self._writer.begin() as connection:
            return lease.release(connection, uid, runner_id, _time(now))

    # Trials

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
            return trials.add(connection, uid, new, _time(now))

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
        with self._write(uid, runner_id) as connection:
            return trials.start(connection, uid, number, _time(now), pid, new)

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
        with self._write(uid, runner_id) as connection:
            ended = trials.finish(
                connection,
                uid,
                number,
                observations,
                offset,
                state=state,
                completed_at=_time(now),
                reason=reason,
                message=message,
                traceback=traceback,
            )
            if ended and rows:
                _artifacts.put(connection, uid, rows)
            return ended

    def requeue_trial(self, uid: str, number: int, *, runner_id: str | None = None) -> int:
        """Set a trial back to `Created`, its observations gone; the number of its next attempt."""
        with self._write(uid, runner_id) as connection:
            return trials.requeue(connection, uid, number)

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
        with self._write(uid, runner_id) as connection:
            return trials.observe(connection, uid, number, batch, offset)

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
            return trials.observed(connection, uid, number, metric, after_id, limit)

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

    @contextmanager
    def _write(self, uid: str, runner_id: str | None = None) -> Iterator[Connection]:
        with self._writer.begin() as connection:
            experiments.lock(connection, uid, runner_id)
            yield connection


def _with_points(document: Experiment, points: Sequence[dict[str, Value]]) -> Experiment:
    spec = document.spec.model_copy(update={"enqueued_points": tuple(points)})
    return document.model_copy(update={"spec": spec})


def _time(now: float | None) -> float:
    return time.time() if now is None else now
