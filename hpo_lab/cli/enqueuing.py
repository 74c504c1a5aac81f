"""`hpo-lab enqueue`."""

from __future__ import annotations

import click

from hpo_lab.cli.arguments import PlainCommand
from hpo_lab.cli.naming import experiment_named
from hpo_lab.cli.options import json_option, name_argument, store_option
from hpo_lab.cli.output import messages, print_json
from hpo_lab.experiment.points import read_point

__all__ = ["enqueue_command"]


class _Assignment(click.ParamType[str]):
    name = "PARAMETER=VALUE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if "=" not in value:
            self.fail(f"{value!r} is no value of a parameter; write it as {self.name}", param, ctx)
        return value


@click.command("enqueue", cls=PlainCommand)
@name_argument
@click.argument("values", nargs=-1, type=_Assignment(), metavar="PARAMETER=VALUE...")
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
