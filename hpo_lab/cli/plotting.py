"""`hpo-lab plot`: a figure of an experiment as a file."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from hpo_lab.cli.arguments import PlainCommand
from hpo_lab.cli.naming import experiment_named
from hpo_lab.cli.options import json_option, name_argument, out_option, store_option
from hpo_lab.cli.output import messages, print_json, require_reader
from hpo_lab.dashboard import figures
from hpo_lab.dashboard.plot import plot, suffix_of
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["plot_command"]


def _complete_figure(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    return [CompletionItem(name) for name in figures.names() if name.startswith(incomplete)]


@click.command("plot", cls=PlainCommand)
@name_argument
@click.argument("figure", required=False, shell_complete=_complete_figure)
@out_option("Write this file; it ends in .svg, .png, .html or .json.")
@click.option("--theme", type=click.Choice(figures.THEMES), help="By default as the reader has it.")
@click.option("--focus", metavar="NAME,...", help="Look at these parameters.")
@store_option
@json_option
def plot_command(
    name: str,
    figure: str | None,
    out: Path | None,
    theme: str | None,
    focus: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Draw a figure of an experiment.

    Figures are history, importances, slices, parallel, curves, contour, space, timeline, edf,
    pareto, constraints, rungs and lineage. Without a file, or with -o -, the SVG is printed; with
    --json the data of plotly.
    """
    problems = []
    if figure is None:
        problems.append(Problem("FIGURE", f"is missing; there are {', '.join(figures.names())}"))
    if out is not None and as_json:
        problems.append(Problem("--json", "prints the data; leave it or --out out"))
    elif out is not None and str(out) != "-":
        try:
            suffix_of(out)
        except InvalidInput as error:
            problems += error.problems
    elif out is None and not as_json:
        problems += require_reader(f"-o {figure or 'history'}.svg")
    if problems:
        raise InvalidInput(problems)
    words = [word for part in (focus or "").split(",") if (word := part.strip())]
    drawn = plot(experiment_named(store, name), str(figure), theme, words)
    if as_json:
        print_json(drawn.to_json())
    elif out is None or str(out) == "-":
        click.echo(drawn.svg)
    else:
        drawn.save(out)
        messages().print(f"{out}: {drawn.text}")
