"""What figures are drawn from: an experiment, its trials and their curves, as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from hpo_lab.experiment.model import (
    ExperimentDocument,
    ExperimentSpec,
    Objective,
    ObjectiveType,
    Parameter,
)
from hpo_lab.experiment.trial import MEASURED, Trial, TrialState, candidates, violations
from hpo_lab.facade.summary import written_value

if TYPE_CHECKING:
    from hpo_lab.facade.handle import Experiment
    from hpo_lab.facade.tally import Tally
    from hpo_lab.store import ExperimentRecord, Store

__all__ = ["MOST", "Curves", "ExperimentData", "Mark", "Row", "data_of", "recorded"]

MOST = 1500
"""So many trials a figure draws at most by default, besides those that it keeps in any case."""

Curves = Mapping[int, Mapping[int, float]]
"""What trials reported of a metric, by trial and step."""


class Mark(StrEnum):
    """What a trial is in a picture; the value is the word of the key."""

    CREATED = "not started"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    EARLY_STOPPED = "early stopped"
    INFEASIBLE = "breaks a constraint"
    FAILED = "failed"
    NO_VALUE = "no value"
    KILLED = "killed"


class Row(NamedTuple):
    """A trial as a figure draws it.

    Attributes:
        number: The trial's.
        value: Of the objective that is looked at; None where the trial has none that counts:
            it has not ended, has failed, or its value is not finite.
        mark: What the trial is.
        trial: All of it.
    """

    number: int
    value: float | None
    mark: Mark
    trial: Trial


@dataclass(frozen=True)
class ExperimentData:
    """An experiment with its trials.

    Attributes:
        document: The experiment.
        trials: Its trials, in the order of their numbers.
        read_curves: Reads what trials reported of a metric, those of some numbers or all; called
            where a figure needs it.
        now: Seconds since the epoch, up to which trials that run are drawn.
        place: Where it runs.
        focus: The parameters that a person wants to look at; by default the figure chooses
            those that matter most.
        axes: How many parameters have an axis in parallel coordinates at most.
        most: How many trials a figure draws at most; it may draw fewer.
        earlier: The rows of these trials when the objective was the same, by metric; those of
            trials that have not changed are used again.
    """

    document: ExperimentDocument
    trials: Sequence[Trial]
    read_curves: Callable[[str, Collection[int] | None], Curves] = lambda metric, numbers: {}
    now: float | None = None
    place: str = "local"
    focus: tuple[str, ...] = ()
    axes: int = 8
    most: int = MOST
    earlier: Mapping[str, Sequence[Row]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def spec(self) -> ExperimentSpec:
        """The specification."""
        return self.document.spec

    @property
    def objective(self) -> Objective:
        """What the trials are compared by."""
        return self.document.spec.objective

    @property
    def metric(self) -> str:
        """The first objective."""
        return self.objective.objective_metric_name

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters by name."""
        return {parameter.name: parameter for parameter in self.spec.parameters}

    @property
    def rows(self) -> Sequence[Row]:
        """The trials by the first objective."""
        return self.rows_of(self.metric)

    def rows_of(self, metric: str) -> Sequence[Row]:
        """The trials by *metric*."""
        if metric not in self._rows:
            self._rows[metric] = self._made_rows(metric)
        return self._rows[metric]

    def later(self, data: ExperimentData) -> ExperimentData:
        """*data* of the same experiment at a later time, which uses what this has worked out."""
        is_same = data.objective == self.objective
        return replace(data, earlier=self._rows) if is_same else data

    @cached_property
    def _rows(self) -> dict[str, Sequence[Row]]:
        return {}

    def _made_rows(self, metric: str) -> list[Row]:
        strategy, bounded = self.objective.strategy(metric), bool(self.objective.constraints)
        rows: list[Row] = []
        before = self.earlier.get(metric, ())
        for trial, row in zip_longest(self.trials, before[: len(self.trials)]):
            if row is not None and row.trial is trial:
                rows.append(row)
                continue
            value = None
            mark = _MARKS[trial.state]
            if trial.state in MEASURED:
                summary = trial.metrics.get(metric)
                value = None if summary is None else summary.by(strategy)
                if value is None or not -1.7e308 < value < 1.7e308:
                    value, mark = None, Mark.NO_VALUE
                elif bounded and any(violations(self.objective, trial)):
                    mark = Mark.INFEASIBLE
            rows.append(Row(trial.number, value, mark, trial))
        return rows

    @cached_property
    def valued(self) -> Sequence[Row]:
        """The rows with a value of the first objective."""
        return [row for row in self.rows if row.value is not None]

    @cached_property
    def counts(self) -> Counter[Mark]:
        """How many trials there are of each mark."""
        return Counter(row.mark for row in self.rows)

    @cached_property
    def best(self) -> Row | None:
        """The optimal trial; with several objectives the best in the first of them."""
        feasible = [row for row in self.valued if row.mark is not Mark.INFEASIBLE]
        if not self.objective.additional_objectives:
            # As `candidates` says, in a tenth of the time.
            values = [row.value for row in feasible if row.value is not None]
            best = (min if self._sign > 0 else max)(values, default=None)
            return next((row for row in feasible if row.value == best), None)
        pairs = candidates(self.objective, [row.trial for row in feasible])
        if not pairs:
            return None
        number = pairs[0][1].number
        return next(row for row in feasible if row.number == number)

    @cached_property
    def as_written(self) -> float | None:
        """The objective of trial 0 where that is the cell as written."""
        first = self.trials[0] if self.trials else None
        return written_value(self.spec, first)

    @cached_property
    def curves(self) -> Curves:
        """What the trials reported of the first objective."""
        return self.read_curves(self.metric, None)

    def smaller_is_better(self, metric: str) -> bool:
        """Whether smaller values of *metric*, an objective, are better."""
        return dict(self.objective.objectives).get(metric) is ObjectiveType.MINIMIZE

    def loss(self, value: float) -> float:
        """A *value* of the first objective, smaller being better."""
        return self._sign * value

    @cached_property
    def _sign(self) -> int:
        return 1 if self.objective.type is ObjectiveType.MINIMIZE else -1


_MARKS = {
    TrialState.CREATED: Mark.CREATED,
    TrialState.RUNNING: Mark.RUNNING,
    TrialState.SUCCEEDED: Mark.SUCCEEDED,
    TrialState.EARLY_STOPPED: Mark.EARLY_STOPPED,
    TrialState.KILLED: Mark.KILLED,
    TrialState.FAILED: Mark.FAILED,
    TrialState.METRICS_UNAVAILABLE: Mark.NO_VALUE,
}


def data_of(experiment: Experiment) -> ExperimentData:
    """The data of an *experiment* as it is now; curves are read when a figure needs them."""
    import time

    tally = experiment.tally()
    return recorded(experiment.store, experiment.follower.record, tally, time.time())


def recorded(store: Store, record: ExperimentRecord, tally: Tally, now: float) -> ExperimentData:
    """The data of the experiment of *record* with the trials of *tally*, as of *now*."""
    from hpo_lab.facade.results import curves

    return ExperimentData(
        document=record.document,
        trials=[tally.trials[number] for number in sorted(tally.trials)],
        read_curves=lambda metric, numbers: curves(store, record.uid, metric, numbers),
        now=now,
        place=record.place,
    )
