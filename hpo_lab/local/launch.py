"""Starts a runner in the background, independent of the process that starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hpo_lab.local.forked import can_fork
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["LOCAL", "RUNNER_LOG", "launch"]

LOCAL = "local"
"""The name of this place."""

RUNNER_LOG = "runner.log"


class _Runner(subprocess.Popen[bytes]):
    """A process that may outlive this process, of which Python would warn."""

    def __del__(self, *_: object) -> None:
        return


_runners: list[_Runner] = []


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
    folder = store.make_folder(record.uid)
    template = record.document.spec.trial_template
    job = (template.trial_spec if template else None) or {}
    forks = [job["kind"]] if can_fork(job) else []
    log = folder / RUNNER_LOG
    words = [*forks, *([f"attached={os.getpid()}"] if attached else [])]
    with log.open("ab") as file:
        process = _Runner(
            [sys.executable, "-P", "-m", "hpo_lab.local", record.uid, *words],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            # The location may hold a password, and other users can read arguments.
            env={**os.environ, "HPO_LAB_STORE": store.location},
            start_new_session=True,
            cwd="/",
        )
    # Those that have ended leave the system's table of processes when they are asked.
    _runners[:] = [runner for runner in [*_runners, process] if runner.poll() is None]
    return log
