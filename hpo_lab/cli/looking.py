"""Commands that look at the store: `list`, `show`, `best` and `trials`."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterable, Iterator
from functools import partial
from textwrap import indent

import click

from hpo_lab.cli import FAILED
from hpo_lab.cli.options import json_option, name_argument, store_option
from hpo_lab.cli.output import (
    messages,
    notebook_path,
    print_best,
    print_json,
    print_json_list,
    results,
)
from hpo_lab.dashboard.defaults import notebook_defaults
from hpo_lab.dashboard.tables import (
    experiments_table,
    front_table,
    parameters_table,
    print_trials,
    summary_table,
)
from hpo_lab.dashboard.words import shown_labels
from hpo_lab.experiment.manifest import dump
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.status import conditions_of
from hpo_lab.experiment.status_document import experiment_status
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.experiments import Experiments
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import trial_row
from hpo_lab.facade.tally import Tally

__all__ = ["best_command", "list_command", "show_command", "trials_command"]


@click.command("list")
@store_option
@json_option
def list_command(store: str | None, as_json: bool) -> None:
    """List the experiments, the newest first."""
    summaries = Experiments(store).list()
    if as_json:
        print_json([summary.to_json() for summary in summaries])
    elif summaries:
        results().print(experiments_table(summaries, time.time()))
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
    experiment = Experiments(store).find(name)
    if output is not None:
        print(dump(_with_status(experiment), output), end="")
        return
    summary, failure = experiment.summary(), experiment.last_failure()
    folder = str(experiment.folder)
    if as_json:
        last = failure.to_json() if failure else None
        print_json({**summary.to_json(), "folder": folder, "lastFailure": last})
        return
    out = results()
    out.print(experiment.title, style="bold")
    out.print(summary_table(summary))
    out.print(f"Folder: {folder}", soft_wrap=True)
    if summary.front:
        out.print()
        out.print(front_table(summary))
    elif summary.best:
        out.print()
        out.print(parameters_table(summary.best.parameters, notebook_defaults(experiment)))
    if failure:
        out.print()
        out.print(f"Last failure, trial {failure.number}: {failure.message}", style="red")
        if failure.excerpt:
            out.print(indent(failure.excerpt, "  "), soft_wrap=True)
        out.print(f"More: hpo-lab logs {name} {failure.number}")


def _with_status(experiment: Experiment) -> ExperimentDocument:
    """The document with the status that Katib would give it."""
    document = experiment.record.document
    history = [(each.type, each.reason, each.message, each.time) for each in experiment.history()]
    trials = list(experiment.tally().trials.values())
    status = experiment_status(document, conditions_of(history), trials, now=time.time())
    return document.model_copy(update={"status": status})


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
    experiment = Experiments(store).find(name)
    summary = experiment.summary()
    best = summary.best
    if as_json:
        document = summary.to_json()
        notebook = {"notebook": notebook_path(experiment, summary)}
        shown = None if best is None else {**document["best"], **notebook}
        print_json({"name": summary.name, "objective": document["objective"], "best": shown})
    elif best:
        print_best(experiment, summary)
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
    experiment = Experiments(store).find(name)
    tally = experiment.tally()
    trials: Iterable[Trial] = (tally.trials[number] for number in sorted(tally.trials))
    if sort == "best":
        trials = _best_first(tally)
    if states:
        trials = (trial for trial in trials if trial.state.value in states)
    chosen = list(trials)
    spec = experiment.record.document.spec
    rows = partial(map, partial(trial_row, spec), chosen)
    if as_json or form == "json":
        print_json_list(rows())
    elif form == "csv":
        names = list(dict.fromkeys(column for row in rows() for column in row))
        writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows())
    else:
        labels = dict.fromkeys(name for trial in chosen for name in shown_labels(trial))
        print_trials(results(), spec, rows, labels)


def _best_first(tally: Tally) -> Iterator[Trial]:
    """Trials from the best to the worst; those that cannot be optimal come last."""
    ranked = {trial.number: trial for trial in tally.ranked()}
    yield from ranked.values()
    yield from (tally.trials[n] for n in sorted(tally.trials) if n not in ranked)
