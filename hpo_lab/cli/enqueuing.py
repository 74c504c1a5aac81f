"""`hpo-lab enqueue`."""

from __future__ import annotations

import click

from hpo_lab.cli.arguments import PlainCommand
from hpo_lab.cli.naming import experiment_named
from hpo_lab.cli.options import json_option, name_argument, store_option
from hpo_lab.cli.output import messages, print_json
from hpo_lab.experiment.points import read_point

__all__ = ["enqueue_command"]


def _assignment(text: str) -> str:
    if "=" not in text:
        raise click.BadParameter(
            f"{text!r} is no value of a parameter; write it as PARAMETER=VALUE"
        )
    return text


@click.command("enqueue", cls=PlainCommand)
@name_argument
@click.argument("values", nargs=-1, type=_assignment, metavar="PARAMETER=VALUE...")
@store_option
@json_option
def enqueue_command(name: str, values: tuple[str, ...], store: str | None, as_json: bool) -> None:
    """Have these values tried in the next new trial; parameters left out are drawn."""
    experiment = experiment_named(store, name)
    texts = dict(text.split("=", 1) for text in values)
    point = read_point(experiment.record.document.spec.parameters, texts)
    outlook = experiment.enqueue(point)
    messages().print(f"{outlook}.", soft_wrap=True)
    if as_json:
        print_json({"name": experiment.name, "point": point, "outlook": outlook})
