"""The methods of a store that concern an experiment as a whole."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hpo_lab.experiment.model import ExperimentDocument, Value
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial
from hpo_lab.masking import masked_message
from hpo_lab.store import artifacts as _artifacts
from hpo_lab.store import experiments, lease, trials
from hpo_lab.store.database import reading, writing
from hpo_lab.store.records import (
    Artifact,
    Changes,
    Condition,
    Control,
    ExperimentRecord,
    Overview,
)
from hpo_lab.store.transaction import time_of, with_points
from hpo_lab.store.transactions import Transactions

__all__ = ["ExperimentStore"]


class ExperimentStore(Transactions):
    """Experiments, their conditions, and who runs them."""

    def create_experiment(
        self,
        document: ExperimentDocument,
        *,
        identity: str,
        artifacts: Sequence[Artifact] = (),
        place: str = "local",
        project: str = "",
        origin: str | None = None,
        replaces: str | None = None,
        notes: Mapping[str, str] | None = None,
        now: float | None = None,
    ) -> ExperimentRecord:
        """Add an experiment together with its artifacts.

        Args:
            document: The whole document.
            identity: Equal for two documents that search the same thing.
            artifacts: Kept with it, such as the source notebook.
            place: Where it is to run.
            project: The folder that it belongs to; empty for none.
            origin: What its name was made of; None where a person chose the name.
            replaces: The uid of an experiment that is deleted in the same transaction.
            notes: What its history says of its making, by reason.
            now: When.

        Raises:
            NameTaken: Its project has an experiment of this name in this namespace.
            OSError: The file of an artifact cannot be read.
        """
        created = Condition(
            ExperimentState.CREATED, "ExperimentCreated", "Experiment is created", time_of(now)
        )
        rows = [_artifacts.describe(artifact.measured(), self.files) for artifact in artifacts]
        with writing(self._engine) as connection:
            if replaces is not None:
                experiments.remove(connection, replaces)
            uid = experiments.create(
                connection, document, identity, created, place, project, origin
            )
            if rows:
                _artifacts.put(connection, uid, rows)
            for reason, message in (notes or {}).items():
                note = Condition(ExperimentState.CREATED, reason, message, created.time)
                experiments.add_condition(connection, uid, 1, note)
            record = experiments.by_uid(connection, uid)
        assert record is not None
        if replaces is not None:
            self._remove_folder(replaces)
        return record

    def named(self, name: str, namespace: str | None = "default") -> list[ExperimentRecord]:
        """The experiments of that name, at most one of each project, the newest first.

        Those of every namespace where *namespace* is None.
        """
        with self._engine.connect() as connection:
            return experiments.named(connection, name, namespace)

    def related(
        self, namespace: str, *, project: str, names: Sequence[str], identity: str
    ) -> list[ExperimentRecord]:
        """All experiments among which one may be that which a person wants to run.

        Args:
            namespace: Theirs.
            project: A folder; those of it and of no project are related.
            names: Those of these names are, wherever they belong to,
            identity: and those of this identity.

        Returns:
            The newest first.
        """
        with self._engine.connect() as connection:
            return experiments.related(connection, namespace, project, names, identity)

    def move(self, uid: str, project: str, origin: str | None, now: float | None = None) -> None:
        """Have an experiment belong to another project.

        Raises:
            NameTaken: That has an experiment of its name.
        """
        with self.transaction(uid) as transaction:
            transaction.set_project(project, origin, now)

    def experiment_by_uid(self, uid: str) -> ExperimentRecord | None:
        """The experiment with that uid, None when there is none."""
        with self._engine.connect() as connection:
            return experiments.by_uid(connection, uid)

    def experiments(self) -> list[ExperimentRecord]:
        """All experiments, the newest first."""
        with self._engine.connect() as connection:
            return experiments.listed(connection)

    def overviews(self, namespace: str | None = None) -> list[Overview]:
        """What a list of experiments needs, the newest first; reads the best trials alone."""
        with reading(self._engine) as connection:
            return experiments.overviews(connection, namespace)

    def overview(self, uid: str) -> Overview | None:
        """The same of one experiment, None when it is gone."""
        with reading(self._engine) as connection:
            return experiments.overview(connection, uid)

    def revisions(self) -> dict[str, int]:
        """The revision of every experiment, by uid; cheap enough to ask at every wake-up.

        One with another revision than before has `changes`; one that is missing was deleted.
        """
        with self._engine.connect() as connection:
            return experiments.revisions(connection)

    def changes(self, uid: str, since: int = 0) -> Changes | None:
        """What changed in an experiment after the revision *since*, None when it is gone.

        Args:
            uid: The experiment.
            since: The `Changes.revision` of the last answer; 0 for all there is.
        """
        with reading(self._engine) as connection:
            head = experiments.head(connection, uid)
            if head is None:
                return None
            revision, changed, lease = head
            record = experiments.by_uid(connection, uid) if changed > since else None
            if since <= 0:
                listed = trials.listed(connection, uid)
            else:
                listed = trials.changed(connection, uid, since) if revision > since else []
            return Changes(revision, lease, record, listed)

    def page(
        self, uid: str, since: int = 0, after: int = -1, most: int = 1000
    ) -> tuple[int, list[Trial]] | None:
        """The revision of an experiment and some of its trials by number, None when it is gone.

        Args:
            uid: The experiment.
            since: Of the trials that changed after this revision. Where the store was restored
                from a backup and has not come so far, all may have changed.
            after: Of the trials behind this number.
            most: So many trials at most.
        """
        with reading(self._engine) as connection:
            head = experiments.head(connection, uid)
            if head is None:
                return None
            revision = head[0]
            since = since if since <= revision else 0
            return revision, trials.page(connection, uid, since, after, most)

    def enqueue(
        self, uid: str, points: Sequence[Mapping[str, Value]], now: float | None = None
    ) -> ExperimentDocument:
        """Append *points* to those that are to become the next new trials.

        Returns:
            The document with them.
        """
        with self.transaction(uid) as transaction:
            document = transaction.document()
            document = with_points(document, (*document.spec.enqueued_points, *points))
            transaction.set_document(document, now)
            return document

    def delete_experiment(self, uid: str) -> None:
        """Delete an experiment, its trials and its folder; its runner loses the lease."""
        with self.transaction(uid) as transaction:
            transaction.delete()
        self._remove_folder(uid)

    def _remove_folder(self, uid: str) -> None:
        # A trial that still runs may hold files open; what stays behind harms nobody.
        shutil.rmtree(self.folder(uid), ignore_errors=True)

    def request_stop(self, uid: str) -> None:
        """Ask the experiment's runner, present or next, to stop."""
        with self.transaction(uid) as transaction:
            transaction.set_stop_requested(True)

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
        """`Transaction.set_condition` alone, by the runner *runner_id* where only it may."""
        with self.transaction(uid, runner_id) as transaction:
            transaction.set_condition(type, reason, message, now)

    def conditions(self, uid: str) -> list[Condition]:
        """The history of an experiment, its creation first."""
        with self._engine.connect() as connection:
            history = experiments.history(connection, uid)
        # An earlier version put lines of code in, secrets and all.
        return [replace(each, message=masked_message(each.message)) for each in history]

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
