"""A table of trials: what its columns are called, and what is in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Trial

__all__ = ["Columns", "TrialRow", "beside", "trial_row"]

_OURS = ("number", "state", "started", "ended", "seconds", "attempt", "message")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table of trials, each by the name of what is in it.

    A name that is taken has `metric_`, `attribute_` or `trial_` before it: parameters come
    first, then metrics, attributes, what is ours, and labels.

    Attributes:
        parameters, metrics, attributes: Those of the user.
        ours: Number, state, times, attempt and message.
        labels: The parent, and the notes of the search algorithm.
    """

    parameters: Mapping[str, str]
    metrics: Mapping[str, str]
    attributes: Mapping[str, str]
    ours: Mapping[str, str]
    labels: Mapping[str, str]

    @classmethod
    def of(
        cls,
        parameters: Iterable[str],
        metrics: Iterable[str] = (),
        attributes: Iterable[str] = (),
        labels: Iterable[str] = (),
    ) -> Columns:
        """Decide what the columns with these names are called."""
        return _decided(tuple(parameters), tuple(metrics), tuple(attributes), tuple(labels))

    @classmethod
    def of_spec(cls, spec: ExperimentSpec, labels: Iterable[str] = ()) -> Columns:
        """Those of every trial of an experiment, and of these *labels*."""
        names = (parameter.name for parameter in spec.parameters)
        return cls.of(names, spec.objective.metric_names, labels=labels)


@lru_cache(maxsize=256)
def _decided(
    parameters: tuple[str, ...],
    metrics: tuple[str, ...],
    attributes: tuple[str, ...],
    labels: tuple[str, ...],
) -> Columns:
    """Decided once for all trials with the same names, of which there may be very many."""
    taken: set[str] = set()

    def place(names: Iterable[str], prefix: str) -> dict[str, str]:
        placed = {}
        for name in dict.fromkeys(names):
            placed[name] = beside(taken, name, prefix)
            taken.add(placed[name])
        return placed

    return Columns(
        place(parameters, ""),
        place(metrics, "metric"),
        place(attributes, "attribute"),
        place(_OURS, "trial"),
        place(labels, "trial"),
    )


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One trial as a row of a table, in which what is ours and the user's are kept apart.

    Attributes:
        ours: Number, state, times, attempt and message, by these names.
        said: Parameters, and metrics by strategy, by their columns.
        labels: Its labels and its parent, by their columns.
    """

    ours: Mapping[str, Any]
    said: Mapping[str, Any]
    labels: Mapping[str, Any]

    def __getitem__(self, column: str) -> Any:
        """What is in *column*; the user's own come first, None where there is no such column."""
        for values in (self.said, self.ours, self.labels):
            if column in values:
                return values[column]
        return None

    def flat(self, columns: Iterable[str] | None = None) -> dict[str, Any]:
        """The row as plain data: number, state and these *columns*, by default all.

        What is ours, and has the name of a parameter or metric, has `trial_` before it.
        """
        ours = {beside(self.said, name): value for name, value in self.ours.items()}
        first = {name: ours[name] for name in (beside(self.said, n) for n in ("number", "state"))}
        if columns is not None:
            return first | {name: self[name] for name in columns}
        return {**first, **self.said, **ours, **self.labels}


def trial_row(spec: ExperimentSpec, trial: Trial) -> TrialRow:
    """The row of *trial*, whose experiment is as *spec* says."""
    objective = spec.objective
    texts = {name: metric.text for name, metric in trial.metrics.items() if metric.text}
    numbers = dict.fromkeys(
        [*objective.metric_names, *(name for name in trial.metrics if name not in texts)]
    )
    columns = Columns.of(
        (parameter.name for parameter in spec.parameters),
        numbers,
        (name for name in texts if name not in numbers),
        ("parent", *trial.labels),
    )
    said = {column: trial.assignments.get(name) for name, column in columns.parameters.items()}
    for name, column in columns.metrics.items():
        metric = trial.metrics.get(name)
        value = metric.by(objective.strategy(name)) if metric else None
        said[column] = texts.get(name) if value is None else value
    said |= {column: texts[name] for name, column in columns.attributes.items()}
    started, completed = trial.started_at, trial.completed_at
    ours = {
        "number": trial.number,
        "state": trial.state.value,
        "started": started,
        "seconds": completed - started if started and completed else None,
        "attempt": trial.attempt,
        "message": trial.message,
    }
    notes = {"parent": trial.parent, **trial.labels}
    labels = {column: notes[name] for name, column in columns.labels.items()}
    return TrialRow(ours, said, labels)


def beside(names: Collection[str], name: str, prefix: str = "trial") -> str:
    """What a column called *name* is called beside those that have these *names*."""
    while name in names:
        name = f"{prefix}_{name}"
    return name
