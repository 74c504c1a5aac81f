"""`hpo-lab stop` and `hpo-lab delete`."""

from __future__ import annotations

import sys
import time

import click

from hpo_lab.api import Experiment
from hpo_lab.cli.options import json_option, name_argument, store_option
from hpo_lab.cli.output import messages, print_json
from hpo_lab.cli.records import find, title
from hpo_lab.dashboard.summary import is_live
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["delete_command", "stop_command"]


def _handle(store: Store, record: ExperimentRecord) -> Experiment:
    return Experiment(store, record.uid, record.name, record.namespace)


@click.command("stop")
@name_argument
@click.option("--wait", is_flag=True, help="Wait until nothing runs any more.")
@store_option
@json_option
def stop_command(name: str, wait: bool, store: str | None, as_json: bool) -> None:
    """Stop a running experiment; its interrupted trials run again when it is resumed."""
    opened, record = find(store, name)
    experiment = _handle(opened, record)
    if is_live(record, time.time()):
        experiment.stop()
        if wait:
            experiment.wait()
        text = f"{title(record)} is {'stopped' if wait else 'stopping'}"
        messages().print(f"{text}. To continue: hpo-lab resume {title(record)}")
    else:
        messages().print(f"{title(record)} is not running ({experiment.state}).")
    if as_json:
        print_json({"name": record.name, "state": experiment.state})


@click.command("delete")
@name_argument
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@store_option
@json_option
def delete_command(name: str, yes: bool, store: str | None, as_json: bool) -> None:
    """Delete an experiment, its trials and their files; a running one is stopped first."""
    opened, record = find(store, name)
    if not yes:
        if not sys.stdin.isatty():
            raise InvalidInput([Problem("--yes", "is needed where nobody can be asked")])
        count = len(opened.trials(record.uid))
        click.confirm(
            f"Delete {title(record)} with {count} trials and their files?", abort=True, err=True
        )
    _handle(opened, record).delete()
    messages().print(f"{title(record)} is deleted.")
    if as_json:
        print_json({"name": record.name, "deleted": True})
