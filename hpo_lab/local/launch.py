"""Starts a runner in the background, independent of the process that starts it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from hpo_lab.local.forked import can_fork
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["LOCAL", "RUNNER_LOG", "launch"]

LOCAL = "local"
"""The name of this place."""

RUNNER_LOG = "runner.log"


def launch(store: Store, record: ExperimentRecord, *, attached: bool = False) -> Path:
    """Run the experiment of *record* in a process of its own.

    Args:
        store: Where it is recorded.
        record: The experiment.
        attached: Whether the runner stops the experiment when this process ends; otherwise it
            outlives this process.

    Returns:
        The runner's log.
    """
    folder = store.folder(record.uid)
    template = record.document.spec.trial_template
    forks = can_fork((template.trial_spec if template else None) or {})
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / RUNNER_LOG
    words = [*(["forks"] if forks else []), *([f"attached={os.getpid()}"] if attached else [])]
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "hpo_lab.local", record.uid, *words],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            # The location may hold a password, and other users can read arguments.
            env={**os.environ, "HPO_LAB_STORE": store.location},
            start_new_session=True,
            cwd="/",
        )
    # Who ends before this process would stay in the table of processes, and Python would warn.
    threading.Thread(target=process.wait, name="hpo-lab-runner", daemon=True).start()
    return log
