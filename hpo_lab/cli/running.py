"""`hpo-lab run` and `hpo-lab resume`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import click

from hpo_lab.api import prepare_resume
from hpo_lab.cli import FAILED, INTERRUPTED
from hpo_lab.cli.foreground import run_here
from hpo_lab.cli.options import (
    Request,
    TuningCommand,
    json_option,
    name_argument,
    store_option,
)
from hpo_lab.cli.output import messages, print_best, print_json, results
from hpo_lab.cli.records import (
    best_notebook,
    find,
    latest,
    summary_of,
    title,
)
from hpo_lab.cli.validating import prepare, say_warnings
from hpo_lab.dashboard.defaults import notebook_defaults
from hpo_lab.dashboard.summary import INTERRUPTED as LOST
from hpo_lab.dashboard.summary import Summary, objective_in_words
from hpo_lab.dashboard.tables import progress_line, state_text
from hpo_lab.execution.client import ForkServer
from hpo_lab.experiment.model import Value
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.options import BUDGETS, OPTIONS
from hpo_lab.prepare import runs_here
from hpo_lab.prepare.wording import as_flag
from hpo_lab.problems import InvalidInput
from hpo_lab.running.enrol import Enrolment, enrol, stop_described
from hpo_lab.running.warm_start import warm_start_note
from hpo_lab.store import ExperimentRecord, Store, open_store

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
@store_option
@json_option
@click.pass_context
def run_command(ctx: click.Context, request: Request) -> None:
    """Run the experiment of a notebook (.ipynb) or a manifest (.yaml, .json).

    It runs in the foreground; Ctrl-C stops it cleanly, and resume continues it. Running the
    same file again continues it, too. Options win over the notebook's %%tune line.
    """
    if not request.target:
        raise InvalidInput(request.problems)
    path = Path(request.target)
    prepared = prepare(
        path,
        request.options,
        request.cell,
        request.problems,
        template=request.template,
        runtime=request.runtime,
        paths=request.paths,
        beside=request.beside,
    )
    prepared = runs_here(prepared, runtime=request.runtime, paths=request.paths)
    say_warnings(prepared.warnings)
    store = open_store(request.store)
    if prepared.stops:
        stop_described(store, prepared.experiment)
        messages().print(f"Experiment {prepared.experiment.name} stops: it may run 0 trials.")
        return
    record, enrolment = enrol(store, prepared.experiment, prepared.files)
    _announce(record, enrolment, summary_of(store, record))
    if enrolment is Enrolment.CREATED and (note := warm_start_note(store, record.uid)):
        messages().print(f"{note}.", soft_wrap=True)
    ctx.exit(_run(store, record, enrolment, request, ctx.obj))


@click.command("resume", cls=TuningCommand, tuning=BUDGETS)
@name_argument
@store_option
@json_option
@click.pass_context
def resume_command(ctx: click.Context, request: Request) -> None:
    """Continue a stopped, interrupted or finished experiment in the foreground.

    Budgets count from the beginning: --trials is the number of trials in all.
    """
    if request.problems:
        raise InvalidInput(request.problems)
    store, record = find(request.store, request.target)
    record, enrolment = prepare_resume(store, record, as_flag, **request.options.budgets)
    _announce(record, enrolment, summary_of(store, record))
    ctx.exit(_run(store, record, enrolment, request))


def _announce(record: ExperimentRecord, enrolment: Enrolment, summary: Summary) -> None:
    name = title(record)
    match enrolment:
        case Enrolment.CREATED:
            goal = objective_in_words(summary.spec.objective)
            text = f"Experiment {name}: {goal}, {summary.spec.algorithm.algorithm_name}"
        case Enrolment.CONTINUED:
            text = f"Experiment {name} continues: {progress_line(summary)}"
        case Enrolment.RUNNING:
            text = f"Experiment {name}: {progress_line(summary)}"
        case Enrolment.COMPLETE:
            text = (
                f"Experiment {name} is complete. To continue it, give it more --trials or "
                f"another budget; to begin anew, choose another --name or delete it: "
                f"hpo-lab delete {name}"
            )
    messages().print(text)


def _run(
    store: Store,
    record: ExperimentRecord,
    enrolment: Enrolment,
    request: Request,
    server: ForkServer | None = None,
) -> int:
    """Run an enrolled experiment to its end, print its result; the exit code."""
    signalled = 0
    if enrolment is not Enrolment.COMPLETE:
        signalled = run_here(store, record.uid, messages(), server)
    summary = summary_of(store, latest(store, record))
    notebook = best_notebook(store, summary)
    if request.as_json:
        print_json({**summary.to_json(), "notebook": notebook})
    else:
        _print_result(summary, notebook, notebook_defaults(store, record.uid))
    if summary.state in (ExperimentState.STOPPED.value, LOST):
        where = f" --store {shlex.quote(request.store)}" if request.store else ""
        messages().print(f"To continue: hpo-lab resume {title(record)}{where}", style="yellow")
        return signalled or INTERRUPTED
    if not summary.is_over:
        return signalled
    found = summary.best is not None or summary.text
    failed = summary.state == ExperimentState.FAILED.value or not found
    return FAILED if failed else 0


def _print_result(summary: Summary, notebook: str | None, defaults: Mapping[str, Value]) -> None:
    out = results()
    out.print(state_text(summary.state), f"({progress_line(summary, best=False)})")
    if summary.is_over and summary.state != LOST:
        out.print(summary.message, style="dim")
    if summary.best is None:
        out.print(f"Found: {summary.text}" if summary.text else "No trial produced the objective.")
        return
    print_best(summary, notebook, defaults, intro="Best: ")
