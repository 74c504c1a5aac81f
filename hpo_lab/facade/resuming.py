"""Continuing an experiment with new budgets, before a runner is started."""

from __future__ import annotations

from typing import Any

from hpo_lab.options import BUDGETS, read_arguments
from hpo_lab.prepare.checking import every_problem
from hpo_lab.prepare.wording import Dialect, worded
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.enrol import Enrolment, revise
from hpo_lab.running.places import start_runner
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["prepare_resume", "resume"]

_TRIALS = next(option for option in BUDGETS if option.field == "trials")


def resume(
    store: Store, record: ExperimentRecord, dialect: Dialect = Dialect.ARGUMENT, **budgets: Any
) -> None:
    """Continue the experiment of *record* in the background; arguments as of `prepare_resume`."""
    record, enrolment = prepare_resume(store, record, dialect, **budgets)
    if enrolment is not Enrolment.RUNNING:
        start_runner(store, record)


def prepare_resume(
    store: Store,
    record: ExperimentRecord,
    dialect: Dialect = Dialect.ARGUMENT,
    **budgets: Any,
) -> tuple[ExperimentRecord, Enrolment]:
    """Take over new budgets (see `Experiment.resume`), without starting a runner.

    Args:
        store: Where the experiment is recorded.
        record: The experiment.
        dialect: How a budget is written, for messages.
        **budgets: As of `Experiment.resume`.

    Raises:
        InvalidInput: when they do not fit, or leave nothing to do.
    """
    if record.unreadable:
        raise InvalidInput([Problem(record.name, f"cannot be continued: {record.unreadable}")])
    options, problems = read_arguments(budgets, BUDGETS)
    document = options.onto(record.document)
    spec = record.document.spec
    places = [parameter.name for parameter in spec.parameters]
    broken = every_problem(document)
    problems += [worded(problem, dialect, places, record.name) for problem in broken]
    if problems:
        raise InvalidInput(problems)
    record, enrolment = revise(store, record, document)
    if enrolment is Enrolment.COMPLETE:
        raise InvalidInput(
            [
                Problem(
                    record.name,
                    f"is complete ({record.message}); raise a budget to continue, "
                    f"for example {dialect.option(_TRIALS)} above {spec.max_trial_count}",
                )
            ]
        )
    return record, enrolment
