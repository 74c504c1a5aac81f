"""`hpo-lab logs`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from hpo_lab.cli.arguments import PlainCommand
from hpo_lab.cli.naming import experiment_named
from hpo_lab.cli.options import json_option, name_argument, store_option
from hpo_lab.cli.output import messages, print_json
from hpo_lab.facade.handle import Experiment
from hpo_lab.printable import printable
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["logs_command"]

_EVERY = 0.2


@click.command("logs", cls=PlainCommand)
@name_argument
@click.argument("trial", type=int, required=False)
@click.option("--runner", is_flag=True, help="The log of the background runner instead.")
@click.option("--follow", "-f", is_flag=True, help="Go on until the trial or runner ends.")
@store_option
@json_option
def logs_command(
    name: str,
    trial: int | None,
    runner: bool,
    follow: bool,
    store: str | None,
    as_json: bool,
) -> None:
    """Print the log of a trial: what its code printed, and its traceback.

    Without TRIAL it is that of the trial that failed last, else of the one started last.
    """
    if follow and as_json:
        raise InvalidInput([Problem("--follow", "cannot be used with --json")])
    if runner and trial is not None:
        raise InvalidInput([Problem("--runner", "cannot be used with a trial's number")])
    experiment = experiment_named(store, name)
    if runner:
        number, path, what = None, experiment.log, "the runner"
    else:
        number = _telling(experiment) if trial is None else trial
        path, what = experiment.log_of(number), f"trial {number}"
    if not path.is_file():
        raise InvalidInput([Problem(what, "has no log on this machine")])
    if as_json:
        text = path.read_text(errors="replace")
        print_json({"trial": number, "path": str(path), "text": text})
        return
    messages().print(f"Log of {what}: {path}", style="dim")
    _print(path, _still_writing(experiment, number) if follow else lambda: False)


def _telling(experiment: Experiment) -> int:
    """The number of the trial whose log says most.

    Raises:
        InvalidInput: when none was started.
    """
    if failure := experiment.last_failure():
        return failure.number
    started = experiment.tally().latest(1)
    if not started:
        raise InvalidInput([Problem(experiment.title, "no trial was started yet")])
    return started[0].number


def _still_writing(experiment: Experiment, number: int | None) -> Callable[[], bool]:
    def still_writing() -> bool:
        live = experiment.is_live
        if number is None or not live:
            return live
        return not experiment.trial(number).is_final

    return still_writing


def _print(path: Path, still_writing: Callable[[], bool]) -> None:
    with path.open(encoding="utf-8", errors="replace") as file:
        while True:
            # Asked first, so that what was written before the end is printed.
            more = still_writing()
            sys.stdout.write(printable(file.read(), colours=True))
            sys.stdout.flush()
            if not more:
                return
            time.sleep(_EVERY)
