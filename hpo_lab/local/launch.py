"""Starts a runner in the background, independent of the process that starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hpo_lab.local.forked import can_fork
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["RUNNER_LOG", "launch"]

RUNNER_LOG = "runner.log"


def launch(store: Store, record: ExperimentRecord) -> Path:
    """Run the experiment of *record* in a process of its own, which outlives this process.

    Returns:
        The runner's log.
    """
    folder = store.folder(record.uid)
    template = record.document.spec.trial_template
    job = (template.trial_spec if template else None) or {}
    forks = [job["kind"]] if can_fork(job) else []
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / RUNNER_LOG
    with log.open("ab") as file:
        subprocess.Popen(
            [sys.executable, "-m", "hpo_lab.local", record.uid, *forks],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            # The location may hold a password, and other users can read arguments.
            env={**os.environ, "HPO_LAB_STORE": store.location},
            start_new_session=True,
            cwd="/",
        )
    return log
