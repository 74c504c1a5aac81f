"""Trials as plain data: what was assigned, what came of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hpo_lab.experiment.model import MetricStrategyType, Objective, Value

__all__ = ["Metric", "Trial", "TrialState", "objective_value", "optimal_trial", "trial_name"]


class TrialState(StrEnum):
    """Where a trial is in its life; the names are those of Katib's trial conditions."""

    CREATED = "Created"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    KILLED = "Killed"
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    EARLY_STOPPED = "EarlyStopped"

    @property
    def is_final(self) -> bool:
        """Whether the trial has ended."""
        return self not in (TrialState.CREATED, TrialState.RUNNING)


@dataclass(frozen=True, slots=True)
class Metric:
    """What a trial reported under one name.

    `min` and `max` are over the finite values and None when there was none; `latest` is the
    last value whatever it was, NaN when it was no number.
    """

    latest: float
    min: float | None = None
    max: float | None = None
    count: int = 1

    @classmethod
    def of(cls, values: Iterable[float]) -> Metric:
        """Summarise *values* (at least one), in the order they were reported."""
        summary: Metric | None = None
        for value in values:
            one = cls.single(value)
            summary = one if summary is None else summary.then(one)
        if summary is None:
            raise ValueError("a metric needs at least one value")
        return summary

    @classmethod
    def single(cls, value: float) -> Metric:
        """The summary of one value."""
        finite = value if math.isfinite(value) else None
        return cls(latest=value, min=finite, max=finite)

    def then(self, later: Metric) -> Metric:
        """The summary of these values followed by *later* ones."""
        lows = [low for low in (self.min, later.min) if low is not None]
        highs = [high for high in (self.max, later.max) if high is not None]
        return Metric(
            latest=later.latest,
            min=min(lows, default=None),
            max=max(highs, default=None),
            count=self.count + later.count,
        )

    def by(self, strategy: MetricStrategyType) -> float | None:
        """The value that *strategy* picks; None when it is missing, NaN or infinite."""
        match strategy:
            case MetricStrategyType.MIN:
                return self.min
            case MetricStrategyType.MAX:
                return self.max
            case MetricStrategyType.LATEST:
                return self.latest if math.isfinite(self.latest) else None


@dataclass(frozen=True, slots=True)
class Trial:
    """One numbered trial of an experiment.

    Attributes:
        number: Counted from 0 in the order of asking; never used twice.
        assignments: Parameter values by name; inactive conditional parameters are absent.
        state: Where it is in its life.
        metrics: Summary per metric name.
        attempt: Counted from 1; a trial interrupted by a crash or a stop runs again under
            the same number.
        started_at, completed_at: Seconds since the epoch.
        message: Why it is in its state, in one line.
        parent: The number of the trial whose checkpoint it continues from, None to begin anew.
        labels: What its search algorithm noted about it, such as its rung or generation.
    """

    number: int
    assignments: Mapping[str, Value] = field(default_factory=dict)
    state: TrialState = TrialState.CREATED
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    attempt: int = 1
    started_at: float | None = None
    completed_at: float | None = None
    message: str = ""
    parent: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether the trial has ended."""
        return self.state.is_final


def trial_name(experiment_name: str, number: int) -> str:
    """The name of a trial wherever one is needed, such as `random-example-7`."""
    return f"{experiment_name}-{number}"


def objective_value(objective: Objective, trial: Trial) -> float | None:
    """The finite number that represents *trial*, or None when there is none."""
    metric = trial.metrics.get(objective.objective_metric_name)
    if metric is None:
        return None
    return metric.by(objective.strategy(objective.objective_metric_name))


_MEASURED = (TrialState.SUCCEEDED, TrialState.EARLY_STOPPED)


def optimal_trial(objective: Objective, trials: Iterable[Trial]) -> Trial | None:
    """The best of the trials that ended with a finite objective; the earliest wins a tie."""
    best: Trial | None = None
    best_value = math.nan
    for trial in sorted(trials, key=lambda trial: trial.number):
        value = objective_value(objective, trial)
        if trial.state not in _MEASURED or value is None:
            continue
        if best is None or objective.is_better(value, than=best_value):
            best, best_value = trial, value
    return best
