"""The methods of a store that concern an experiment as a whole."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence

from hpo_lab.experiment.model import ExperimentDocument, Value
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import TrialState
from hpo_lab.store import artifacts as _artifacts
from hpo_lab.store import experiments, lease
from hpo_lab.store.database import writing
from hpo_lab.store.records import Artifact, Condition, Control, ExperimentRecord
from hpo_lab.store.transactions import Transactions, time_of

__all__ = ["ExperimentStore"]


class ExperimentStore(Transactions):
    """Experiments, their conditions, and who runs them."""

    def create_experiment(
        self,
        document: ExperimentDocument,
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
            ExperimentState.CREATED, "ExperimentCreated", "Experiment is created", time_of(now)
        )
        rows = [_artifacts.describe(artifact, self.files) for artifact in artifacts]
        with writing(self._engine) as connection:
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

    def update_spec(self, uid: str, document: ExperimentDocument, now: float | None = None) -> None:
        """Replace the document of an experiment, whose name, namespace and points stay.

        Points that were enqueued can only be added to, also by *document*: the trials that
        have them refer to their places.

        Raises:
            ValueError: The new document has another name or namespace.
        """
        with self._write(uid) as connection:
            old = experiments.document(connection, uid)
            if (old.namespace, old.name) != (document.namespace, document.name):
                raise ValueError(
                    f"experiment {old.namespace}/{old.name} cannot become "
                    f"{document.namespace}/{document.name}"
                )
            points = old.spec.enqueued_points
            if document.spec.enqueued_points[: len(points)] != points:
                document = _with_points(document, points)
            experiments.change(connection, uid, time_of(now), document=document.to_document())

    def enqueue(
        self, uid: str, points: Sequence[Mapping[str, Value]], now: float | None = None
    ) -> ExperimentDocument:
        """Append *points* to those that are to become the next new trials.

        Returns:
            The document with them.
        """
        with self._write(uid) as connection:
            document = experiments.document(connection, uid)
            added = (*document.spec.enqueued_points, *map(dict, points))
            document = _with_points(document, added)
            experiments.change(connection, uid, time_of(now), document=document.to_document())
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
            experiments.change(connection, uid, time_of(now), stop_requested=True)

    def clear_stop(self, uid: str, now: float | None = None) -> None:
        """Take the request to stop back."""
        with self._write(uid) as connection:
            experiments.change(connection, uid, time_of(now), stop_requested=False)

    def control(self, uid: str) -> Control:
        """The request to stop, and when anything was changed; cheap enough to poll.

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
        condition = Condition(ExperimentState(type), reason, message, time_of(now))
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
        with writing(self._engine) as connection:
            return lease.acquire(connection, uid, runner, time_of(now))

    def renew_lease(self, uid: str, runner_id: str, now: float | None = None) -> bool:
        """Say that the runner lives; False when it has lost the lease."""
        with writing(self._engine) as connection:
            return lease.renew(connection, uid, runner_id, time_of(now))

    def release_lease(self, uid: str, runner_id: str, now: float | None = None) -> bool:
        """Give the lease back and count the time it was held; False when it was lost before."""
        with writing(self._engine) as connection:
            return lease.release(connection, uid, runner_id, time_of(now))


def _with_points(
    document: ExperimentDocument, points: Sequence[dict[str, Value]]
) -> ExperimentDocument:
    spec = document.spec.model_copy(update={"enqueued_points": tuple(points)})
    return document.model_copy(update={"spec": spec})
