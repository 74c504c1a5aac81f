"""Continuing an experiment with new budgets, before a runner is started."""

from __future__ import annotations

from typing import Any

from hpo_lab.experiment.status import ExperimentState
from hpo_lab.facade.another import AnotherExperiment, recorded_files
from hpo_lab.facade.enrolled import Enrolled, larger_budget
from hpo_lab.local.launch import LOCAL
from hpo_lab.options import BUDGETS, read_arguments
from hpo_lab.prepare.checking import every_problem
from hpo_lab.prepare.kernels import with_kernel_here
from hpo_lab.prepare.recorded_modules import edited_modules
from hpo_lab.prepare.wording import Dialect, worded
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.enrol import Enrolment, revise
from hpo_lab.running.places import start_runner
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["prepare_resume", "resume"]


def resume(
    store: Store, record: ExperimentRecord, dialect: Dialect = Dialect.ARGUMENT, **budgets: Any
) -> tuple[Problem, ...]:
    """Continue the experiment of *record* in the background; see `prepare_resume`.

    Returns:
        What its person should know.
    """
    enrolled = prepare_resume(store, record, dialect, **budgets)
    if enrolled.how is not Enrolment.RUNNING:
        start_runner(store, enrolled.record)
    return enrolled.notices


def prepare_resume(
    store: Store,
    record: ExperimentRecord,
    dialect: Dialect = Dialect.ARGUMENT,
    **budgets: Any,
) -> Enrolled:
    """Take over new budgets (see `Experiment.resume`), without starting a runner.

    Args:
        store: Where the experiment is recorded.
        record: The experiment.
        dialect: How a budget is written, for messages.
        **budgets: As of `Experiment.resume`.

    Returns:
        What became of it, with a notice where this machine has the kernel of its trials no more
        and they use another one.

    Raises:
        InvalidInput: when they do not fit, or leave nothing to do; or this machine has no kernel
            for its trials; or a module of the project was edited since, each difference being a
            problem.
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
    if edited := edited_modules(recorded_files(store, record)):
        fresh = "--fresh" if dialect is Dialect.LINE else "fresh=True"
        raise AnotherExperiment(
            f"{record.title!r} is not continued: its trials ran other modules than those of today:",
            edited,
            [
                ("take the edit back", "and it continues"),
                ("run its file again", "begins a new revision, or asks for another name"),
                (f"run its file with {fresh}", "deletes it and starts anew"),
            ],
        )
    notices: tuple[Problem, ...] = ()
    if record.place == LOCAL:
        document, notices = with_kernel_here(document, None, record.title, dialect, resumes=True)
    record, enrolment = revise(store, record, document)
    if enrolment is Enrolment.COMPLETE:
        larger = larger_budget(record, dialect)
        advice = "raise a budget to continue" + (f", for example {larger}" if larger else "")
        state = "has failed" if record.state is ExperimentState.FAILED else "is complete"
        raise InvalidInput([Problem(record.name, f"{state} ({record.message}); {advice}")])
    return Enrolled.of(store, record, enrolment, notices=notices)
