"""An experiment at a glance, as plain data for every way of showing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpo_lab.experiment.model import ExperimentSpec, Objective, Value
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import (
    Trial,
    TrialState,
    latest_text,
    objective_values,
    optimal_trial,
    pareto_front,
)
from hpo_lab.store import ExperimentRecord

__all__ = [
    "Best",
    "Summary",
    "is_live",
    "objective_in_words",
    "shown_labels",
    "summarise",
    "trial_row",
]

INTERRUPTED = "Interrupted"
"""Shown for an experiment that should be running and has no live runner."""

_LOST = "its runner is gone; it can be resumed"

_WORDS = {
    "ExperimentGoalReached": "The goal is reached",
    "ExperimentMaxTrialsReached": "All trials of the budget have run",
    "ExperimentSuggestionEndReached": "The search has nothing left to try",
}
"""By reason, where Katib's message, which is recorded, speaks of its own parts."""

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
        value: Its objective, the first of several.
        parameters: What was assigned, by parameter name.
        values: All its objectives, by metric name.
    """

    number: int
    value: float
    parameters: Mapping[str, Value]
    values: Mapping[str, float]

    @classmethod
    def of(cls, objective: Objective, trial: Trial) -> Best:
        """A *trial* that has finite objectives."""
        numbers = objective_values(objective, trial)
        assert numbers is not None
        names = (name for name, _ in objective.objectives)
        values = dict(zip(names, numbers, strict=True))
        return cls(trial.number, numbers[0], trial.assignments, values)

    def to_json(self) -> dict[str, Any]:
        """The trial as plain data."""
        found: dict[str, Any] = {"trial": self.number, "value": self.value}
        if len(self.values) > 1:
            found["values"] = dict(self.values)
        return found | {"parameters": dict(self.parameters)}


@dataclass(frozen=True, slots=True)
class Summary:
    """An experiment at a glance.

    Attributes:
        state: Its condition, or `Interrupted` when it should be running and nobody runs it.
        counts: Trials by state; states without trials are left out.
        best: The optimal trial; with several objectives that of the front which is best in
            the first.
        front: The Pareto front, the best in the first objective first; empty where there is
            one objective.
        elapsed: Seconds it has been running, over all its runs.
        text: What was found last where the objective is a text, such as a genotype.
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
    front: tuple[Best, ...] = ()
    text: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens unless somebody resumes it."""
        return self.state == INTERRUPTED or ExperimentState(self.state).is_final

    @property
    def completed(self) -> int:
        """How many trials have ended."""
        return sum(count for state, count in self.counts.items() if state.is_final)

    @property
    def leading(self) -> tuple[Best, ...]:
        """The front of several objectives; the best trial, where there is one, of one."""
        return self.front or ((self.best,) if self.best else ())

    def to_json(self) -> dict[str, Any]:
        """The summary as plain data."""
        objective = self.spec.objective
        front = {"paretoFront": [each.to_json() for each in self.front]}
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
                **_further(objective),
            },
            "algorithm": self.spec.algorithm.algorithm_name,
            "trials": {state.value: count for state, count in self.counts.items()},
            "maxTrialCount": self.spec.max_trial_count,
            "best": None if self.best is None else self.best.to_json(),
            **({"text": self.text} if self.text else {}),
            **(front if objective.additional_objectives else {}),
            "elapsedSeconds": round(self.elapsed, 3),
        }


def _further(objective: Objective) -> dict[str, Any]:
    """What there is to say of an objective beyond the first metric, as plain data."""
    document = objective.to_document()
    fields = ("additionalObjectives", "constraints")
    return {name: document[name] for name in fields if document.get(name)}


def summarise(record: ExperimentRecord, trials: Sequence[Trial], now: float) -> Summary:
    """Summarise an experiment as recorded at *now*, seconds since the epoch."""
    spec = record.document.spec
    lost = not record.state.is_final and not is_live(record, now)
    objective = spec.objective
    if objective.additional_objectives:
        front = tuple(Best.of(objective, trial) for trial in pareto_front(objective, trials))
        best = front[0] if front else None
    else:
        optimal = optimal_trial(objective, trials)
        front, best = (), Best.of(objective, optimal) if optimal else None
    found = latest_text(objective, trials) if best is None else None
    name = objective.objective_metric_name
    return Summary(
        name=record.name,
        namespace=record.namespace,
        uid=record.uid,
        state=INTERRUPTED if lost else record.state.value,
        reason=record.reason,
        message=_LOST if lost else _WORDS.get(record.reason, record.message),
        spec=spec,
        counts=Counter(trial.state for trial in trials),
        best=best,
        front=front,
        elapsed=record.running_seconds(now),
        created_at=record.created_at,
        text=found.metrics[name].text if found else "",
    )


def objective_in_words(objective: Objective) -> str:
    """`minimize loss, maximize accuracy, 1 <= memory <= 8`."""
    parts = [f"{type.value} {name}" for name, type in objective.objectives]
    for constraint in objective.constraints:
        low = "" if constraint.min is None else f"{constraint.min:.6g} <= "
        high = "" if constraint.max is None else f" <= {constraint.max:.6g}"
        parts.append(f"{low}{constraint.name}{high}")
    return ", ".join(parts)


def trial_row(spec: ExperimentSpec, trial: Trial) -> dict[str, Any]:
    """One trial as a flat row: number, state, parameters, metrics by strategy, times, labels."""
    objective = spec.objective
    row: dict[str, Any] = {"number": trial.number, "state": trial.state.value}
    row |= {parameter.name: trial.assignments.get(parameter.name) for parameter in spec.parameters}
    for name in dict.fromkeys([*objective.metric_names, *trial.metrics]):
        metric, row[name] = trial.metrics.get(name), None
        if metric is not None:
            row[name] = metric.by(objective.strategy(name))
            if row[name] is None and spec.nas_config is not None:
                row[name] = metric.text or None
    started, completed = trial.started_at, trial.completed_at
    row["started"] = started
    row["seconds"] = completed - started if started and completed else None
    row["attempt"] = trial.attempt
    row["message"] = trial.message
    made = {"parent": trial.parent, **trial.labels}
    return row | {name: value for name, value in made.items() if name not in row}


def shown_labels(trial: Trial) -> dict[str, str]:
    """What a person is shown of how the search made *trial*, by name.

    Its labels, and the parent from whose checkpoint it continues. That it is a point of the
    beginning goes without saying; that it is one enqueued later does not.
    """
    labels = {name: text for name, text in trial.labels.items() if not text.startswith("initial-")}
    return labels if trial.parent is None else {**labels, "parent": str(trial.parent)}
