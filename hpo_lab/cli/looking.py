"""Commands that look at the store: `list`, `show`, `best` and `trials`."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from hpo_lab.cli import FAILED
from hpo_lab.cli.options import json_option, name_argument, store_option
from hpo_lab.cli.output import messages, print_best, print_json, results
from hpo_lab.cli.records import (
    best_notebook,
    find,
    summaries,
    summary_of,
    title,
)
from hpo_lab.dashboard.defaults import notebook_defaults
from hpo_lab.dashboard.summary import shown_labels, trial_row
from hpo_lab.dashboard.tables import (
    experiments_table,
    front_table,
    parameters_table,
    summary_table,
    trials_table,
)
from hpo_lab.experiment.manifest import dump
from hpo_lab.experiment.model import ExperimentDocument, Objective
from hpo_lab.experiment.status import conditions_of
from hpo_lab.experiment.status_document import experiment_status
from hpo_lab.experiment.trial import Trial, TrialState, candidates
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["best_command", "list_command", "show_command", "trials_command"]


@click.command("list")
@store_option
@json_option
def list_command(store: str | None, as_json: bool) -> None:
    """List the experiments, the newest first."""
    now = time.time()
    found = summaries(store, now)
    if as_json:
        print_json([summary.to_json() for summary in found])
    elif found:
        rows = [(title(summary), summary) for summary in found]
        results().print(experiments_table(rows, now))
    else:
        messages().print("There are no experiments yet.")


@click.command("show")
@name_argument
@click.option(
    "--output", "-o", type=click.Choice(["yaml", "json"]), help="Print the manifest instead."
)
@store_option
@json_option
def show_command(name: str, output: str | None, store: str | None, as_json: bool) -> None:
    """Show one experiment: state, best parameters, the last failure."""
    opened, record = find(store, name)
    if output is not None:
        print(dump(_with_status(opened, record), output), end="")
        return
    summary = summary_of(opened, record)
    folder = str(opened.folder(record.uid))
    failure = _last_failure(opened, record)
    if as_json:
        print_json({**summary.to_json(), "folder": folder, "lastFailure": failure})
        return
    out = results()
    out.print(title(record), style="bold")
    out.print(summary_table(summary))
    out.print(f"Folder: {folder}", soft_wrap=True)
    if summary.front:
        out.print()
        out.print(front_table(summary))
    elif summary.best:
        out.print()
        out.print(parameters_table(summary.best.parameters, notebook_defaults(opened, record.uid)))
    if failure:
        out.print()
        out.print(f"Last failure, trial {failure['trial']}: {failure['message']}", style="red")
        if failure["where"]:
            out.print(failure["where"], soft_wrap=True)
        out.print(f"More: hpo-lab logs {name} {failure['trial']}")


def _with_status(store: Store, record: ExperimentRecord) -> ExperimentDocument:
    """The document with the status that Katib would give it."""
    history = [
        (each.type, each.reason, each.message, each.time) for each in store.conditions(record.uid)
    ]
    status = experiment_status(
        record.document, conditions_of(history), store.trials(record.uid), now=time.time()
    )
    return record.document.model_copy(update={"status": status})


def _last_failure(store: Store, record: ExperimentRecord) -> dict[str, Any] | None:
    """The trial that failed last: number, message, and the last line of its traceback."""
    wrong = (TrialState.FAILED, TrialState.METRICS_UNAVAILABLE)
    failed = [trial for trial in store.trials(record.uid) if trial.state in wrong]
    if not failed:
        return None
    last = max(failed, key=lambda trial: trial.completed_at or 0.0)
    details = store.trial(record.uid, last.number)
    lines = details.traceback.strip().splitlines() if details else []
    where = lines[-1].strip() if lines else ""
    return {
        "trial": last.number,
        "message": last.message,
        "where": "" if where == last.message else where,
    }


@click.command("best")
@name_argument
@store_option
@json_option
@click.pass_context
def best_command(ctx: click.Context, name: str, store: str | None, as_json: bool) -> None:
    """Show the best trial so far: its value, its parameters, its notebook.

    With several objectives the Pareto front is shown, the best in the first of them first.
    Ends with code 1 when no trial has produced the objective.
    """
    opened, record = find(store, name)
    summary = summary_of(opened, record)
    best, notebook = summary.best, best_notebook(opened, summary)
    if as_json:
        document = summary.to_json()
        found = None if best is None else {**document["best"], "notebook": notebook}
        print_json({"name": record.name, "objective": document["objective"], "best": found})
    elif best:
        print_best(summary, notebook, notebook_defaults(opened, record.uid))
    else:
        messages().print("No trial has produced the objective.")
    if best is None:
        ctx.exit(FAILED)


@click.command("trials")
@name_argument
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", help="Form."
)
@click.option(
    "--state",
    "states",
    type=click.Choice([state.value for state in TrialState], case_sensitive=False),
    multiple=True,
    help="Only trials in this state; may be repeated.",
)
@click.option(
    "--sort", type=click.Choice(["number", "best"]), default="number", help="Order of the trials."
)
@store_option
@json_option
def trials_command(
    name: str, form: str, states: tuple[str, ...], sort: str, store: str | None, as_json: bool
) -> None:
    """List the trials of an experiment with their parameters and metrics."""
    opened, record = find(store, name)
    spec = record.document.spec
    trials = opened.trials(record.uid)
    if states:
        trials = [trial for trial in trials if trial.state.value in states]
    if sort == "best":
        trials = _best_first(spec.objective, trials)
    rows = [trial_row(spec, trial) for trial in trials]
    if as_json or form == "json":
        print_json(rows)
    elif form == "csv":
        names = list(dict.fromkeys(column for row in rows for column in row))
        writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        labels = dict.fromkeys(name for trial in trials for name in shown_labels(trial))
        results().print(trials_table(spec, rows, labels))


def _best_first(objective: Objective, trials: Sequence[Trial]) -> list[Trial]:
    """Trials from the best to the worst; those that cannot be optimal come last."""
    ranked = [trial for _, trial in candidates(objective, trials)]
    numbers = {trial.number for trial in ranked}
    return [*ranked, *(trial for trial in trials if trial.number not in numbers)]
