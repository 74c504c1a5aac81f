"""Runs a trial in this process: `python -m hpo_lab.trial.work FOLDER`."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from hpo_lab.observation import Outcome
from hpo_lab.trial.checkpoint import open_checkpoint
from hpo_lab.trial.folder import TRIAL_FOLDER, Task, write_outcome
from hpo_lab.trial.trial_kinds import TrialFailed, trial_kind

__all__ = ["perform", "work"]


def work(folder: Path) -> Outcome:
    """Run the trial of *folder* and write its outcome there."""
    os.environ[TRIAL_FOLDER] = str(folder)

    def run() -> None:
        task = Task.read(folder)
        open_checkpoint(folder, task.parent)
        trial_kind(task.kind)(task, folder)

    return perform(run, folder)


def perform(run: Callable[[], None], folder: Path | str) -> Outcome:
    """Run a trial by *run* and write into its *folder* how that ended.

    Any exception of the trial's code, `SystemExit` included, makes a failed trial with its
    traceback. Only a killed process writes no outcome.
    """
    try:
        run()
        outcome = Outcome(succeeded=True, completed_at=time.time())
    except TrialFailed as error:
        outcome = Outcome(False, time.time(), str(error), error.traceback)
    except BaseException as error:
        outcome = Outcome(False, time.time(), _line(error), traceback.format_exc())
        print(outcome.traceback, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    write_outcome(outcome, folder)
    return outcome


def _line(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()


if __name__ == "__main__":
    sys.exit(0 if work(Path(sys.argv[1])).succeeded else 1)
