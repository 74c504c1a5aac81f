"""Trials in SQL: rows in, trials out; the caller holds the transaction."""

from __future__ import annotations

import gc
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    Text,
    bindparam,
    cast,
    func,
    insert,
    select,
    update,
)

from hpo_lab.experiment.trial import FAILURES, MEASURED, Trial, TrialState
from hpo_lab.store import tables
from hpo_lab.store.observations import decode_metrics
from hpo_lab.store.records import TrialRecord

_trials = tables.trials
_experiments = tables.experiments

_TRIAL_COLUMNS = (
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
)

# A runner executes these for every trial: making a statement takes SQLAlchemy longer than
# running it. No column is called `of_uid` or `of_number`, so these are no values to set.
_OF_EXPERIMENT = _trials.c.uid == bindparam("of_uid")
_THIS = _OF_EXPERIMENT & (_trials.c.number == bindparam("of_number"))
_WHOLE = select(_trials).where(_THIS)
_TO_CHANGE = select(*_TRIAL_COLUMNS, _trials.c.observations_offset).where(_THIS)
_MANY_COLUMNS = (
    _trials.c.number,
    _trials.c.state,
    _trials.c.attempt,
    _trials.c.started_at,
    _trials.c.completed_at,
    _trials.c.message,
    _trials.c.parent,
    cast(_trials.c.assignments, Text),
    cast(_trials.c.metrics, Text),
    cast(_trials.c.labels, Text),
)
"""Those of `_TRIAL_COLUMNS`, the documents last and as they are written."""
_STATES = {state.value: state for state in TrialState}
_PAGE = (
    select(*_MANY_COLUMNS)
    .where(
        _OF_EXPERIMENT,
        _trials.c.number > bindparam("after"),
        _trials.c.revision > bindparam("since"),
    )
    .order_by(_trials.c.number)
    .limit(bindparam("most"))
)
_BATCH = 1000
"""Of so many trials the documents are read as one."""
_LAST = select(func.coalesce(func.max(_trials.c.number), -1)).where(_OF_EXPERIMENT)
_CHANGED = select(*_MANY_COLUMNS).where(_OF_EXPERIMENT, _trials.c.revision > bindparam("since"))
_CHANGE = update(_trials).where(_THIS)
_INSERT = insert(_trials)
_COUNTS = select(_trials.c.uid, _trials.c.state, func.count()).group_by(
    _trials.c.uid, _trials.c.state
)
_LAST_FAILED = (
    select(_trials)
    .where(_OF_EXPERIMENT, _trials.c.state.in_([state.value for state in FAILURES]))
    .order_by(func.coalesce(_trials.c.completed_at, 0.0).desc(), _trials.c.number.desc())
    .limit(1)
)
# An outer join, for with an inner one SQLite would go through all trials.
_BEST = (
    select(_trials.c.uid, *_TRIAL_COLUMNS)
    .select_from(_experiments)
    .outerjoin(
        _trials,
        (_trials.c.uid == _experiments.c.uid)
        & (_trials.c.number == _experiments.c.best)
        & _trials.c.state.in_([state.value for state in MEASURED]),
    )
    .where(_experiments.c.best >= 0)
)


def listed(connection: Connection, uid: str, numbers: Iterable[int] | None = None) -> list[Trial]:
    """The trials of an experiment by number, or those of *numbers* that exist."""
    query = select(*_MANY_COLUMNS).where(_OF_EXPERIMENT).order_by(_trials.c.number)
    if numbers is not None:
        query = query.where(_trials.c.number.in_(list(numbers)))
    return _many(connection, query, {"of_uid": uid})


def changed(connection: Connection, uid: str, since: int) -> list[Trial]:
    """The trials of an experiment that changed after the revision *since*, by number."""
    trials = _many(connection, _CHANGED, {"of_uid": uid, "since": since})
    return sorted(trials, key=lambda trial: trial.number)


def page(connection: Connection, uid: str, since: int, after: int, most: int) -> list[Trial]:
    """The first *most* trials behind the number *after* that changed after *since*, by number."""
    values = {"of_uid": uid, "since": since, "after": after, "most": most}
    return _many(connection, _PAGE, values)


def _many(
    connection: Connection, query: Select[*tuple[Any, ...]], values: Mapping[str, Any]
) -> list[Trial]:
    """The trials of a *query* for `_MANY_COLUMNS`."""
    trials: list[Trial] = []
    # None of it is garbage, and looking for some takes a quarter of the time of many trials.
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        for rows in connection.execute(query, values).partitions(_BATCH):
            # A call for each document takes longer than reading what is in it.
            documents = iter(json.loads(f"[{','.join([','.join(row[7:]) for row in rows])}]"))
            trials += [
                Trial(
                    number,
                    assignments,
                    _STATES[state],
                    decode_metrics(metrics),
                    attempt,
                    started_at,
                    completed_at,
                    message,
                    parent,
                    labels,
                )
                for (number, state, attempt, started_at, completed_at, message, parent, *_), (
                    assignments,
                    metrics,
                    labels,
                ) in zip(rows, zip(documents, documents, documents, strict=True), strict=True)
            ]
    finally:
        if was_collecting:
            gc.enable()
    return trials


def one(connection: Connection, uid: str, number: int) -> TrialRecord | None:
    """A trial with its details."""
    row = connection.execute(_WHOLE, _this(uid, number)).one_or_none()
    return _whole(row) if row else None


def running(connection: Connection, uid: str) -> list[TrialRecord]:
    """The trials that run, with their details, by number."""
    is_running = (_trials.c.uid == uid) & (_trials.c.state == TrialState.RUNNING.value)
    rows = connection.execute(select(_trials).where(is_running).order_by(_trials.c.number))
    return [_whole(row) for row in rows]


def last_failed(connection: Connection, uid: str) -> TrialRecord | None:
    """The trial that failed last, with its details."""
    row = connection.execute(_LAST_FAILED, {"of_uid": uid}).one_or_none()
    return _whole(row) if row else None


def _whole(row: Row[*tuple[Any, ...]]) -> TrialRecord:
    return TrialRecord(
        trial=_trial(row),
        created_at=row.created_at,
        reason=row.reason,
        traceback=row.traceback,
        offset=row.observations_offset,
        handle=row.handle,
    )


def to_change(connection: Connection, uid: str, number: int) -> tuple[Trial, int] | None:
    """A trial, and how far its observations are imported."""
    row = connection.execute(_TO_CHANGE, _this(uid, number)).one_or_none()
    return (_trial(row), row.observations_offset) if row else None


def last(connection: Connection, uid: str) -> int:
    """The highest number of a trial, -1 before the first."""
    number: int = connection.execute(_LAST, {"of_uid": uid}).scalar_one()
    return number


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert trials, at least one, whose rows `row` made."""
    connection.execute(_INSERT, rows)


def change(connection: Connection, uid: str, changes: Mapping[int, dict[str, Any]]) -> None:
    """Set columns of trials by number; those of which the same columns change go together."""
    alike: defaultdict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
    for number, values in changes.items():
        alike[frozenset(values)].append({**values, **_this(uid, number)})
    for rows in alike.values():
        connection.execute(_CHANGE, rows)


def counts(connection: Connection, uid: str | None) -> dict[str, dict[TrialState, int]]:
    """How many trials each experiment with trials, or *uid* alone, has in each state, by uid."""
    of: defaultdict[str, dict[TrialState, int]] = defaultdict(dict)
    query = _COUNTS if uid is None else _COUNTS.where(_trials.c.uid == uid)
    for each, state, count in connection.execute(query):
        of[each][TrialState(state)] = count
    return of


def best_of_each(connection: Connection, uid: str | None) -> dict[str, Trial]:
    """The trials that experiments, or *uid* alone, name as their best, by uid."""
    query = _BEST if uid is None else _BEST.where(_experiments.c.uid == uid)
    return {row.uid: _trial(row) for row in connection.execute(query) if row.uid is not None}


def row(uid: str, trial: Trial, now: float) -> dict[str, Any]:
    """The row of a new trial, but for its revision."""
    return {
        "uid": uid,
        "number": trial.number,
        "state": trial.state.value,
        "attempt": trial.attempt,
        "assignments": trial.assignments,
        "parent": trial.parent,
        "labels": trial.labels,
        "metrics": {},
        "created_at": now,
        "started_at": trial.started_at,
        "completed_at": None,
        "reason": "",
        "message": "",
        "traceback": "",
        "observations_offset": 0,
        "handle": None,
    }


def _this(uid: str, number: int) -> dict[str, Any]:
    return {"of_uid": uid, "of_number": number}


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
