"""Trials in SQL; the caller holds the transaction.

What writes one trial locks its experiment itself; for the others the caller does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    insert,
    select,
    update,
)

from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.store import experiments, observations, tables
from hpo_lab.store.errors import NotFound
from hpo_lab.store.observations import decode_metrics
from hpo_lab.store.records import TrialRecord

_trials = tables.trials

_TRIAL_COLUMNS = [
    _trials.c.number,
    _trials.c.assignments,
    _trials.c.state,
    _trials.c.metrics,
    _trials.c.attempt,
    _trials.c.started_at,
    _trials.c.completed_at,
    _trials.c.message,
    _trials.c.parent,
    _trials.c.labels,
]

# A runner executes these for every trial: making a statement takes SQLAlchemy longer than
# running it. No column is called `of_uid` or `of_number`, so these are no values to set.
_THIS = (_trials.c.uid == bindparam("of_uid")) & (_trials.c.number == bindparam("of_number"))
_WHOLE = select(_trials).where(_THIS)
_CHANGE = update(_trials).where(_THIS)
_INSERT = insert(_trials)


def _beside_runner(*columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Columns of a trial, NULL where there is none, beside who runs its experiment."""
    of = tables.experiments
    this = (_trials.c.uid == of.c.uid) & (_trials.c.number == bindparam("of_number"))
    query = select(of.c.runner, *columns).select_from(of.outerjoin(_trials, this))
    return query.where(of.c.uid == bindparam("of_uid"))


_TO_START = _beside_runner(*_TRIAL_COLUMNS)
_TO_CHANGE = _beside_runner(
    _trials.c.number,
    _trials.c.state,
    _trials.c.attempt,
    _trials.c.metrics,
    _trials.c.observations_offset,
)


def _locked(
    connection: Connection,
    query: Select[*tuple[Any, ...]],
    uid: str,
    number: int,
    runner_id: str | None,
) -> Row[*tuple[Any, ...]] | None:
    """Lock an experiment as `experiments.lock` does, and read one of its trials."""
    if connection.dialect.name != "sqlite":
        # In SQLite the transaction itself is the lock. Elsewhere a query that waits for a lock
        # shows of other tables what was there before it waited, so the trial comes in a second.
        experiments.lock(connection, uid, runner_id)
    row = connection.execute(query, _this(uid, number)).one_or_none()
    experiments.check_lease(row, uid, runner_id)
    return row if row is not None and row.number is not None else None


def listed(connection: Connection, uid: str, numbers: Iterable[int] | None = None) -> list[Trial]:
    """The trials of an experiment by number, or those of *numbers* that exist."""
    query = select(*_TRIAL_COLUMNS).where(_trials.c.uid == uid).order_by(_trials.c.number)
    if numbers is not None:
        query = query.where(_trials.c.number.in_(list(numbers)))
    return [_trial(row) for row in connection.execute(query)]


def one(connection: Connection, uid: str, number: int) -> TrialRecord | None:
    """A trial with its details."""
    row = connection.execute(_WHOLE, _this(uid, number)).one_or_none()
    if row is None:
        return None
    return TrialRecord(
        trial=_trial(row),
        created_at=row.created_at,
        reason=row.reason,
        traceback=row.traceback,
        offset=row.observations_offset,
        pid=row.pid,
    )


def add(connection: Connection, uid: str, asked: Sequence[Trial], now: float) -> list[Trial]:
    """Insert the trials that do not exist yet; all those asked for, as stored."""
    numbers = [trial.number for trial in asked]
    existing = {trial.number: trial for trial in listed(connection, uid, numbers)}
    new = {trial.number: _fresh(trial) for trial in asked if trial.number not in existing}
    if new:
        connection.execute(_INSERT, [_row(uid, trial, now) for trial in new.values()])
    return [(existing | new)[number] for number in sorted(numbers)]


def start(
    connection: Connection,
    uid: str,
    number: int,
    runner_id: str | None,
    now: float,
    pid: int | None,
    new: Trial | None,
) -> Trial:
    """Set a trial that has not ended to Running, or insert it as that; as it is stored now."""
    row = _locked(connection, _TO_START, uid, number, runner_id)
    if row is None:
        if new is None:
            raise _missing(uid, number)
        trial = replace(_fresh(new), state=TrialState.RUNNING, started_at=now)
        connection.execute(_INSERT, {**_row(uid, trial, now), "started_at": now, "pid": pid})
        return trial
    trial = _trial(row)
    if trial.is_final:
        raise ValueError(f"trial {number} has ended ({row.state}); requeue it to run it again")
    _change(connection, uid, number, state=TrialState.RUNNING, started_at=now, pid=pid)
    return replace(trial, state=TrialState.RUNNING, started_at=now)


def finish(
    connection: Connection,
    uid: str,
    number: int,
    runner_id: str | None,
    batch: Sequence[Observation],
    offset: int,
    **values: Any,
) -> bool:
    """Set a trial to its final state with its last observations; False when it had ended."""
    row = _present(connection, uid, number, runner_id)
    if TrialState(row.state).is_final:
        return False
    observed = observations.add(connection, uid, row, batch, offset)
    _change(connection, uid, number, pid=None, **values, **observed)
    return True


def requeue(connection: Connection, uid: str, number: int, runner_id: str | None) -> int:
    """Set a trial back to its beginning; the attempt that is to follow."""
    attempt: int = _present(connection, uid, number, runner_id).attempt + 1
    observations.forget(connection, uid, number)
    _change(
        connection,
        uid,
        number,
        state=TrialState.CREATED,
        attempt=attempt,
        metrics={},
        started_at=None,
        completed_at=None,
        reason="",
        message="",
        traceback="",
        observations_offset=0,
        pid=None,
    )
    return attempt


def observe(
    connection: Connection,
    uid: str,
    number: int,
    runner_id: str | None,
    batch: Sequence[Observation],
    offset: int,
) -> bool:
    """Store a batch that ends at *offset*, unless that much is stored already."""
    row = _present(connection, uid, number, runner_id)
    changes = observations.add(connection, uid, row, batch, offset)
    if changes:
        _change(connection, uid, number, **changes)
    return bool(changes)


def _this(uid: str, number: int) -> dict[str, Any]:
    return {"of_uid": uid, "of_number": number}


def _missing(uid: str, number: int) -> NotFound:
    return NotFound(f"experiment {uid} has no trial {number}")


def _present(
    connection: Connection, uid: str, number: int, runner_id: str | None
) -> Row[*tuple[Any, ...]]:
    row = _locked(connection, _TO_CHANGE, uid, number, runner_id)
    if row is None:
        raise _missing(uid, number)
    return row


def _change(connection: Connection, uid: str, number: int, **values: Any) -> None:
    connection.execute(_CHANGE, {**values, **_this(uid, number)})


def _fresh(asked: Trial) -> Trial:
    return Trial(
        asked.number, dict(asked.assignments), parent=asked.parent, labels=dict(asked.labels)
    )


def _row(uid: str, trial: Trial, now: float) -> dict[str, Any]:
    return {
        "uid": uid,
        "number": trial.number,
        "state": trial.state,
        "attempt": trial.attempt,
        "assignments": trial.assignments,
        "parent": trial.parent,
        "labels": trial.labels,
        "metrics": {},
        "created_at": now,
        "reason": "",
        "message": "",
        "traceback": "",
        "observations_offset": 0,
    }


def _trial(row: Row[*tuple[Any, ...]]) -> Trial:
    return Trial(
        number=row.number,
        assignments=row.assignments,
        state=TrialState(row.state),
        metrics=decode_metrics(row.metrics),
        attempt=row.attempt,
        started_at=row.started_at,
        completed_at=row.completed_at,
        message=row.message,
        parent=row.parent,
        labels=row.labels,
    )
