"""`hpo-lab run` and `hpo-lab resume`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from hpo_lab.cli import FAILED, INTERRUPTED
from hpo_lab.cli.foreground import run_here
from hpo_lab.cli.naming import experiment_named
from hpo_lab.cli.options import (
    Request,
    TuningCommand,
    json_option,
    name_argument,
    store_option,
)
from hpo_lab.cli.output import messages, print_best, print_failure, print_json, results
from hpo_lab.cli.validating import say_warnings
from hpo_lab.dashboard.tables import progress_line, state_text
from hpo_lab.dashboard.words import objective_in_words
from hpo_lab.execution.client import ForkServer
from hpo_lab.experiment.status import GIVEN_UP, ExperimentState
from hpo_lab.facade.enrolled import Enrolled
from hpo_lab.facade.enrolling import enrol_prepared, stop_described
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.resuming import prepare_resume
from hpo_lab.facade.summary import INTERRUPTED as LOST
from hpo_lab.facade.summary import Summary
from hpo_lab.options import BUDGETS, OPTIONS
from hpo_lab.prepare import (
    PreparedCell,
    PreparedManifest,
    is_file_name,
    prepare_file,
    runs_here,
)
from hpo_lab.prepare.wording import Dialect
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.enrol import Enrolment
from hpo_lab.store import open_store

__all__ = ["resume_command", "run_command"]


@click.command("run", cls=TuningCommand, tuning=OPTIONS, objective=True)
@click.argument("file")
@click.option("--cell", metavar="N", help="Which %%tune cell: its number or id.")
@click.option("--template", metavar="FILE", help="Trial template in place of the manifest's.")
@click.option("--runtime", metavar="ENGINE", help="Run containers in docker or podman.")
@click.option(
    "--map",
    metavar="CONTAINER=HERE",
    multiple=True,
    help="Folder here that stands for a path in the containers; may be repeated.",
)
@click.option(
    "--with",
    metavar="FILE",
    multiple=True,
    help="ConfigMaps and Secrets that the manifest refers to; may be repeated.",
)
@click.option("--fresh", is_flag=True, help="Delete what is recorded of it, and start anew.")
@click.option("--yes", is_flag=True, help="Do not ask before that.")
@store_option
@json_option
@click.pass_context
def run_command(ctx: click.Context, request: Request) -> None:
    """Run the experiment of a notebook (.ipynb) or a manifest (.yaml, .json).

    It runs in the foreground; Ctrl-C stops it cleanly, and resume continues it. Running the
    same file again continues it, too, as does the name of a recorded experiment. Options win
    over the notebook's %%tune line, and over what a manifest says.
    """
    if not request.target:
        raise InvalidInput(request.problems)
    path = Path(request.target)
    if not is_file_name(request.target) and not path.exists():
        ctx.exit(_resume(request, otherwise="no such file, and "))
    prepared = prepare_file(
        path,
        request.options,
        request.cell,
        request.problems,
        template=request.template,
        runtime=request.runtime,
        paths=request.paths,
        beside=request.beside,
    )
    if isinstance(prepared, PreparedCell):
        prepared.check_runs()
    fitted = runs_here(prepared, runtime=request.runtime, paths=request.paths)
    say_warnings(fitted.warnings)
    store = open_store(prepared.store if request.store is None else request.store)
    if isinstance(prepared, PreparedManifest):
        if prepared.overridden:
            messages().print(f"{path.name} is overridden: {prepared.overridden}.")
        if prepared.stops:
            stop_described(store, fitted)
            messages().print(f"Experiment {prepared.experiment.name} stops: it may run 0 trials.")
            return
    enrolled = enrol_prepared(
        store,
        fitted,
        fresh=request.fresh or prepared.fresh,
        agrees=lambda recorded: request.yes or _agrees(recorded),
    )
    experiment = Experiment.of(store, enrolled.record)
    _announce(enrolled)
    ctx.exit(_run(experiment, enrolled.how, request, ctx.obj))


@click.command("resume", cls=TuningCommand, tuning=BUDGETS)
@name_argument
@store_option
@json_option
@click.pass_context
def resume_command(ctx: click.Context, request: Request) -> None:
    """Continue a stopped, interrupted or finished experiment in the foreground.

    Budgets count from the beginning: --trials is the number of trials in all.
    """
    ctx.exit(_resume(request))


def _resume(request: Request, otherwise: str = "") -> int:
    """Continue the recorded experiment that a person named; the exit code.

    Args:
        request: What was asked for.
        otherwise: What else is said where the experiment is not recorded.

    Raises:
        InvalidInput: with every problem of the line, that it is not recorded included.
    """
    problems = [*request.problems, *_unchangeable(request)]
    if not request.target:
        raise InvalidInput(problems)
    try:
        experiment = experiment_named(request.store, request.target)
    except InvalidInput as error:
        unknown = [replace(each, message=f"{otherwise}{each.message}") for each in error.problems]
        raise InvalidInput([*problems, *unknown]) from None
    if problems:
        raise InvalidInput(problems)
    budgets = request.options.budgets
    lowered = request.options.lowered(experiment.record.document)
    enrolled = prepare_resume(experiment.store, experiment.record, Dialect.LINE, **budgets)
    say_warnings(enrolled.notices)
    if lowered:
        fitted = ", ".join(Dialect.LINE.said(option, count) for option, count in lowered.items())
        messages().print(f"--trials {request.options.trials} needs {fitted}, too.")
    _announce(enrolled)
    return _run(experiment, enrolled.how, request)


def _unchangeable(request: Request) -> list[Problem]:
    """A problem for each option that a recorded experiment keeps as it is."""
    options = [option.flag for option in request.options.said if not option.is_budget]
    others = {
        f"--{request.options.direction}": request.options.direction,
        "--cell": request.cell,
        "--template": request.template,
        "--runtime": request.runtime,
        "--map": request.paths,
        "--with": request.beside,
    }
    options += [flag for flag, value in others.items() if value]
    message = "cannot change a recorded experiment; run the file that makes it"
    return [Problem(flag, message) for flag in options]


def _agrees(recorded: Experiment) -> bool:
    """Whether a person, where one is there, wants *recorded* to be deleted."""
    if not sys.stdin.isatty():
        return True
    trials = recorded.summary().ended_trials
    question = f"Delete {recorded.title} with its {trials} and start anew?"
    return click.confirm(question, err=True)


def _announce(enrolled: Enrolled) -> None:
    record, spec = enrolled.record, enrolled.record.document.spec
    if enrolled.how is Enrolment.CREATED:
        goal = objective_in_words(spec.objective)
        messages().print(f"Experiment {record.title}: {goal}, {spec.algorithm.algorithm_name}")
    if enrolled.said:
        messages().print(enrolled.said)


def _run(
    experiment: Experiment,
    enrolment: Enrolment,
    request: Request,
    server: ForkServer | None = None,
) -> int:
    """Run an enrolled experiment to its end, print its result; the exit code."""
    signalled = 0
    if enrolment is not Enrolment.COMPLETE:
        signalled = run_here(experiment, messages(), server)
    summary = experiment.summary()
    if request.as_json:
        notebook = experiment.notebook_of(summary.best.number) if summary.best else None
        print_json({**summary.to_json(), "notebook": str(notebook) if notebook else None})
    else:
        _print_result(experiment, summary)
    if summary.state in (ExperimentState.STOPPED.value, LOST):
        resume = experiment.store.command(f"resume {summary.title}")
        messages().print(f"To continue: {resume}", style="yellow", soft_wrap=True)
        return signalled or INTERRUPTED
    if not summary.is_over:
        return signalled
    has_result = summary.best is not None or summary.text
    failed = summary.state == ExperimentState.FAILED.value or not has_result
    return FAILED if failed else 0


def _print_result(experiment: Experiment, summary: Summary) -> None:
    out = results()
    out.print(state_text(summary), f"({progress_line(summary, outlook=False)})")
    if summary.is_over and summary.state != LOST:
        out.print(summary.message, style="dim")
    if summary.best:
        print_best(experiment, summary, intro="Best: ")
    elif summary.text:
        out.print(f"Found: {summary.text}")
    else:
        _print_failure(experiment, summary)


def _print_failure(experiment: Experiment, summary: Summary) -> None:
    """Print why no trial succeeded, where to read more, and how to go on."""
    out = results()
    out.print("No trial produced the objective.")
    print_failure(experiment, "Trial")
    if summary.reason == GIVEN_UP:
        most = summary.spec.max_trial_count or "N"
        again = f"To try again: {experiment.store.command(f'resume {summary.title}')}"
        out.print(f"{again}; with --max-failed {most} it does not give up", soft_wrap=True)
