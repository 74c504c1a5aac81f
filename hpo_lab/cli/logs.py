"""`hpo-lab logs`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from hpo_lab.cli.options import json_option, name_argument, store_option
from hpo_lab.cli.output import messages, print_json
from hpo_lab.cli.records import find, latest, title
from hpo_lab.dashboard.summary import is_live
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.local.launch import RUNNER_LOG
from hpo_lab.local.place import trial_folder
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.store import ExperimentRecord, Store
from hpo_lab.trial.folder import LOG

__all__ = ["logs_command"]

_EVERY = 0.2


@click.command("logs")
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
    opened, record = find(store, name)
    if runner:
        number, path, what = None, opened.folder(record.uid) / RUNNER_LOG, "the runner"
    else:
        number = _chosen(opened.trials(record.uid), trial, title(record))
        path, what = trial_folder(opened.folder(record.uid), number) / LOG, f"trial {number}"
    if not path.exists():
        raise InvalidInput([Problem(what, "has no log on this machine")])
    if as_json:
        text = path.read_text(errors="replace")
        print_json({"trial": number, "path": str(path), "text": text})
        return
    messages().print(f"Log of {what}: {path}", style="dim")
    _print(path, _still_writing(opened, record, number) if follow else lambda: False)


def _chosen(trials: Sequence[Trial], wanted: int | None, name: str) -> int:
    """The number of the trial whose log is meant.

    Raises:
        InvalidInput: when there is no such trial, or none at all.
    """
    numbers = [trial.number for trial in trials]
    if wanted is not None:
        if wanted in numbers:
            return wanted
        there = f"there are 0 to {max(numbers)}" if numbers else "there are none yet"
        raise InvalidInput([Problem(f"trial {wanted}", f"no such trial of {name}; {there}")])
    wrong = (TrialState.FAILED, TrialState.METRICS_UNAVAILABLE)
    failed = [trial for trial in trials if trial.state in wrong]
    started = failed or [trial for trial in trials if trial.started_at is not None]
    if not started:
        raise InvalidInput([Problem(name, "no trial was started yet")])
    return max(started, key=lambda trial: trial.completed_at or trial.started_at or 0.0).number


def _still_writing(
    store: Store, record: ExperimentRecord, number: int | None
) -> Callable[[], bool]:
    def still_writing() -> bool:
        live = is_live(latest(store, record), time.time())
        if number is None or not live:
            return live
        found = store.trial(record.uid, number)
        return found is not None and not found.trial.is_final

    return still_writing


def _print(path: Path, still_writing: Callable[[], bool]) -> None:
    with path.open(encoding="utf-8", errors="replace") as file:
        while True:
            # Asked first, so that what was written before the end is printed.
            more = still_writing()
            sys.stdout.write(file.read())
            sys.stdout.flush()
            if not more:
                return
            time.sleep(_EVERY)
