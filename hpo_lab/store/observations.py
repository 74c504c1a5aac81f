"""What trials reported, in SQL, and its summaries; the caller holds the transaction."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from hpo_lab.experiment.trial import Metric
from hpo_lab.observation import Observation
from hpo_lab.store import tables
from hpo_lab.store.records import ObservationRecord

_observations = tables.observations
_ADD = insert(_observations).inline()  # whose ids nobody asks for
_FORGET = delete(_observations).where(
    _observations.c.uid == bindparam("of_uid"), _observations.c.number == bindparam("of_number")
)


def row(uid: str, number: int, attempt: int, observation: Observation) -> dict[str, Any]:
    """The row of an observation, but for its id."""
    return {
        "uid": uid,
        "number": number,
        "attempt": attempt,
        "time": observation.time,
        "step": observation.step,
        "metric": observation.metric,
        "value": observation.value if math.isfinite(observation.value) else None,
        "text": _text(observation),
    }


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert observations, at least one."""
    connection.execute(_ADD, rows)


def forget(connection: Connection, uid: str, numbers: Iterable[int]) -> None:
    """Delete the observations of trials, at least one."""
    connection.execute(_FORGET, [{"of_uid": uid, "of_number": number} for number in numbers])


def listed(
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


def reported(
    connection: Connection, uid: str, metric: str, numbers: Iterable[int] | None
) -> list[tuple[int, int | None, float, str]]:
    """Trial, step, value and text of what trials reported of a metric, in the order of storing."""
    columns = _observations.c
    query = (
        select(columns.number, columns.step, columns.value, columns.text)
        .where(columns.uid == uid, columns.metric == metric)
        .order_by(columns.id)
    )
    if numbers is not None:
        query = query.where(columns.number.in_(list(numbers)))
    return [
        (number, step, _nonfinite(text) if value is None else value, text or "")
        for number, step, value, text in connection.execute(query).all()
    ]


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
