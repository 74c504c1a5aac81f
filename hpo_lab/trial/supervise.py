"""Keeps the processes of one trial together, or those of all that one server runs.

As a program: `python -m hpo_lab.trial.supervise FOLDER PARENT [MODULE]`.

A trial starts processes of its own: a kernel, data loaders, shell commands. The supervisor
stands above them, runs none of the user's code, and ends every one of them when the trial
is over, when it is told to (SIGTERM), and when the runner above it disappears. On Linux
orphans of the trial are handed to it (`PR_SET_CHILD_SUBREAPER`) and it is signalled when its
parent dies (`PR_SET_PDEATHSIG`); elsewhere it notices a new parent within a second.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from hpo_lab.trial.folder import TRIAL_FOLDER
from hpo_lab.trial.processes import end_descendants, end_with_parent, reap_orphans

__all__ = ["GRACE", "RUNTIME", "start_supervisor", "supervise"]

GRACE = 5.0
"""Seconds between asking a trial's processes to end and killing them."""

RUNTIME = "JUPYTER_RUNTIME_DIR"
"""Environment variable with the folder for sockets, which Jupyter knows too."""

_POLL = 1.0


def start_supervisor(
    folder: Path, module: str, *, stdin: int, log: BinaryIO, cwd: str | None = None
) -> subprocess.Popen[bytes]:
    """Start a supervisor below this process, with which it ends.

    Args:
        folder: The trial's folder, or another one that is nobody else's.
        module: What runs below it, with the folder as its argument.
        stdin: The standard input of both.
        log: Gets what both print, and the processes below them.
        cwd: Working directory of both; None for that of this process.
    """
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "hpo_lab.trial.supervise"),
            *(str(folder), str(os.getpid()), module),
        ],
        stdin=stdin,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env={**os.environ, TRIAL_FOLDER: str(folder), "PYTHONUNBUFFERED": "1"},
        # A Ctrl-C in the runner's terminal is the runner's to handle.
        start_new_session=True,
    )


def supervise(folder: Path, parent: int, module: str = "hpo_lab.trial.work") -> int:
    """Run the trial of *folder* in a child process until it ends or must end.

    Args:
        folder: The trial's folder, or the folder of several trials.
        parent: The process that started this one; the trial ends with it.
        module: What runs it, with the folder as its argument. It gets the standard input of
            this process.

    Returns:
        The exit code of the trial's process, or 128 plus the signal that ended it.
    """
    asked_to_end = False

    def ask_to_end(_signal: int, _frame: object) -> None:
        nonlocal asked_to_end
        asked_to_end = True

    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGTERM, ask_to_end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
    signal.set_wakeup_fd(woken)
    end_with_parent(signal.SIGTERM)
    reap_orphans()

    # Sockets of kernels have short names, and those of a killed kernel must not pile up.
    runtime = tempfile.mkdtemp(prefix="hpo-")
    environment = {**os.environ, TRIAL_FOLDER: str(folder), RUNTIME: runtime}
    worker = subprocess.Popen(
        [sys.executable, "-m", module, str(folder)],
        env=environment,
        preexec_fn=_end_with_supervisor,
    )
    try:
        while worker.poll() is None and not asked_to_end and os.getppid() == parent:
            select.select([wake], [], [], _POLL)
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 512)
        code = worker.poll()
        end_descendants(GRACE)
        if code is None:
            return 128 + signal.SIGTERM
        return code if code >= 0 else 128 - code
    finally:
        shutil.rmtree(runtime, ignore_errors=True)


def _end_with_supervisor() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    end_with_parent(signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(supervise(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
