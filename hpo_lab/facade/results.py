"""Trials as records, as a table, and what they reported step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from hpo_lab.experiment.model import Objective, Value
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.facade.columns import Columns
from hpo_lab.store import ObservationRecord, Store

if TYPE_CHECKING:
    import pandas

__all__ = ["Report", "TrialResult", "curves", "reports", "table_of", "thinned_curve"]


@dataclass(frozen=True, slots=True, repr=False)
class TrialResult:
    """A trial as it was when it was asked for.

    Attributes:
        number: Counted from 0.
        state: `Created`, `Running`, `Succeeded`, `Failed`, `Killed`, `EarlyStopped` or
            `MetricsUnavailable`.
        parameters: What was assigned, by parameter name; a choice of objects by its name.
        values: The objectives that have a finite number, by metric.
        metrics: Every metric by name, the one of its values that counts; None where that is
            not finite.
        attributes: The texts that the trial set, by name.
        started, ended: When; None where it has not.
        message: Why it is in its state, in one line.
        attempt: Counted from 1; a trial that was interrupted runs again.
        parent: The trial whose checkpoint it continues from.
        labels: Notes of the search algorithm.
    """

    number: int
    state: TrialState
    parameters: Mapping[str, Value]
    values: Mapping[str, float]
    metrics: Mapping[str, float | None]
    attributes: Mapping[str, str]
    started: datetime | None
    ended: datetime | None
    message: str
    attempt: int
    parent: int | None
    labels: Mapping[str, str]

    def __repr__(self) -> str:
        values = "".join(f", {name} {value:g}" for name, value in self.values.items())
        return f"<Trial {self.number}: {self.state.value}{values}, {dict(self.parameters)}>"

    @classmethod
    def of(cls, objective: Objective, trial: Trial) -> TrialResult:
        """The record of *trial*, of an experiment with this *objective*."""
        texts = {name: metric.text for name, metric in trial.metrics.items() if metric.text}
        metrics = {
            name: metric.by(objective.strategy(name))
            for name, metric in trial.metrics.items()
            if name not in texts
        }
        values = {name: metrics.get(name) for name, _ in objective.objectives}
        return cls(
            number=trial.number,
            state=trial.state,
            parameters=dict(trial.assignments),
            values={name: value for name, value in values.items() if value is not None},
            metrics=metrics,
            attributes=texts,
            started=_moment(trial.started_at),
            ended=_moment(trial.completed_at),
            message=trial.message,
            attempt=trial.attempt,
            parent=trial.parent,
            labels=dict(trial.labels),
        )

    @property
    def value(self) -> float | None:
        """The objective, the first of several; None where it has no finite number."""
        return next(iter(self.values.values()), None)

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.state.is_final

    @property
    def seconds(self) -> float | None:
        """How long it ran; None where it has not ended."""
        if self.started is None or self.ended is None:
            return None
        return (self.ended - self.started).total_seconds()


@dataclass(frozen=True, slots=True)
class Report:
    """What a trial reported at one time.

    Attributes:
        step: The step it gave; None where it gave none.
        time: When.
        metrics: Values by metric.
    """

    step: int | None
    time: datetime
    metrics: Mapping[str, float]


def reports(observations: Iterable[ObservationRecord]) -> list[Report]:
    """What one trial reported, in the order of time; texts are left out."""
    numbers = (each for each in observations if not _is_text(each.value, each.text))
    return [
        Report(step, datetime.fromtimestamp(time, UTC), {each.metric: each.value for each in group})
        for (time, step), group in groupby(numbers, lambda each: (each.time, each.step))
    ]


def curves(
    store: Store,
    uid: str,
    metric: str,
    numbers: Iterable[int] | None = None,
    *,
    counts_reports: bool = True,
) -> dict[int, dict[int, float]]:
    """The values of *metric* by trial and step, of the trials *numbers* alone or of all.

    A value without a step has the number of the report as its step, counted from 1; unless
    *counts_reports*, it is left out.
    """
    by_trial: dict[int, dict[int, float]] = {}
    counts: dict[int, int] = {}
    for number, step, value, text in store.reported(uid, metric, numbers):
        if _is_text(value, text) or (step is None and not counts_reports):
            continue
        counts[number] = counts.get(number, 0) + 1
        by_trial.setdefault(number, {})[counts[number] if step is None else step] = value
    return by_trial


def thinned_curve(points: Sequence[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """At most so many *points* of a curve, at even distances, the ends included."""
    if len(points) <= most:
        return list(points)
    last = len(points) - 1
    return [points[round(place * last / (most - 1))] for place in range(most)]


def table_of(parameters: Sequence[str], trials: Sequence[TrialResult]) -> pandas.DataFrame:
    """A row for each trial, by its number.

    There are columns for the parameters, metrics and attributes, by their names, and ours; see
    `Columns` for names that are taken.

    Args:
        parameters: The names of the parameters.
        trials: The trials.

    Raises:
        ImportError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        message = "dataframe() needs pandas (pip install pandas); trials are records without it"
        raise ImportError(message) from None

    columns = Columns.of(
        parameters,
        (name for trial in trials for name in trial.metrics),
        (name for trial in trials for name in trial.attributes),
        ("parent", *(name for trial in trials for name in trial.labels)),
    )
    table: dict[str, Any] = {}
    for field in ("parameters", "metrics", "attributes"):
        for name, column in getattr(columns, field).items():
            table[column] = [getattr(trial, field).get(name) for trial in trials]
    for name in ("state", "started", "ended", "seconds", "attempt", "message"):
        values = [getattr(trial, name) for trial in trials]
        # A column of None alone would be a column of objects.
        is_time = name in ("started", "ended")
        table[columns.ours[name]] = pandas.to_datetime(values, utc=True) if is_time else values
    for name, column in columns.labels.items():
        table[column] = [{"parent": trial.parent, **trial.labels}.get(name) for trial in trials]
    index = pandas.Index([trial.number for trial in trials], name="trial")
    return pandas.DataFrame(table, index=index)


def _is_text(value: float, text: str) -> bool:
    # What is finite has no text beside it.
    return bool(text and Metric.single(value, text).text)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
