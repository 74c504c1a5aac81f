"""An experiment at a glance, as plain data for every way of showing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState, objective_value, optimal_trial
from hpo_lab.store import ExperimentRecord

__all__ = ["Best", "Summary", "is_live", "summarise", "trial_row"]

INTERRUPTED = "Interrupted"
"""Shown for an experiment that should be running and has no live runner."""

_TAKE_UP = 10.0
"""Seconds a runner may need from its start to the lease."""


def is_live(record: ExperimentRecord, now: float) -> bool:
    """Whether a runner is at the experiment at *now*, or is expected to take it up."""
    expected = not record.state.is_final and now - record.updated_at < _TAKE_UP
    return record.is_active(now) or expected


@dataclass(frozen=True, slots=True)
class Best:
    """The optimal trial so far.

    Attributes:
        number: The trial.
        value: Its objective.
        parameters: What was assigned, by parameter name.
    """

    number: int
    value: float
    parameters: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Summary:
    """An experiment at a glance.

    Attributes:
        state: Its condition, or `Interrupted` when it should be running and nobody runs it.
        counts: Trials by state; states without trials are left out.
        elapsed: Seconds it has been running, over all its runs.
    """

    name: str
    namespace: str
    uid: str
    state: str
    reason: str
    message: str
    spec: ExperimentSpec
    counts: Mapping[TrialState, int]
    best: Best | None
    elapsed: float
    created_at: float

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens unless somebody resumes it."""
        return self.state == INTERRUPTED or ExperimentState(self.state).is_final

    @property
    def completed(self) -> int:
        """How many trials have ended."""
        return sum(count for state, count in self.counts.items() if state.is_final)

    def to_json(self) -> dict[str, Any]:
        """The summary as plain data."""
        objective = self.spec.objective
        return {
            "name": self.name,
            "namespace": self.namespace,
            "uid": self.uid,
            "state": self.state,
            "reason": self.reason,
            "message": self.message,
            "objective": {
                "type": objective.type.value,
                "metric": objective.objective_metric_name,
                "goal": objective.goal,
            },
            "algorithm": self.spec.algorithm.algorithm_name,
            "trials": {state.value: count for state, count in self.counts.items()},
            "maxTrialCount": self.spec.max_trial_count,
            "best": None
            if self.best is None
            else {
                "trial": self.best.number,
                "value": self.best.value,
                "parameters": dict(self.best.parameters),
            },
            "elapsedSeconds": round(self.elapsed, 3),
        }


def summarise(record: ExperimentRecord, trials: Sequence[Trial], now: float) -> Summary:
    """Summarise an experiment as recorded at *now*, seconds since the epoch."""
    spec = record.document.spec
    lost = not record.state.is_final and not is_live(record, now)
    best = optimal_trial(spec.objective, trials)
    value = objective_value(spec.objective, best) if best else None
    return Summary(
        name=record.name,
        namespace=record.namespace,
        uid=record.uid,
        state=INTERRUPTED if lost else record.state.value,
        reason=record.reason,
        message=record.message,
        spec=spec,
        counts=Counter(trial.state for trial in trials),
        best=Best(best.number, value, best.assignments) if best and value is not None else None,
        elapsed=record.running_seconds(now),
        created_at=record.created_at,
    )


def trial_row(spec: ExperimentSpec, trial: Trial) -> dict[str, Any]:
    """One trial as a flat row: number, state, parameters, metrics by strategy, times."""
    objective = spec.objective
    row: dict[str, Any] = {"number": trial.number, "state": trial.state.value}
    row |= {parameter.name: trial.assignments.get(parameter.name) for parameter in spec.parameters}
    for name in dict.fromkeys([*objective.metric_names, *trial.metrics]):
        metric = trial.metrics.get(name)
        row[name] = None if metric is None else metric.by(objective.strategy(name))
    started, completed = trial.started_at, trial.completed_at
    row["started"] = started
    row["seconds"] = completed - started if started and completed else None
    row["attempt"] = trial.attempt
    row["message"] = trial.message
    return row
