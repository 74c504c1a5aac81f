"""Experiments in SQL: rows in, records out; the caller holds the transaction."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import TrialState
from hpo_lab.store import tables
from hpo_lab.store.errors import LeaseLost, NameTaken, NotFound
from hpo_lab.store.lease import lease_of
from hpo_lab.store.records import Condition, Control, ExperimentRecord

_experiments = tables.experiments
_conditions = tables.conditions
_LOCK = (
    select(_experiments.c.runner)
    .where(_experiments.c.uid == bindparam("of_uid"))
    .with_for_update(key_share=True)
)


def lock(connection: Connection, uid: str, runner_id: str | None = None) -> None:
    """Make this transaction the only writer of the experiment, and *runner_id* its runner.

    Writers of one experiment thus follow each other, which makes the ids of its
    observations appear in their order.
    """
    check_lease(connection.execute(_LOCK, {"of_uid": uid}).one_or_none(), uid, runner_id)


def check_lease(row: Row[*tuple[Any, ...]] | None, uid: str, runner_id: str | None) -> None:
    """Check the `runner` that was read of a locked experiment.

    Raises:
        LeaseLost: It is not *runner_id*.
        NotFound: There is no experiment, or its trials went with it.
    """
    if runner_id is not None and (row is None or row.runner != runner_id):
        raise LeaseLost(f"runner {runner_id} no longer holds the lease of experiment {uid}")
    if row is None:
        raise NotFound(f"no experiment with uid {uid!r}")


def create(
    connection: Connection, document: ExperimentDocument, identity: str, condition: Condition
) -> str:
    """Insert an experiment whose first condition is *condition*; its uid."""
    uid = uuid.uuid4().hex
    row = {
        "uid": uid,
        "namespace": document.namespace,
        "name": document.name,
        "document": document.to_document(),
        "identity": identity,
        "state": condition.type,
        "reason": condition.reason,
        "message": condition.message,
        "created_at": condition.time,
        "updated_at": condition.time,
        "stop_requested": False,
        "elapsed_seconds": 0.0,
    }
    try:
        connection.execute(insert(_experiments), row)
    except IntegrityError as error:
        raise NameTaken(document.name, document.namespace) from error
    _append(connection, uid, 0, condition)
    return uid


def by_name(connection: Connection, name: str, namespace: str) -> ExperimentRecord | None:
    """The experiment of that name."""
    row = connection.execute(
        select(_experiments).where(
            _experiments.c.namespace == namespace, _experiments.c.name == name
        )
    ).one_or_none()
    return _record(row) if row else None


def by_uid(connection: Connection, uid: str) -> ExperimentRecord | None:
    """The experiment with that uid."""
    row = connection.execute(select(_experiments).where(_experiments.c.uid == uid)).one_or_none()
    return _record(row) if row else None


def listed(connection: Connection, namespace: str | None) -> list[ExperimentRecord]:
    """All experiments, the newest first."""
    query = select(_experiments).order_by(_experiments.c.created_at.desc(), _experiments.c.uid)
    if namespace is not None:
        query = query.where(_experiments.c.namespace == namespace)
    return [_record(row) for row in connection.execute(query)]


def trial_counts(
    connection: Connection, namespace: str | None
) -> dict[str, Mapping[TrialState, int]]:
    """How many trials each experiment has in each state, by uid."""
    trials = tables.trials
    query = (
        select(_experiments.c.uid, trials.c.state, func.count(trials.c.number))
        .outerjoin(trials)
        .group_by(_experiments.c.uid, trials.c.state)
    )
    if namespace is not None:
        query = query.where(_experiments.c.namespace == namespace)
    counts: defaultdict[str, dict[TrialState, int]] = defaultdict(dict)
    for uid, state, count in connection.execute(query):
        of = counts[uid]
        if state is not None:
            of[TrialState(state)] = count
    return dict(counts)


def change(connection: Connection, uid: str, now: float, **values: Any) -> None:
    """Update columns of a locked experiment."""
    connection.execute(
        update(_experiments).where(_experiments.c.uid == uid).values(updated_at=now, **values)
    )


def remove(connection: Connection, uid: str) -> None:
    """Delete an experiment and, by cascade, all that belongs to it."""
    connection.execute(delete(_experiments).where(_experiments.c.uid == uid))


def control(connection: Connection, uid: str) -> Control:
    """What its runner has to poll."""
    row = connection.execute(
        select(_experiments.c.stop_requested, _experiments.c.updated_at).where(
            _experiments.c.uid == uid
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"no experiment with uid {uid!r}")
    return Control(row.stop_requested, row.updated_at)


def document(connection: Connection, uid: str) -> ExperimentDocument:
    """The document of a locked experiment."""
    query = select(_experiments.c.document).where(_experiments.c.uid == uid)
    return ExperimentDocument.model_validate(connection.execute(query).scalar_one())


def history(connection: Connection, uid: str) -> list[Condition]:
    """The conditions of an experiment, the first one first."""
    rows = connection.execute(
        select(_conditions).where(_conditions.c.uid == uid).order_by(_conditions.c.position)
    )
    return [Condition(ExperimentState(row.type), row.reason, row.message, row.time) for row in rows]


def add_condition(connection: Connection, uid: str, condition: Condition) -> None:
    """Append to a locked experiment's history, unless it repeats the last entry."""
    past = history(connection, uid)
    last = past[-1]
    if (last.type, last.reason, last.message) == (
        condition.type,
        condition.reason,
        condition.message,
    ):
        return
    _append(connection, uid, len(past), condition)
    values: dict[str, Any] = {
        "state": condition.type,
        "reason": condition.reason,
        "message": condition.message,
        "completed_at": condition.time if condition.type.is_final else None,
    }
    if condition.type is ExperimentState.RUNNING:
        values["started_at"] = func.coalesce(_experiments.c.started_at, condition.time)
    change(connection, uid, condition.time, **values)


def _append(connection: Connection, uid: str, position: int, condition: Condition) -> None:
    row = {
        "uid": uid,
        "position": position,
        "type": condition.type,
        "reason": condition.reason,
        "message": condition.message,
        "time": condition.time,
    }
    connection.execute(insert(_conditions), row)


def _record(row: Row[*tuple[Any, ...]]) -> ExperimentRecord:
    return ExperimentRecord(
        uid=row.uid,
        namespace=row.namespace,
        name=row.name,
        document=ExperimentDocument.model_validate(row.document),
        identity=row.identity,
        state=ExperimentState(row.state),
        reason=row.reason,
        message=row.message,
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
        updated_at=row.updated_at,
        elapsed_seconds=row.elapsed_seconds,
        stop_requested=row.stop_requested,
        lease=lease_of(row),
    )
