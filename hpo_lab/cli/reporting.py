"""`hpo-lab report`: an experiment as a page in one file, or several side by side."""

from __future__ import annotations

from pathlib import Path

import click

from hpo_lab.cli.arguments import PlainCommand
from hpo_lab.cli.naming import experiment_named
from hpo_lab.cli.options import names_argument, out_option, store_option
from hpo_lab.cli.output import messages, require_reader
from hpo_lab.dashboard.report import report_of
from hpo_lab.notebook.replacing import replace_file
from hpo_lab.problems import InvalidInput

__all__ = ["report_command"]


@click.command("report", cls=PlainCommand)
@names_argument
@out_option("Write this file, such as report.html.")
@store_option
def report_command(name: tuple[str, ...], out: Path | None, store: str | None) -> None:
    """Write all there is to see of an experiment into one HTML file.

    The file needs no network and no scripts. Several experiments are compared. Without a file,
    or with -o -, the page is printed.
    """
    problems = list(require_reader("-o report.html")) if out is None else []
    if problems:
        raise InvalidInput(problems)
    experiments = [experiment_named(store, each) for each in dict.fromkeys(name)]
    page = report_of(experiments)
    if out is None or str(out) == "-":
        click.echo(page)
    else:
        replace_file(out, page.encode())
        titles = ", ".join(each.title for each in experiments)
        messages().print(f"{out}: {titles}, {len(page.encode()) // 1000} KB")
