"""`hpo-lab enqueue`."""

from __future__ import annotations

import click

from hpo_lab.cli.options import experiment_named, json_option, name_argument, store_option
from hpo_lab.cli.output import messages, print_json
from hpo_lab.experiment.points import read_point
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["enqueue_command"]


@click.command("enqueue")
@name_argument
@click.argument("values", nargs=-1, metavar="PARAMETER=VALUE...")
@store_option
@json_option
def enqueue_command(name: str, values: tuple[str, ...], store: str | None, as_json: bool) -> None:
    """Have these values tried in the next new trial; parameters left out are drawn."""
    problems = [
        Problem(text, "is no value of a parameter; write it as PARAMETER=VALUE")
        for text in values
        if "=" not in text
    ]
    if problems:
        raise InvalidInput(problems)
    experiment = experiment_named(store, name)
    texts = dict(text.split("=", 1) for text in values)
    point = read_point(experiment.record.document.spec.parameters, texts)
    outlook = experiment.enqueue(point)
    messages().print(f"{outlook}.", soft_wrap=True)
    if as_json:
        print_json({"name": experiment.name, "point": point, "outlook": outlook})
