"""Trials and their observations in SQL; the caller holds the transaction and the lock."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.store import tables
from hpo_lab.store.errors import NotFound
from hpo_lab.store.records import Observation, ObservationRecord, TrialRecord

_trials = tables.trials
_observations = tables.observations

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
_ONE = select(*_TRIAL_COLUMNS, _trials.c.observations_offset).where(_THIS)
_WHOLE = select(_trials).where(_THIS)
_CHANGE = update(_trials).where(_THIS)
_INSERT = insert(_trials)
_OBSERVE = insert(_observations)
_FORGET = delete(_observations).where(
    _observations.c.uid == bindparam("of_uid"), _observations.c.number == bindparam("of_number")
)


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
    connection: Connection, uid: str, number: int, now: float, pid: int | None, new: Trial | None
) -> Trial:
    """Set a trial that has not ended to Running, or insert it as that; as it is stored now."""
    row = connection.execute(_ONE, _this(uid, number)).one_or_none()
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
    batch: Sequence[Observation],
    offset: int,
    **values: Any,
) -> bool:
    """Set a trial to its final state with its last observations; False when it had ended."""
    row = _present(connection, uid, number)
    if TrialState(row.state).is_final:
        return False
    observed = _observe(connection, uid, row, batch, offset)
    _change(connection, uid, number, pid=None, **values, **observed)
    return True


def requeue(connection: Connection, uid: str, number: int) -> int:
    """Set a trial back to its beginning; the attempt that is to follow."""
    attempt: int = _present(connection, uid, number).attempt + 1
    connection.execute(_FORGET, _this(uid, number))
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
    connection: Connection, uid: str, number: int, batch: Sequence[Observation], offset: int
) -> bool:
    """Store a batch that ends at *offset*, unless that much is stored already."""
    changes = _observe(connection, uid, _present(connection, uid, number), batch, offset)
    if changes:
        _change(connection, uid, number, **changes)
    return bool(changes)


def _observe(
    connection: Connection,
    uid: str,
    row: Row[*tuple[Any, ...]],
    batch: Sequence[Observation],
    offset: int,
) -> dict[str, Any]:
    """Insert a batch; what changes in its trial, nothing when that much is stored already."""
    if batch and offset <= 0:
        raise ValueError(f"a batch of observations ends at a positive offset, not {offset}")
    if row.observations_offset >= offset:
        return {}
    if batch:
        rows = [
            {
                "uid": uid,
                "number": row.number,
                "attempt": row.attempt,
                "time": observation.time,
                "step": observation.step,
                "metric": observation.metric,
                "value": observation.value if math.isfinite(observation.value) else None,
                "text": _text(observation),
            }
            for observation in batch
        ]
        connection.execute(_OBSERVE, rows)
    metrics = summarise(decode_metrics(row.metrics), batch)
    return {"metrics": encode_metrics(metrics), "observations_offset": offset}


def observed(
    connection: Connection,
    uid: str,
    number: int | None,
    metric: str | None,
    after_id: int,
    limit: int | None,
) -> list[ObservationRecord]:
    """Observations in the order of storing."""
    query = (
        select(_observations)
        .where(_observations.c.uid == uid, _observations.c.id > after_id)
        .order_by(_observations.c.id)
        .limit(limit)
    )
    if number is not None:
        query = query.where(_observations.c.number == number)
    if metric is not None:
        query = query.where(_observations.c.metric == metric)
    return [
        ObservationRecord(
            id=row.id,
            number=row.number,
            attempt=row.attempt,
            metric=row.metric,
            value=row.value if row.value is not None else _nonfinite(row.text),
            time=row.time,
            step=row.step,
            text=row.text or "",
        )
        for row in connection.execute(query)
    ]


def summarise(metrics: Mapping[str, Metric], batch: Iterable[Observation]) -> dict[str, Metric]:
    """The summaries *metrics* continued by *batch*."""
    result = dict(metrics)
    for observation in batch:
        one = Metric.single(observation.value, observation.text)
        before = result.get(observation.metric)
        result[observation.metric] = before.then(one) if before else one
    return result


def encode_metrics(metrics: Mapping[str, Metric]) -> dict[str, dict[str, Any]]:
    """Summaries as JSON, where a `latest` that is not finite is text."""
    return {
        name: {
            "latest": metric.latest if math.isfinite(metric.latest) else repr(metric.latest),
            "min": metric.min,
            "max": metric.max,
            "count": metric.count,
            **({"text": metric.text} if metric.text else {}),
        }
        for name, metric in metrics.items()
    }


def decode_metrics(document: Mapping[str, Mapping[str, Any]]) -> dict[str, Metric]:
    """What `encode_metrics` was given."""
    return {
        name: Metric(
            float(one["latest"]), one["min"], one["max"], one["count"], one.get("text", "")
        )
        for name, one in document.items()
    }


def _text(observation: Observation) -> str | None:
    if math.isfinite(observation.value):
        return None
    return observation.text or repr(observation.value)


def _nonfinite(text: str) -> float:
    """The infinity that *text* spells, NaN for anything else."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isinf(value) else math.nan


def _this(uid: str, number: int) -> dict[str, Any]:
    return {"of_uid": uid, "of_number": number}


def _missing(uid: str, number: int) -> NotFound:
    return NotFound(f"experiment {uid} has no trial {number}")


def _present(connection: Connection, uid: str, number: int) -> Row[*tuple[Any, ...]]:
    row = connection.execute(_ONE, _this(uid, number)).one_or_none()
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
