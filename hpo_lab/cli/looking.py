"""Commands that look at the store: `list`, `show` and `trials`."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import click

from hpo_lab.cli.arguments import PlainCommand
from hpo_lab.cli.naming import experiment_named
from hpo_lab.cli.options import json_option, name_argument, secrets_option, store_option
from hpo_lab.cli.output import (
    messages,
    print_failure,
    print_json,
    print_json_list,
    results,
    shown_manifest,
)
from hpo_lab.dashboard.tables import (
    print_experiments,
    print_front,
    print_lines,
    print_parameters,
    print_trials,
    summary_table,
)
from hpo_lab.dashboard.words import elsewhere_note, shown_labels
from hpo_lab.experiment.model import ExperimentDocument, ExperimentSpec
from hpo_lab.experiment.status import conditions_of
from hpo_lab.experiment.status_document import experiment_status
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.assigned import notebook_defaults
from hpo_lab.facade.columns import Columns, TrialRow, trial_row
from hpo_lab.facade.experiments import Experiments
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.tally import Tally
from hpo_lab.printable import printable
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["list_command", "show_command", "trials_command"]


@click.command("list", cls=PlainCommand)
@click.option("--all", "everywhere", is_flag=True, help="Also those of other folders.")
@store_option
@json_option
def list_command(everywhere: bool, store: str | None, as_json: bool) -> None:
    """List the experiments of this folder and those of none, the newest first."""
    experiments = Experiments(store)
    summaries = experiments.list(everywhere=everywhere)
    if as_json:
        print_json([summary.to_json() for summary in summaries])
    elif summaries:
        print_experiments(results(), summaries, time.time(), folders=everywhere)
    hidden = experiments.count() - len(summaries)
    note = elsewhere_note(len(summaries), hidden, "hpo-lab list --all")
    if note and not as_json:
        messages().print(note, style="dim")


@click.command("show", cls=PlainCommand)
@name_argument
@click.option(
    "--output", "-o", type=click.Choice(["yaml", "json"]), help="Print the manifest instead."
)
@click.option(
    "--watch", "-w", is_flag=True, help="Show it live until it is over; Ctrl-C ends that alone."
)
@secrets_option
@store_option
@json_option
def show_command(
    name: str,
    output: str | None,
    watch: bool,
    show_secrets: bool,
    store: str | None,
    as_json: bool,
) -> None:
    """Show one experiment: state, best parameters, the last failure."""
    if watch and (output is not None or as_json):
        other = "--json" if as_json else "--output"
        problem = f"is for a person who looks; leave it or {other} out"
        raise InvalidInput([Problem("--watch", problem)])
    if show_secrets and output is None:
        raise InvalidInput([Problem("--show-secrets", "is for -o yaml and -o json")])
    experiment = experiment_named(store, name)
    if watch:
        from hpo_lab.cli.foreground import watch_experiment

        watch_experiment(experiment, messages())
    if output is not None:
        print(shown_manifest(_with_status(experiment).to_document(), output, show_secrets), end="")
        return
    summary, folder = experiment.summary(), str(experiment.folder)
    if as_json:
        failure = experiment.last_failure()
        last = failure.to_json() if failure else None
        print_json({**summary.to_json(), "folder": folder, "lastFailure": last})
        return
    out = results()
    out.print(experiment.title, style="bold")
    print_lines(out, summary_table(summary))
    out.print(f"Folder: {folder}", soft_wrap=True)
    if summary.front:
        out.print()
        print_front(out, summary)
    elif summary.best:
        out.print()
        print_parameters(out, summary.best.parameters, notebook_defaults(experiment))
    print_failure(experiment, "Last failure, trial")


def _with_status(experiment: Experiment) -> ExperimentDocument:
    """The document with the status that Katib would give it."""
    document = experiment.record.document
    history = [
        (each.type, each.reason, each.message, each.time) for each in experiment.conditions()
    ]
    trials = list(experiment.tally().trials.values())
    status = experiment_status(document, conditions_of(history), trials, now=time.time())
    return document.model_copy(update={"status": status})


@click.command("trials", cls=PlainCommand)
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
@click.option(
    "--columns",
    metavar="NAME,...",
    help="Show these parameters, metrics or other columns, in this order.",
)
@store_option
@json_option
def trials_command(
    name: str,
    form: str,
    states: tuple[str, ...],
    sort: str,
    columns: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """List the trials of an experiment with their parameters and metrics.

    The number, the state and the objectives are always shown. What is too wide for the
    terminal is left out and named below the table.
    """
    experiment = experiment_named(store, name)
    tally = experiment.tally()
    trials: Iterable[Trial] = (tally.trials[number] for number in sorted(tally.trials))
    if sort == "best":
        trials = _best_first(tally)
    if states:
        trials = (trial for trial in trials if trial.state.value in states)
    chosen = list(trials)
    spec = experiment.record.document.spec
    labels = dict.fromkeys(name for trial in chosen for name in shown_labels(trial))
    shown = None
    if columns is not None:
        labelled = Columns.of_spec(spec, labels).labels.values()
        shown = _columns(columns, [*_names(spec, chosen), *labelled])
    rows = partial(map, partial(trial_row, spec), chosen)
    if as_json or form == "json":
        print_json_list(_only(rows(), spec, shown))
    elif form == "csv":
        names = list(dict.fromkeys(column for row in _only(rows(), spec, shown) for column in row))
        writer = csv.DictWriter(_Printable(), names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_only(rows(), spec, shown))
    else:
        summary = experiment.summary()
        best = {each.number for each in summary.leading}
        print_trials(
            results(),
            spec,
            rows(),
            labels=labels,
            best=best,
            chosen=shown,
            is_over=summary.is_over,
        )


class _Printable:
    """Standard output for text that may have control characters."""

    def write(self, text: str) -> int:
        return sys.stdout.write(printable(text))


def _names(spec: ExperimentSpec, trials: Iterable[Trial]) -> Iterator[str]:
    """The columns that can be chosen."""
    yield from dict.fromkeys(name for trial in trials for name in trial_row(spec, trial).said)
    columns = Columns.of_spec(spec)
    yield from (*columns.parameters.values(), *columns.metrics.values())
    yield from ("time", "attempt", "message")


def _columns(text: str, names: Sequence[str]) -> list[str]:
    """The names in *text*, separated by commas.

    Raises:
        InvalidInput: with each that is no column.
    """
    chosen = [name for part in text.split(",") if (name := part.strip())]
    there = f"; there are {', '.join(dict.fromkeys(names))}"
    problems = [
        Problem("--columns", f"no column {name!r}{nearest(name, names) or there}")
        for name in chosen
        if name not in names
    ]
    if problems:
        raise InvalidInput(problems)
    return chosen


def _only(
    rows: Iterable[TrialRow], spec: ExperimentSpec, names: Sequence[str] | None
) -> Iterator[dict[str, Any]]:
    """The *rows* with the columns of these *names*, and those that always stay."""
    metrics = Columns.of_spec(spec).metrics
    objectives = [metrics[name] for name, _ in spec.objective.objectives]
    for row in rows:
        if names is None:
            yield row.flat()
        else:
            time = {} if "time" in row.said else {"time": row.ours["seconds"]}
            columns = row.flat([*objectives, *names])
            yield {name: time.get(name, value) for name, value in columns.items()}


def _best_first(tally: Tally) -> Iterator[Trial]:
    """Trials from the best to the worst; those that cannot be optimal come last."""
    ranked = {trial.number: trial for trial in tally.ranked()}
    yield from ranked.values()
    yield from (tally.trials[n] for n in sorted(tally.trials) if n not in ranked)
