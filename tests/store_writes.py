"""Single writes to a store: methods of `Transaction`, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.store import Artifact, Store


def start_trial(
    store: Store,
    uid: str,
    number: int,
    now: float | None = None,
    *,
    runner_id: str | None = None,
    **rest: Any,
) -> Trial:
    """`Transaction.start_trial` alone."""
    with store.transaction(uid, runner_id) as transaction:
        return transaction.start_trial(number, now, **rest)


def finish_trial(
    store: Store,
    uid: str,
    number: int,
    state: TrialState,
    now: float | None = None,
    *,
    observations: Sequence[Observation] = (),
    offset: int = 0,
    artifacts: Sequence[Artifact] = (),
    runner_id: str | None = None,
    **rest: Any,
) -> bool:
    """`Transaction.finish_trial` alone, or with the last observations before it."""
    measured = [artifact.measured() for artifact in artifacts]
    before = store.trial(uid, number)
    with store.transaction(uid, runner_id) as transaction:
        if observations and not (before and before.trial.is_final):
            transaction.observe(number, observations, offset)
        return transaction.finish_trial(number, state, now, artifacts=measured, **rest)


def set_document(store: Store, uid: str, document: ExperimentDocument) -> None:
    """`Transaction.set_document` alone."""
    with store.transaction(uid) as transaction:
        transaction.set_document(document)


def clear_stop(store: Store, uid: str) -> None:
    """Take the request to stop back."""
    with store.transaction(uid) as transaction:
        transaction.set_stop_requested(False)


def requeue_trial(store: Store, uid: str, number: int, *, runner_id: str | None = None) -> int:
    """`Transaction.requeue_trial` alone."""
    with store.transaction(uid, runner_id) as transaction:
        return transaction.requeue_trial(number)


def add_observations(
    store: Store,
    uid: str,
    number: int,
    batch: Sequence[Observation],
    offset: int,
    *,
    runner_id: str | None = None,
) -> bool:
    """`Transaction.observe` alone."""
    with store.transaction(uid, runner_id) as transaction:
        return transaction.observe(number, batch, offset)


def add_artifact(
    store: Store, uid: str, artifact: Artifact, *, runner_id: str | None = None
) -> None:
    """`Transaction.add_artifact` alone."""
    measured = artifact.measured()
    with store.transaction(uid, runner_id) as transaction:
        transaction.add_artifact(measured)
