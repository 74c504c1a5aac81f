"""`hpo-lab best`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from hpo_lab.cli import FAILED
from hpo_lab.cli.arguments import PlainCommand
from hpo_lab.cli.naming import experiment_named
from hpo_lab.cli.options import json_option, name_argument, store_option
from hpo_lab.cli.output import files_of_best, messages, print_best, print_json
from hpo_lab.facade.assigned import assigned
from hpo_lab.facade.best import BestTrial
from hpo_lab.notebook.replacing import replace_file
from hpo_lab.notebook.rewriting import rewrite
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["best_command"]


@click.command("best", cls=PlainCommand)
@name_argument
@click.option("--trial", "number", type=int, metavar="N", help="This trial instead of the best.")
@click.option(
    "--write",
    "notebook",
    metavar="NOTEBOOK",
    type=click.Path(path_type=Path),
    help="Write the values into the %%tune cell of this notebook.",
)
@click.option("--cell", metavar="N", help="Which %%tune cell: its number or id.")
@click.option(
    "--out", "-o", type=click.Path(path_type=Path), help="Write that notebook to this file."
)
@store_option
@json_option
@click.pass_context
def best_command(
    ctx: click.Context,
    name: str,
    number: int | None,
    notebook: Path | None,
    cell: str | None,
    out: Path | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Show the best trial so far: its value, its parameters, its notebook, what it kept.

    With several objectives the Pareto front is shown, the best in the first of them first.
    Ends with code 1 when no trial has produced the objective.

    With --write the values become the literals of the notebook's %%tune cell. Nothing else in
    the file changes.
    """
    experiment = experiment_named(store, name)
    if notebook is None and (cell is not None or out is not None):
        raise InvalidInput([Problem("--write", "is missing; give the notebook to write")])
    summary = experiment.summary()
    if number is None and summary.best is None:
        if as_json:
            objective = summary.to_json()["objective"]
            print_json({"name": summary.name, "objective": objective, "best": None})
        else:
            messages().print("No trial has produced the objective.")
        ctx.exit(FAILED)
    best = experiment.chosen(number)
    written = None if notebook is None else _write(best, notebook, cell, out)
    if as_json:
        document = {"name": summary.name, "objective": summary.to_json()["objective"]}
        files = {"written": written} if written else {}
        print_json({**document, "best": {**best.to_json(), **files_of_best(best)}, **files})
    elif written is None:
        print_best(experiment, summary if number is None else replace(summary, best=best, front=()))


def _write(best: BestTrial, notebook: Path, cell: str | None, out: Path | None) -> dict[str, Any]:
    """Write the values of *best* into a notebook, and say so."""
    experiment = best.experiment
    values = assigned(experiment, best.parameters)
    parameters = experiment.record.document.spec.parameters
    rewritten = rewrite(notebook, parameters, values, cell=cell)
    target = notebook if out is None else out
    if rewritten.before or out is not None:
        replace_file(target, rewritten.content)
    where = f"{target}, {rewritten.label}"
    trial = f"the values of trial {best.number}"
    if rewritten.before:
        was = rewritten.before
        lines = [f"{name} = {values[name]!r}  (was {was[name]!r})" for name in was]
        messages().print("\n".join([f"{where} has {trial} now:", *lines]))
        messages().print("Open in JupyterLab, it shows them after File, Reload Notebook from Disk.")
    elif out is None:
        messages().print(f"{where} has {trial} already; nothing was written.")
    else:
        messages().print(f"{where} has {trial}, as it had before.")
    changed = {name: values[name] for name in rewritten.before}
    return {"file": str(target), "cell": rewritten.label, "changed": changed}
