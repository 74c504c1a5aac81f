"""What became of an experiment that was to be run, in the words of its author."""

from __future__ import annotations

import time
from dataclasses import dataclass

from hpo_lab.experiment.status import ExperimentState
from hpo_lab.facade.summary import Summary
from hpo_lab.options import BUDGETS, OPTIONS
from hpo_lab.prepare.wording import Dialect, Wording
from hpo_lab.problems import Problem
from hpo_lab.running.enrol import Enrolment, made_of
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["BY_FIELD", "Enrolled", "larger_budget"]

BY_FIELD = {option.field: option for option in OPTIONS}
_ON_A_LINE = Wording(Dialect.LINE)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An experiment that was brought into the store.

    Attributes:
        record: The experiment.
        how: What became of it.
        said: The same for a person, in one line; empty where there is nothing to say of a new one.
        notices: What else its person should know.
    """

    record: ExperimentRecord
    how: Enrolment
    said: str
    notices: tuple[Problem, ...] = ()

    @classmethod
    def of(
        cls,
        store: Store,
        record: ExperimentRecord,
        how: Enrolment,
        wording: Wording = _ON_A_LINE,
        taken: str = "",
        notices: tuple[Problem, ...] = (),
    ) -> Enrolled:
        """Say what happened to *record*, whose author writes as *wording* says.

        *taken* says from where it was taken into its project.
        """
        said = _said(store, record, how, wording)
        return cls(record, how, ". ".join(filter(None, [taken, said])), notices)


def larger_budget(record: ExperimentRecord, dialect: Dialect) -> str:
    """A budget that continues an experiment that has ended: `--trials above 20`; else nothing."""
    spec, timeout = record.document.spec, record.document.spec.active_deadline_seconds
    limits: dict[str, object] = {
        "trials": spec.max_trial_count,
        "timeout": None if timeout is None else f"{timeout:g} s",
    }
    if record.reason == "ExperimentGoalReached":
        limits = {"goal": spec.objective.goal}
    elif record.reason == "ExperimentFailed":
        limits = {"max_failed": spec.max_failed_trial_count}
    elif record.reason == "ExperimentDeadlineReached":
        limits.pop("trials")
    elif record.reason == "ExperimentSuggestionEndReached":
        return ""
    for option in BUDGETS:
        if (limit := limits.get(option.field)) is not None:
            direction = "beyond" if option.field == "goal" else "above"
            return f"{dialect.option(option)} {direction} {limit}"
    return ""


def _said(store: Store, record: ExperimentRecord, how: Enrolment, wording: Wording) -> str:
    if how is Enrolment.CREATED:
        return made_of(store, record.uid)
    if how is Enrolment.RUNNING:
        return f"{record.title} runs already; nothing new was started"
    overview = store.overview(record.uid)
    trials = Summary.of_overview(overview, time.time()).ended_trials if overview else "no trials"
    if how is Enrolment.CONTINUED:
        return f"{record.title} continues after {trials}"
    if record.state is ExperimentState.FAILED and overview:
        summary = Summary.of_overview(overview, time.time())
        anew, larger = f"`{wording.fresh}` starts anew", larger_budget(record, wording.dialect)
        tries = f", {larger} tries again" if larger else ""
        return f"{summary.failure}; nothing was started; {anew}{tries}"
    budget, name = (wording.dialect.option(BY_FIELD[field]) for field in ("trials", "name"))
    return (
        f"{record.title} is complete, with {trials}; nothing was started. To go on, raise {budget} "
        f"or another budget; to start anew, use {wording.fresh}, or choose another {name}"
    )
