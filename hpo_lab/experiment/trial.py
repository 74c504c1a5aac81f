"""Trials as plain data: their assignments, states and metrics, and which trial is the best."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter, itemgetter

from hpo_lab.experiment.model import MetricStrategyType, Objective, ObjectiveType, Value
from hpo_lab.experiment.pareto import fronts
from hpo_lab.observation import Observation

__all__ = [
    "FAILURES",
    "MEASURED",
    "Metric",
    "Trial",
    "TrialState",
    "candidates",
    "continued",
    "latest_text",
    "losses",
    "missing_objectives",
    "objective_value",
    "objective_values",
    "optimal_trial",
    "pareto_front",
    "trial_name",
    "violations",
]


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


FAILURES = (TrialState.FAILED, TrialState.METRICS_UNAVAILABLE)
"""The states of trials that went wrong; a killed trial was ended from outside."""

MEASURED = (TrialState.SUCCEEDED, TrialState.EARLY_STOPPED)
"""The states of trials of which one may be the best."""


# Of an enumeration they take longer to look up than all else that `by` does.
_MIN, _MAX = MetricStrategyType.MIN, MetricStrategyType.MAX


@dataclass(frozen=True, slots=True)
class Metric:
    """The summary of the values that a trial reported for a metric.

    `min` and `max` cover the finite values and are None when no value was finite. `latest`
    is the last value, finite or not; it is NaN when the trial reported a text, which is then
    in `text`.
    """

    latest: float
    min: float | None = None
    max: float | None = None
    count: int = 1
    text: str = ""

    @classmethod
    def of(cls, values: Iterable[float]) -> Metric:
        """Summarise *values* (at least one), in the order they were reported."""
        summary: Metric | None = None
        for value in values:
            single = cls.single(value)
            summary = single if summary is None else summary.then(single)
        if summary is None:
            raise ValueError("a metric needs at least one value")
        return summary

    @classmethod
    def single(cls, value: float, text: str = "") -> Metric:
        """The summary of a single value, which the trial reported as *text*."""
        finite = value if math.isfinite(value) else None
        is_text = math.isnan(value) and text.lower().strip("+-") != "nan"
        return cls(latest=value, min=finite, max=finite, text=text if is_text else "")

    def then(self, later: Metric) -> Metric:
        """The summary of these values followed by *later* ones."""
        lows = [low for low in (self.min, later.min) if low is not None]
        highs = [high for high in (self.max, later.max) if high is not None]
        return Metric(
            latest=later.latest,
            min=min(lows, default=None),
            max=max(highs, default=None),
            count=self.count + later.count,
            text=later.text,
        )

    def by(self, strategy: MetricStrategyType) -> float | None:
        """The value that *strategy* selects; None when it is missing, NaN or infinite."""
        if strategy is _MIN:
            return self.min
        if strategy is _MAX:
            return self.max
        return self.latest if math.isfinite(self.latest) else None


def continued(metrics: Mapping[str, Metric], batch: Iterable[Observation]) -> dict[str, Metric]:
    """The summaries *metrics* of earlier observations, continued by the observations *batch*."""
    result = dict(metrics)
    for observation in batch:
        single = Metric.single(observation.value, observation.text)
        before = result.get(observation.metric)
        result[observation.metric] = before.then(single) if before else single
    return result


@dataclass(frozen=True, slots=True)
class Trial:
    """A numbered trial of an experiment.

    Attributes:
        number: Counted from 0 in the order of asking; never used twice.
        assignments: Parameter values by name; inactive conditional parameters are absent.
        state: Where it is in its life.
        metrics: Summary per metric name.
        attempt: Counted from 1; a trial interrupted by a crash or a stop runs again under
            the same number.
        started_at, completed_at: Seconds since the epoch.
        message: Why it is in its state, in one line.
        parent: The number of the trial whose checkpoint it continues from; None to begin anew.
        labels: Notes of the search algorithm, such as the trial's rung or generation.
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
    """The full name of a trial, such as `random-example-7`."""
    return f"{experiment_name}-{number}"


def objective_value(objective: Objective, trial: Trial) -> float | None:
    """The finite value of the first objective in *trial*; None when it is missing."""
    return _value(objective, objective.objective_metric_name, trial)


def _value(objective: Objective, name: str, trial: Trial) -> float | None:
    metric = trial.metrics.get(name)
    return None if metric is None else metric.by(objective.strategy(name))


def objective_values(objective: Objective, trial: Trial) -> tuple[float, ...] | None:
    """The finite values of all objectives, in their order; None when any is missing."""
    values = []
    for name, _ in objective.objectives:
        value = _value(objective, name, trial)
        if value is None:
            return None
        values.append(float(value))
    return tuple(values)


def missing_objectives(objective: Objective, trial: Trial) -> list[str]:
    """The objectives for which *trial* has no finite number."""
    names = [name for name, _ in objective.objectives]
    return [name for name in names if _value(objective, name, trial) is None]


def losses(objective: Objective, trial: Trial) -> tuple[float, ...] | None:
    """The values of all objectives, smaller being better in each."""
    return _losses(_measures(objective), trial)


def _measures(objective: Objective) -> list[tuple[str, MetricStrategyType, int]]:
    """The metric of each objective, which of its values counts, and the sign of its loss."""
    return [
        (name, objective.strategy(name), 1 if type is ObjectiveType.MINIMIZE else -1)
        for name, type in objective.objectives
    ]


def _losses(
    measures: Iterable[tuple[str, MetricStrategyType, int]], trial: Trial
) -> tuple[float, ...] | None:
    values = []
    for name, strategy, sign in measures:
        metric = trial.metrics.get(name)
        value = None if metric is None else metric.by(strategy)
        if value is None:
            return None
        values.append(sign * float(value))
    return tuple(values)


def violations(objective: Objective, trial: Trial) -> tuple[float, ...]:
    """By how much *trial* breaks each constraint, 0 where it keeps it.

    Infinite where the metric is missing or not finite.
    """
    result = []
    for constraint in objective.constraints:
        value = _value(objective, constraint.name, trial)
        result.append(math.inf if value is None else constraint.violation(value))
    return tuple(result)


def candidates(
    objective: Objective, trials: Iterable[Trial]
) -> list[tuple[tuple[float, ...], Trial]]:
    """The trials that may be optimal, as pairs of losses and trial, the best first.

    These trials ended with finite objectives and keep every constraint. The first objective
    decides, then the second and so on, then the lower number.
    """
    # Twice, since tuples of tuples take three times as long to compare.
    pairs = sorted(_candidates(objective, trials), key=lambda pair: pair[1].number)
    return sorted(pairs, key=itemgetter(0))


def _candidates(
    objective: Objective, trials: Iterable[Trial]
) -> Iterator[tuple[tuple[float, ...], Trial]]:
    measures, is_bounded = _measures(objective), bool(objective.constraints)
    for trial in trials:
        if (
            trial.state in MEASURED
            and (loss := _losses(measures, trial)) is not None
            and not (is_bounded and any(violations(objective, trial)))
        ):
            yield loss, trial


def _place(pair: tuple[tuple[float, ...], Trial]) -> tuple[tuple[float, ...], int]:
    return pair[0], pair[1].number


def optimal_trial(objective: Objective, trials: Iterable[Trial]) -> Trial | None:
    """The best of the trials that ended with finite objectives and keep every constraint.

    With several objectives it is the member of the Pareto front that is best in the first.
    """
    best = min(_candidates(objective, trials), key=_place, default=None)
    return best[1] if best else None


def latest_text(objective: Objective, trials: Iterable[Trial]) -> Trial | None:
    """The last trial that ended with a text for its objective, such as a genotype.

    Texts have no order; as in Katib the latest stands for the best.
    """
    name = objective.objective_metric_name
    measured = [trial for trial in trials if trial.state in MEASURED and name in trial.metrics]
    texts = (trial for trial in measured if trial.metrics[name].text)
    return max(texts, key=attrgetter("number"), default=None)


def pareto_front(objective: Objective, trials: Iterable[Trial]) -> list[Trial]:
    """The trials that no other trial dominates.

    A trial dominates another when it is better in some objective and worse in none. The
    trials of the front ended with finite objectives and keep every constraint. The trial that
    is best in the first objective comes first and is the `optimal_trial`.
    """
    pairs = candidates(objective, trials)
    return [pairs[place][1] for front in fronts([loss for loss, _ in pairs], 1) for place in front]
