"""Continuing an experiment with new budgets, before a runner is started."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hpo_lab.options import BUDGETS, Option, read_arguments
from hpo_lab.prepare.checking import every_problem
from hpo_lab.prepare.wording import as_argument, worded
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.enrol import Enrolment, revise
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["prepare_resume"]


def prepare_resume(
    store: Store,
    record: ExperimentRecord,
    option: Callable[[Option], str] = as_argument,
    **budgets: Any,
) -> tuple[ExperimentRecord, Enrolment]:
    """Take over new budgets (see `Experiment.resume`), without starting a runner.

    Args:
        store: Where the experiment is recorded.
        record: The experiment.
        option: How a budget is written, for messages.
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
    problems += [worded(one, option, places, record.name) for one in every_problem(document)]
    if problems:
        raise InvalidInput(problems)
    record, enrolment = revise(store, record, document)
    if enrolment is Enrolment.COMPLETE:
        raise InvalidInput(
            [
                Problem(
                    record.name,
                    f"is complete ({record.message}); raise a budget to continue, "
                    f"for example the number of trials above {spec.max_trial_count}",
                )
            ]
        )
    return record, enrolment
