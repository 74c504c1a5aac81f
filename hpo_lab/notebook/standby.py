"""A worker that waits for its trial: `python -m hpo_lab.notebook.standby FOLDER`.

What a kernel takes to start is spent before there is a slot for the trial. Standard input
says with a line `{"kernel": NAME, "directory": PATH}` what to start, and with another one
that the task is in the folder; its end ends the worker.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from hpo_lab.notebook import run
from hpo_lab.notebook.kernel import start_kernel
from hpo_lab.trial.checkpoint import CHECKPOINT_DIR, checkpoint_folder
from hpo_lab.trial.work import work

__all__ = ["main"]


def main(folder: Path) -> int:
    """Start a kernel, wait for the task and run it; the exit code."""
    wanted = json.loads(sys.stdin.readline())
    # The kernel has this environment; the folder itself is made when the trial begins.
    os.environ[CHECKPOINT_DIR] = checkpoint_folder(folder)
    try:
        run.kernel = start_kernel(wanted["kernel"], wanted["directory"])
    except Exception as error:
        # The trial meets it again, and fails with it.
        print(f"No kernel could be started ahead: {error}", file=sys.stderr)
    if not sys.stdin.readline():
        return 0
    return 0 if work(folder).succeeded else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
