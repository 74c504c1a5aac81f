"""An experiment at a glance, as plain data for every way of showing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpo_lab.counting import counted
from hpo_lab.experiment.model import API_VERSION, ExperimentSpec, Objective, Value
from hpo_lab.experiment.status import SETTING_UP, ExperimentState
from hpo_lab.experiment.trial import FAILURES, Trial, TrialState, objective_values
from hpo_lab.facade.excerpt import excerpt
from hpo_lab.facade.origin import Origin
from hpo_lab.store import ExperimentRecord, Overview, title_of

__all__ = [
    "FEW",
    "INTERRUPTED",
    "Best",
    "Failure",
    "Summary",
    "is_live",
    "state_of",
    "written_value",
]

INTERRUPTED = "Interrupted"
"""Shown for an experiment that should be running and has no live runner."""

FEW = 3
"""So many trials must have ended before the time left is told."""

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
        document: dict[str, Any] = {"trial": self.number, "value": self.value}
        if len(self.values) > 1:
            document["values"] = dict(self.values)
        return document | {"parameters": dict(self.parameters)}


@dataclass(frozen=True, slots=True)
class Failure:
    """A trial that failed.

    Attributes:
        number: The trial.
        message: Why it failed, in one line.
        where: The last line of its traceback, where that says more than the message.
        excerpt: The lines of its traceback that say where it failed, without the message.
    """

    number: int
    message: str
    where: str = ""
    excerpt: str = ""

    @classmethod
    def of(cls, trial: Trial, traceback: str) -> Failure:
        """That of a *trial* that failed with this *traceback*."""
        where = traceback.strip().rpartition("\n")[2].strip()
        where = "" if where == trial.message else where
        places = excerpt(traceback).removesuffix(f"\n{trial.message}")
        return cls(trial.number, trial.message, where, places)

    def to_json(self) -> dict[str, Any]:
        """The failure as plain data."""
        return {"trial": self.number, "message": self.message, "where": self.where}


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
        as_written: The objective, the first of several, of the trial with the values that the
            cell itself has; None where there is no such trial, or it has no objective.
        left: About how many seconds it will still run; None where that cannot be known.
        set_up: Seconds for which the set-up that all trials share has been running, while the
            trials wait for it; else None.
        starting: Seconds since it was created or resumed, while its runner starts; else None.
        text: What was found last where the objective is a text, such as a genotype.
        project: The folder that it belongs to; empty for none.
        place: Where it runs.
        file: The notebook or script that its name was made of; empty where a person chose it.
        ended: When it ended, or was seen alive last; None while it goes on.
        revision: That of its record.
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
    project: str = ""
    as_written: float | None = None
    left: float | None = None
    set_up: float | None = None
    starting: float | None = None
    place: str = ""
    file: str = ""
    ended: float | None = None
    revision: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens unless somebody resumes it."""
        return self.state == INTERRUPTED or ExperimentState(self.state).is_final

    @property
    def completed(self) -> int:
        """How many trials have ended."""
        return sum(count for state, count in self.counts.items() if state.is_final)

    @property
    def ended_trials(self) -> str:
        """`7 trials`: how many have ended, for a person."""
        return counted(self.completed, "trial")

    @property
    def failure(self) -> str:
        """`svm has failed: the first 4 trials failed with ...`, of what has failed."""
        cause = self.message.removeprefix("Experiment has failed because ")
        colon = ":" if cause == self.message else " because"
        return f"{self.title} has failed{colon} {cause[:1].lower()}{cause[1:]}"

    @property
    def leading(self) -> tuple[Best, ...]:
        """The front of several objectives; the best trial, where there is one, of one."""
        return self.front or ((self.best,) if self.best else ())

    @property
    def title(self) -> str:
        """What a person calls the experiment: `name`, or `namespace/name`."""
        return title_of(self.namespace, self.name)

    @property
    def failed(self) -> int:
        """How many trials have failed."""
        return sum(self.counts.get(state, 0) for state in FAILURES)

    @classmethod
    def of(
        cls,
        record: ExperimentRecord,
        now: float,
        *,
        counts: Mapping[TrialState, int],
        best: Best | None = None,
        front: tuple[Best, ...] = (),
        text: str = "",
        as_written: float | None = None,
        pace: float | None = None,
    ) -> Summary:
        """Sum up *record* as it is at *now*, seconds since the epoch, and what its trials say.

        Args:
            record: The experiment.
            now: Seconds since the epoch.
            counts: Trials by state.
            best: As of `Summary`, like the following.
            front: The Pareto front.
            text: What was found last.
            as_written: The objective of the cell as written.
            pace: How many seconds pass from the end of a trial to that of the next.
        """
        state = state_of(record, now)
        waited = max(0.0, now - record.updated_at)
        is_starting = state in (ExperimentState.CREATED, ExperimentState.RESTARTING)
        is_setting_up = state == ExperimentState.RUNNING and record.reason == SETTING_UP
        failed = record.state is ExperimentState.FAILED
        said = record.message if failed else _WORDS.get(record.reason, record.message)
        return cls(
            name=record.name,
            namespace=record.namespace,
            uid=record.uid,
            state=state,
            reason=record.reason,
            message=_LOST if state == INTERRUPTED else said,
            spec=record.document.spec,
            counts={state: count for state, count in counts.items() if count},
            best=best,
            front=front,
            elapsed=record.running_seconds(now),
            created_at=record.created_at,
            text=text,
            project=record.project,
            as_written=as_written,
            left=_left(record, now, counts, pace) if state == ExperimentState.RUNNING else None,
            set_up=waited if is_setting_up else None,
            starting=waited if is_starting else None,
            place=record.place,
            file=Origin.of(record).file,
            ended=_ended(record, state),
            revision=record.revision,
        )

    @classmethod
    def of_overview(cls, overview: Overview, now: float, first: Trial | None = None) -> Summary:
        """Sum up what the store says of an experiment at *now* without reading its trials.

        Args:
            overview: What the store says.
            now: Seconds since the epoch.
            first: Trial 0, to compare with the best.
        """
        record, best = overview.experiment, overview.best
        spec = record.document.spec
        ended = sum(count for state, count in overview.counts.items() if state.is_final)
        return cls.of(
            record,
            now,
            counts=overview.counts,
            best=Best.of(spec.objective, best) if best else None,
            as_written=written_value(spec, first),
            # The mean over all runs; those that follow the trials know the present pace.
            pace=record.running_seconds(now) / ended if ended >= FEW else None,
        )

    def to_json(self) -> dict[str, Any]:
        """The summary as plain data."""
        objective = self.spec.objective
        front = {"paretoFront": [each.to_json() for each in self.front]}
        # A list of experiments knows the best trial and not the front.
        several = bool(objective.additional_objectives)
        return {
            "name": self.name,
            "namespace": self.namespace,
            "uid": self.uid,
            "project": self.project or None,
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
            **({} if self.as_written is None else {"asWritten": self.as_written}),
            **({"text": self.text} if self.text else {}),
            **(front if several and (self.front or not self.best) else {}),
            "elapsedSeconds": round(self.elapsed, 3),
            **({} if self.left is None else {"secondsLeft": round(self.left, 3)}),
        }


def _left(
    record: ExperimentRecord,
    now: float,
    counts: Mapping[TrialState, int],
    pace: float | None,
) -> float | None:
    """Seconds until the budget of trials or that of time is spent, whichever is first."""
    spec = record.document.spec
    budgets = []
    if spec.max_trial_count is not None and pace is not None:
        ended = sum(count for state, count in counts.items() if state.is_final)
        budgets.append((spec.max_trial_count - ended) * pace)
    if spec.active_deadline_seconds is not None:
        budgets.append(spec.active_deadline_seconds - record.running_seconds(now))
    return max(0.0, min(budgets)) if budgets else None


def _ended(record: ExperimentRecord, state: str) -> float | None:
    """When it ended, or was seen alive last, where its *state* is one of the end."""
    if state == INTERRUPTED:
        return record.lease.heartbeat_at if record.lease else record.updated_at
    return (record.completed_at or record.updated_at) if record.state.is_final else None


def written_value(spec: ExperimentSpec, trial: Trial | None) -> float | None:
    """The objective of *trial* where it is the cell as written, the first of several objectives.

    That is trial 0 of a notebook's experiment, unless the algorithm has no place for it.
    """
    template = spec.trial_template
    if trial is None or template is None or template.kind != (API_VERSION, "NotebookTrial"):
        return None
    if trial.number or not spec.initial_points:
        return None
    # A parameter that was not active has a value in the cell, and none in the trial.
    if not trial.assignments.items() <= spec.initial_points[0].items():
        return None
    values = objective_values(spec.objective, trial)
    return values[0] if values else None


def _further(objective: Objective) -> dict[str, Any]:
    """What there is to say of an objective beyond the first metric, as plain data."""
    document = objective.to_document()
    fields = ("additionalObjectives", "constraints")
    return {name: document[name] for name in fields if document.get(name)}


def state_of(record: ExperimentRecord, now: float) -> str:
    """Its condition at *now*, or `Interrupted` when it should be running and nobody runs it."""
    lost = not record.state.is_final and not is_live(record, now)
    return INTERRUPTED if lost else record.state.value
