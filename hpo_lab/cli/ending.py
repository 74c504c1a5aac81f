"""`hpo-lab stop` and `hpo-lab delete`."""

from __future__ import annotations

import sys

import click

from hpo_lab.cli.arguments import PlainCommand
from hpo_lab.cli.naming import experiment_named
from hpo_lab.cli.options import json_option, name_argument, store_option
from hpo_lab.cli.output import messages, print_json
from hpo_lab.counting import counted
from hpo_lab.dashboard.marks import experiment_state
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["delete_command", "stop_command"]


@click.command("stop", cls=PlainCommand)
@name_argument
@click.option("--wait", is_flag=True, help="Wait until nothing runs any more.")
@store_option
@json_option
def stop_command(name: str, wait: bool, store: str | None, as_json: bool) -> None:
    """Stop a running experiment; its interrupted trials run again when it is resumed."""
    experiment = experiment_named(store, name)
    title = experiment.title
    if experiment.stop():
        if wait:
            experiment.wait()
        text = f"{title} is {'stopped' if wait else 'stopping'}"
        resume = experiment.store.command(f"resume {title}")
        messages().print(f"{text}. To continue: {resume}", soft_wrap=True)
    else:
        _, state = experiment_state(experiment.summary())
        messages().print(f"{title} is not running ({state}).")
    if as_json:
        print_json({"name": experiment.name, "state": experiment.state})


@click.command("delete", cls=PlainCommand)
@name_argument
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@store_option
@json_option
def delete_command(name: str, yes: bool, store: str | None, as_json: bool) -> None:
    """Delete an experiment, its trials and their files; a running one is stopped first."""
    experiment = experiment_named(store, name)
    if not yes:
        if not sys.stdin.isatty():
            raise InvalidInput([Problem("--yes", "is needed where nobody can be asked")])
        trials = counted(sum(experiment.summary().counts.values()), "trial")
        text = f"Delete {experiment.title} with {trials} and all files?"
        click.confirm(text, abort=True, err=True)
    experiment.delete()
    messages().print(f"{experiment.title} is deleted.")
    if as_json:
        print_json({"name": experiment.name, "deleted": True})
