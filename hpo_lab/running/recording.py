"""Writes the records of the scheduler into the store, those of one turn in one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from hpo_lab.engine.instructions import (
    ExperimentEnded,
    Noted,
    Observed,
    Record,
    TrialEnded,
    TrialRequeued,
    TrialStarted,
)
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.running.keeping import Keeping
from hpo_lab.running.place import Place
from hpo_lab.store import Artifact, Store, Transaction

__all__ = ["Recorder"]


class Recorder:
    """Records what becomes of one experiment, for the runner that holds its lease."""

    def __init__(
        self, store: Store, uid: str, runner_id: str, place: Place, keeping: Keeping
    ) -> None:
        """Prepare.

        Args:
            store: Where the experiment is recorded.
            uid: The experiment.
            runner_id: Who holds its lease.
            place: Where its trials run.
            keeping: Which of their files are kept.
        """
        self._store = store
        self._uid = uid
        self._runner_id = runner_id
        self._place = place
        self._keeping = keeping

    def write(self, records: Sequence[Record], time: float) -> None:
        """Write *records*, in their order and all or none, as of *time*.

        Raises:
            LeaseLost: Another runner took over; nothing is written.
            NotFound: The experiment was deleted; nothing is written.
        """
        if not records:
            return
        # Files are looked at before the transaction, which keeps other writers waiting.
        files: dict[int | None, list[Artifact]] = {}
        for record in records:
            if isinstance(record, TrialEnded):
                number, state = record.trial.number, record.trial.state
                files[number] = _measured(self._keeping.at_end(number, state))
            elif isinstance(record, ExperimentEnded):
                files[None] = _measured(self._keeping.of_best(record.best))
        with self._store.transaction(self._uid, self._runner_id) as transaction:
            for record in records:
                self._write(record, files, transaction, time)
        # After that, so that no file is gone of which the store still tells.
        for record in records:
            if isinstance(record, TrialEnded):
                self._keeping.clear(record)

    def _write(
        self,
        record: Record,
        files: Mapping[int | None, Sequence[Artifact]],
        transaction: Transaction,
        time: float,
    ) -> None:
        match record:
            case TrialStarted(trial, is_new):
                new = trial if is_new else None
                handle = self._place.handle(trial)
                transaction.start_trial(trial.number, trial.started_at, new=new, handle=handle)
            case Observed():
                transaction.observe(record.number, record.observations, record.end)
            case TrialEnded(trial):
                if record.best == trial.number:
                    transaction.set_best(trial.number)
                if record.superseded is not None and (names := self._keeping.superseded(record)):
                    transaction.remove_artifacts(record.superseded, names)
                transaction.finish_trial(
                    trial.number,
                    trial.state,
                    trial.completed_at,
                    reason=record.reason,
                    message=trial.message,
                    traceback=record.traceback,
                    artifacts=files[trial.number],
                )
            case TrialRequeued():
                transaction.requeue_trial(record.trial.number, record.trial.attempt)
            case Noted():
                began = time if record.since is None else record.since
                transaction.set_condition(
                    ExperimentState.RUNNING, record.reason, record.message, began
                )
            case ExperimentEnded(verdict, best):
                for artifact in files[None]:
                    transaction.add_artifact(artifact)
                transaction.set_best(best)
                transaction.set_condition(verdict.state, verdict.reason, verdict.message, time)


def _measured(files: Sequence[Artifact]) -> list[Artifact]:
    measured = []
    for file in files:
        # What a trial still writes may remove it meanwhile.
        with contextlib.suppress(OSError):
            measured.append(file.measured())
    return measured
