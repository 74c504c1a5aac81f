"""Experiments in SQL: rows in, records out; the caller holds the transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from hpo_lab.experiment.model import (
    AlgorithmSpec,
    ExperimentDocument,
    ExperimentSpec,
    Metadata,
    Objective,
    ObjectiveType,
)
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.masking import masked_message
from hpo_lab.store import tables, trials
from hpo_lab.store.errors import LeaseLost, NameTaken, NotFound
from hpo_lab.store.lease import LEASE_COLUMNS, Lease, lease_of
from hpo_lab.store.records import Condition, Control, ExperimentRecord, Overview

_experiments = tables.experiments
_conditions = tables.conditions
_THIS = _experiments.c.uid == bindparam("of_uid")
_ADVANCE = update(_experiments).where(_THIS).values(revision=_experiments.c.revision + 1)
_LOCKED = (_experiments.c.revision, _experiments.c.runner)
_ADVANCE_AND_TELL = _ADVANCE.returning(*_LOCKED)
_TELL = select(*_LOCKED).where(_THIS)
_HEAD = select(_experiments.c.revision, _experiments.c.changed, *LEASE_COLUMNS).where(_THIS)
_WHOLE = select(_experiments).where(_THIS)


def lock(connection: Connection, uid: str, runner_id: str | None = None) -> int:
    """Make this transaction the only writer of the experiment; the revision that it makes.

    Writers of one experiment thus follow each other, which makes its revisions and the ids
    of its observations appear in their order.

    Raises:
        LeaseLost: The experiment's runner is not *runner_id*.
        NotFound: There is no experiment.
    """
    this = {"of_uid": uid}
    if connection.dialect.update_returning:
        row = connection.execute(_ADVANCE_AND_TELL, this).one_or_none()
    else:
        # SQLite before 3.35
        connection.execute(_ADVANCE, this)
        row = connection.execute(_TELL, this).one_or_none()
    if runner_id is not None and (row is None or row.runner != runner_id):
        raise LeaseLost(f"runner {runner_id} no longer holds the lease of experiment {uid}")
    if row is None:
        raise NotFound(f"no experiment with uid {uid!r}")
    revision: int = row.revision
    return revision


def create(
    connection: Connection,
    document: ExperimentDocument,
    identity: str,
    condition: Condition,
    place: str,
    project: str = "",
    origin: str | None = None,
) -> str:
    """Insert an experiment whose first condition is *condition*; its uid."""
    uid = uuid.uuid4().hex
    row = {
        "uid": uid,
        "namespace": document.namespace,
        "name": document.name,
        "document": written(document),
        "identity": identity,
        "state": condition.type,
        "reason": condition.reason,
        "message": condition.message,
        "created_at": condition.time,
        "updated_at": condition.time,
        "stop_requested": False,
        "elapsed_seconds": 0.0,
        "place": place,
        "revision": 1,
        "changed": 1,
        "project": project,
        "origin": origin,
    }
    try:
        connection.execute(insert(_experiments), row)
    except IntegrityError as error:
        raise NameTaken(document.name, document.namespace) from error
    _append(connection, uid, 0, condition)
    return uid


def named(connection: Connection, name: str, namespace: str | None) -> list[ExperimentRecord]:
    """The experiments of that name, at most one of each project and namespace, newest first."""
    query = _newest_first(select(_experiments).where(_experiments.c.name == name), namespace)
    return [_record(row) for row in connection.execute(query)]


def related(
    connection: Connection, namespace: str, project: str, names: Sequence[str], identity: str
) -> list[ExperimentRecord]:
    """The experiments of a project or of none, and others of these names or this identity."""
    columns = _experiments.c
    query = select(_experiments).where(
        columns.project.in_(["", project])
        | columns.name.in_(names)
        | (columns.identity == identity)
    )
    return [_record(row) for row in connection.execute(_newest_first(query, namespace))]


def by_uid(connection: Connection, uid: str) -> ExperimentRecord | None:
    """The experiment with that uid."""
    row = connection.execute(_WHOLE, {"of_uid": uid}).one_or_none()
    return _record(row) if row else None


def head(connection: Connection, uid: str) -> tuple[int, int, Lease | None] | None:
    """The experiment's revision, that at the last change of its own row, and its lease."""
    row = connection.execute(_HEAD, {"of_uid": uid}).one_or_none()
    return (row.revision, row.changed, lease_of(row)) if row else None


def revisions(connection: Connection) -> dict[str, int]:
    """The revision of every experiment, by uid."""
    query = select(_experiments.c.uid, _experiments.c.revision)
    return {row.uid: row.revision for row in connection.execute(query)}


def listed(connection: Connection) -> list[ExperimentRecord]:
    """All experiments, the newest first."""
    query = _newest_first(select(_experiments), None)
    return [_record(row) for row in connection.execute(query)]


def overviews(connection: Connection, namespace: str | None) -> list[Overview]:
    """All experiments, the newest first, with what is known of their trials without reading them.

    The caller holds a snapshot.
    """
    return _overviews(connection, _newest_first(select(_experiments), namespace))


def overview(connection: Connection, uid: str) -> Overview | None:
    """The same of one experiment."""
    query = select(_experiments).where(_experiments.c.uid == uid)
    return next(iter(_overviews(connection, query, uid)), None)


def _overviews(
    connection: Connection, query: Select[*tuple[Any, ...]], uid: str | None = None
) -> list[Overview]:
    counts = trials.counts(connection, uid)
    best = trials.best_of_each(connection, uid)
    return [
        _overview(row, counts.get(row.uid, {}), best.get(row.uid))
        for row in connection.execute(query)
    ]


def _overview(
    row: Row[*tuple[Any, ...]], counts: Mapping[TrialState, int], best: Trial | None
) -> Overview:
    overview = Overview(_record(row), counts, best, best_is_known=True)
    is_known = best is not None or row.best == tables.NO_BEST or overview.is_unmeasured
    return overview if is_known else replace(overview, best_is_known=False)


def _newest_first(
    query: Select[*tuple[Any, ...]], namespace: str | None
) -> Select[*tuple[Any, ...]]:
    if namespace is not None:
        query = query.where(_experiments.c.namespace == namespace)
    return query.order_by(_experiments.c.created_at.desc(), _experiments.c.uid)


def change(connection: Connection, uid: str, revision: int, **values: Any) -> None:
    """Update columns of an experiment, which `lock` gave that *revision*."""
    connection.execute(
        update(_experiments).where(_experiments.c.uid == uid).values(changed=revision, **values)
    )


def remove(connection: Connection, uid: str) -> None:
    """Delete an experiment and, by cascade, all that belongs to it."""
    connection.execute(delete(_experiments).where(_experiments.c.uid == uid))


def control(connection: Connection, uid: str) -> Control:
    """What its runner has to poll."""
    row = connection.execute(
        select(_experiments.c.stop_requested, _experiments.c.changed).where(
            _experiments.c.uid == uid
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"no experiment with uid {uid!r}")
    return Control(row.stop_requested, row.changed)


def document(connection: Connection, uid: str) -> ExperimentDocument:
    """The document of a locked experiment."""
    query = select(_experiments.c.document).where(_experiments.c.uid == uid)
    return ExperimentDocument.model_validate(connection.execute(query).scalar_one())


def names(connection: Connection, uid: str) -> tuple[str, str]:
    """The namespace and the name of a locked experiment."""
    columns = _experiments.c
    row = connection.execute(
        select(columns.namespace, columns.name).where(columns.uid == uid)
    ).one()
    return row.namespace, row.name


def history(connection: Connection, uid: str) -> list[Condition]:
    """The conditions of an experiment, the first one first."""
    rows = connection.execute(
        select(_conditions).where(_conditions.c.uid == uid).order_by(_conditions.c.position)
    )
    return [Condition(ExperimentState(row.type), row.reason, row.message, row.time) for row in rows]


def add_condition(connection: Connection, uid: str, revision: int, condition: Condition) -> bool:
    """Append to a locked experiment's history; False when it repeats the last entry."""
    past = history(connection, uid)
    last = past[-1]
    if (last.type, last.reason, last.message) == (
        condition.type,
        condition.reason,
        condition.message,
    ):
        return False
    _append(connection, uid, len(past), condition)
    values: dict[str, Any] = {
        "state": condition.type,
        "reason": condition.reason,
        "message": condition.message,
        "completed_at": condition.time if condition.type.is_final else None,
        "updated_at": condition.time,
    }
    if condition.type is ExperimentState.RUNNING:
        values["started_at"] = func.coalesce(_experiments.c.started_at, condition.time)
    change(connection, uid, revision, **values)
    return True


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
    document, unreadable = _read(row)
    return ExperimentRecord(
        uid=row.uid,
        namespace=row.namespace,
        name=row.name,
        document=document,
        identity=row.identity,
        state=ExperimentState(row.state),
        reason="DocumentUnreadable" if unreadable else row.reason,
        message=unreadable or masked_message(row.message),
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
        updated_at=row.updated_at,
        elapsed_seconds=row.elapsed_seconds,
        stop_requested=row.stop_requested,
        lease=lease_of(row),
        place=row.place,
        revision=row.revision,
        best=None if row.best == tables.NO_BEST else row.best,
        project=row.project,
        origin=row.origin,
        unreadable=unreadable,
    )


def _read(row: Row[*tuple[Any, ...]]) -> tuple[ExperimentDocument, str]:
    """The document of a row, and why it cannot be read: a document of the name alone then."""
    try:
        return ExperimentDocument.model_validate(row.document), ""
    except ValueError as error:
        unreadable = f"its document in the store cannot be read: {_first_problem(error)}"
    metadata = Metadata(name=row.name, namespace=row.namespace)
    algorithm = AlgorithmSpec(algorithm_name="unknown")
    try:
        objective = Objective.model_validate(row.document["spec"]["objective"])
    except (KeyError, TypeError, ValueError):
        objective = Objective(type=ObjectiveType.MINIMIZE, objective_metric_name="unknown")
    spec = ExperimentSpec(objective=objective, algorithm=algorithm)
    return ExperimentDocument(metadata=metadata, spec=spec), unreadable


def _first_problem(error: ValueError) -> str:
    # Those of pydantic list what is wrong.
    if not hasattr(error, "errors"):
        return str(error)
    problem = error.errors()[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"


def written(document: ExperimentDocument) -> dict[str, Any]:
    """The document as it is stored.

    Raises:
        ValueError: It could not be read again; nothing must be written then.
    """
    plain = document.to_document()
    ExperimentDocument.model_validate(plain)
    return plain
