"""Many records of one experiment that are written together, in few statements."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from hpo_lab.experiment.model import ExperimentDocument, Value
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState, continued
from hpo_lab.observation import Observation
from hpo_lab.store import artifacts as _artifacts
from hpo_lab.store import experiments, trials
from hpo_lab.store import observations as _observations
from hpo_lab.store.errors import NameTaken, NotFound
from hpo_lab.store.records import Artifact, Condition
from hpo_lab.store.tables import NO_BEST

__all__ = ["Snapshot", "Transaction", "time_of", "with_points"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Trials of an experiment as of a revision; no other transaction has that revision.

    The next transaction need not read them, if it is that of the next revision.

    Attributes:
        revision: The revision.
        last: The highest number of a trial, -1 before the first; None when it was not read.
        trials: Some trials by number, with how far their observations are imported.
    """

    revision: int
    last: int | None
    trials: dict[int, tuple[Trial, int]]


class Transaction:
    """Writes to one experiment that all happen or none; `Store.transaction` makes it.

    Methods check at once and answer as if their records were written. The records of trials
    are collected and written at the end, those of a kind in one statement. Until then the
    store shows nothing of them, and other writers of the experiment wait.

    Attributes:
        revision: That of the experiment with these writes.
    """

    def __init__(
        self,
        connection: Connection,
        uid: str,
        revision: int,
        files: Path,
        before: Snapshot | None,
    ) -> None:
        self.revision = revision
        self._connection = connection
        self._uid = uid
        self._files = files
        self._trials: dict[int, tuple[Trial, int]] = {}
        self._before: dict[int, tuple[Trial, int]] = {}
        self._last: int | None = None
        if before is not None and before.revision == revision - 1:
            self._before = before.trials
            self._last = before.last
        self._added: dict[int, dict[str, Any]] = {}
        self._changes: dict[int, dict[str, Any]] = {}
        self._forgotten: set[int] = set()
        self._observed: list[dict[str, Any]] = []
        self._kept: dict[tuple[int | None, str], dict[str, Any]] = {}
        self._has_written = False

    # Trials

    def start_trial(
        self,
        number: int,
        now: float | None = None,
        *,
        new: Trial | None = None,
        handle: str | None = None,
    ) -> Trial:
        """Record that a trial runs.

        Args:
            number: The trial.
            now: When.
            new: What a new trial is to try; a number that is taken keeps what it has.
            handle: What the place where it runs calls it.

        Returns:
            The trial as stored.

        Raises:
            NotFound: There is no such trial, and it is not *new*.
            ValueError: It has ended.
        """
        stored, now = self._stored(number), time_of(now)
        if stored is not None:
            trial, offset = stored
            if trial.is_final:
                raise ValueError(
                    f"trial {number} has ended ({trial.state}); requeue it to run it again"
                )
        elif new is not None:
            trial, offset = _fresh(new), 0
            self._added[number] = trials.row(self._uid, trial, now)
            self._last = max(self._last or 0, number)
        else:
            raise self._missing(number)
        trial = replace(trial, state=TrialState.RUNNING, started_at=now)
        self._put(trial, offset, state=trial.state.value, started_at=now, handle=handle)
        return trial

    def observe(self, number: int, observations: Sequence[Observation], offset: int) -> bool:
        """Store observations and, with them, how far the trial's metrics are imported.

        Args:
            number: The trial.
            observations: In the order they were reported.
            offset: Where they end in the trial's metrics file, in bytes; they begin at the
                stored `TrialRecord.offset`. This makes an import after a crash exact.

        Returns:
            False, with nothing changed, when that much was imported before.

        Raises:
            NotFound: There is no such trial.
            ValueError: There are observations and no offset.
        """
        trial, stored_offset = self._present(number)
        if observations and offset <= 0:
            raise ValueError(f"a batch of observations ends at a positive offset, not {offset}")
        if stored_offset >= offset:
            return False
        self._observed += [
            _observations.row(self._uid, number, trial.attempt, observation)
            for observation in observations
        ]
        trial = replace(trial, metrics=continued(trial.metrics, observations))
        metrics = _observations.encode_metrics(trial.metrics)
        self._put(trial, offset, metrics=metrics, observations_offset=offset)
        return True

    def finish_trial(
        self,
        number: int,
        state: TrialState,
        now: float | None = None,
        *,
        reason: str = "",
        message: str = "",
        traceback: str = "",
        artifacts: Sequence[Artifact] = (),
    ) -> bool:
        """Record the end of a trial together with what it left.

        Args:
            number: The trial.
            state: A final state.
            now: When.
            reason: Why, as one CamelCase word.
            message: Why, in one line for a person.
            traceback: Of the exception it ended with.
            artifacts: As in `add_artifact`.

        Returns:
            False, with nothing changed, when the trial had ended before.

        Raises:
            NotFound: There is no such trial.
            OSError: The file of an artifact cannot be read.
            ValueError: *state* is not final.
        """
        if not state.is_final:
            raise ValueError(f"a trial cannot end as {state}")
        trial, offset = self._present(number)
        if trial.is_final:
            return False
        for artifact in artifacts:
            self.add_artifact(artifact)
        now = time_of(now)
        self._put(
            replace(trial, state=state, completed_at=now, message=message),
            offset,
            state=state.value,
            completed_at=now,
            reason=reason,
            message=message,
            traceback=traceback,
            handle=None,
        )
        return True

    def requeue_trial(self, number: int, attempt: int | None = None) -> int:
        """Set a trial back to `Created`, its observations gone; the number of its next attempt.

        Args:
            number: The trial.
            attempt: Which attempt is next; where it is that already, nothing is changed.
        """
        before, _ = self._present(number)
        if attempt is not None and before.attempt >= attempt:
            return before.attempt
        trial = replace(_fresh(before), attempt=before.attempt + 1)
        self._observed = [row for row in self._observed if row["number"] != number]
        self._forgotten.add(number)
        self._put(
            trial,
            0,
            state=trial.state.value,
            attempt=trial.attempt,
            metrics={},
            started_at=None,
            completed_at=None,
            reason="",
            message="",
            traceback="",
            observations_offset=0,
            handle=None,
        )
        return trial.attempt

    def add_artifact(self, artifact: Artifact) -> None:
        """Keep an artifact, in place of one of the same name and trial.

        A file is read here unless the artifact is `measured`, while other writers wait.

        Raises:
            OSError: Its file cannot be read.
        """
        row = _artifacts.describe(artifact.measured(), self._files)
        self._kept[artifact.number, artifact.name] = row
        if artifact.number is not None and artifact.number not in self._added:
            self._changes.setdefault(artifact.number, {})

    def remove_artifacts(self, number: int, names: Sequence[str]) -> None:
        """Keep what a trial has as *names* no longer."""
        if _artifacts.remove(self._connection, self._uid, number, names):
            self._changes.setdefault(number, {})

    # The experiment

    def set_condition(
        self, type: ExperimentState | str, reason: str, message: str, now: float | None = None
    ) -> None:
        """Add a condition to the history and make it the state; repeating the last is no change.

        `started_at` is set by the first `Running`, `completed_at` by a final state and
        cleared by any other.

        Args:
            type: The new state.
            reason: Why, as one CamelCase word.
            message: Why, for a person.
            now: When.
        """
        condition = Condition(ExperimentState(type), reason, message, time_of(now))
        self._has_written |= experiments.add_condition(
            self._connection, self._uid, self.revision, condition
        )

    def set_best(self, number: int | None) -> None:
        """Say which trial is the optimal one, None that there is none."""
        self._change_row(best=NO_BEST if number is None else number)

    def document(self) -> ExperimentDocument:
        """The experiment's document, which only this transaction can change."""
        return experiments.document(self._connection, self._uid)

    def set_document(self, document: ExperimentDocument, now: float | None = None) -> None:
        """Replace the experiment's document, whose name, namespace and points stay.

        Points that were enqueued can only be added to, also by *document*: the trials that
        have them refer to their places.

        Raises:
            ValueError: The new document has another name or namespace, or could not be read again.
        """
        old = self.document()
        if (old.namespace, old.name) != (document.namespace, document.name):
            raise ValueError(
                f"experiment {old.namespace}/{old.name} cannot become "
                f"{document.namespace}/{document.name}"
            )
        points = old.spec.enqueued_points
        if document.spec.enqueued_points[: len(points)] != points:
            document = with_points(document, points)
        self._change_row(document=experiments.written(document), updated_at=time_of(now))

    def set_project(self, project: str, origin: str | None, now: float | None = None) -> None:
        """Have the experiment belong to *project*.

        Raises:
            NameTaken: That has an experiment of its name.
        """
        namespace, name = experiments.names(self._connection, self._uid)
        try:
            self._change_row(project=project, origin=origin, updated_at=time_of(now))
        except IntegrityError as error:
            raise NameTaken(name, namespace) from error

    def set_stop_requested(self, requested: bool) -> None:
        """Ask the experiment's runner to stop, or take that back."""
        self._change_row(stop_requested=requested)

    def delete(self) -> None:
        """Delete the experiment and all that belongs to it; nothing may follow."""
        experiments.remove(self._connection, self._uid)
        self._has_written = True

    # What `Store.transaction` does

    def flush(self) -> bool:
        """Write what was collected; False when nothing at all was changed."""
        connection = self._connection
        marked = {"revision": self.revision}
        if self._added:
            trials.add(connection, [row | marked for row in self._added.values()])
        if self._changes:
            changes = {number: values | marked for number, values in self._changes.items()}
            trials.change(connection, self._uid, changes)
        if self._forgotten:
            _observations.forget(connection, self._uid, self._forgotten)
        if self._observed:
            _observations.add(connection, self._observed)
        if self._kept:
            _artifacts.put(connection, self._uid, list(self._kept.values()))
        return self._has_written or bool(self._added or self._changes or self._kept)

    def snapshot(self) -> Snapshot:
        """The trials that may be written again, once this is committed.

        It takes over what was known before, so that its cost is that of this transaction.
        """
        for number, (trial, offset) in self._trials.items():
            if trial.is_final:
                self._before.pop(number, None)
            else:
                self._before[number] = trial, offset
        return Snapshot(self.revision, self._last, self._before)

    def _change_row(self, **values: Any) -> None:
        experiments.change(self._connection, self._uid, self.revision, **values)
        self._has_written = True

    def _stored(self, number: int) -> tuple[Trial, int] | None:
        if number in self._before and number not in self._trials:
            return self._before[number]
        if number not in self._trials:
            if self._last is None:
                self._last = trials.last(self._connection, self._uid)
            if number > self._last:
                return None
            stored = trials.to_change(self._connection, self._uid, number)
            if stored is None:
                return None
            self._trials[number] = stored
        return self._trials[number]

    def _present(self, number: int) -> tuple[Trial, int]:
        stored = self._stored(number)
        if stored is None:
            raise self._missing(number)
        return stored

    def _missing(self, number: int) -> NotFound:
        return NotFound(f"experiment {self._uid} has no trial {number}")

    def _put(self, trial: Trial, offset: int, **values: Any) -> None:
        """Make *trial* what is stored, for which these columns are to be set."""
        self._trials[trial.number] = trial, offset
        row = self._added.get(trial.number)
        if row is None:
            row = self._changes.setdefault(trial.number, {})
        row.update(values)


def with_points(
    document: ExperimentDocument, points: Sequence[Mapping[str, Value]]
) -> ExperimentDocument:
    """*document* with other enqueued points."""
    spec = document.spec.model_copy(update={"enqueued_points": tuple(map(dict, points))})
    return document.model_copy(update={"spec": spec})


def time_of(now: float | None) -> float:
    """*now*, by default the present time."""
    return time.time() if now is None else now


def _fresh(asked: Trial) -> Trial:
    return Trial(
        asked.number, dict(asked.assignments), parent=asked.parent, labels=dict(asked.labels)
    )
