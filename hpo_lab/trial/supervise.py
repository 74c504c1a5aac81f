"""The supervisor of a trial's processes, or of all trials of a fork server.

As a program: `python -m hpo_lab.trial.supervise FOLDER PARENT [MODULE]`.

A trial starts processes of its own: a kernel, data loaders, shell commands. The supervisor
is their ancestor and runs none of the user's code. It ends all of them when the trial is
over, when it receives SIGTERM, and when the runner above it disappears. On Linux the
supervisor becomes the parent of the trial's orphans (`PR_SET_CHILD_SUBREAPER`) and gets a
signal when its own parent dies (`PR_SET_PDEATHSIG`); elsewhere it notices a new parent
within a second.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from hpo_lab.trial.folder import TRIAL_FOLDER, mark_interrupted
from hpo_lab.trial.processes import end_descendants, end_with_parent, reap_orphans

__all__ = ["GRACE", "RUNTIME", "start_supervisor", "supervise"]

GRACE = 5.0
"""Seconds between asking a trial's processes to end and killing them."""

RUNTIME = "JUPYTER_RUNTIME_DIR"
"""Environment variable with the folder for sockets; Jupyter reads it too."""

_POLL = 1.0
# No folder of anything else has both: what is swept is removed with all that is in it.
_PREFIX = "hpo-run-"
_LOCK = ".hpo-lab-supervisor"


def start_supervisor(
    folder: Path, module: str, *, stdin: int, log: BinaryIO, cwd: str | None = None
) -> subprocess.Popen[bytes]:
    """Start a supervisor as a child of this process; it ends with this process.

    Args:
        folder: The trial's folder, or a folder that no other supervisor uses.
        module: The module that the supervisor runs, with the folder as its argument.
        stdin: The standard input of the supervisor and the module.
        log: Gets the output of the supervisor and of all processes below it.
        cwd: Working directory of both; None for the working directory of this process.
    """
    return subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "hpo_lab.trial.supervise"),
            *(str(folder), str(os.getpid()), module),
        ],
        stdin=stdin,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env={**os.environ, TRIAL_FOLDER: str(folder), "PYTHONUNBUFFERED": "1"},
        # Only the runner handles a Ctrl-C in its terminal.
        start_new_session=True,
    )


def supervise(folder: Path, parent: int, module: str = "hpo_lab.trial.work") -> int:
    """Run the trial of *folder* in a child process until it ends or must end.

    Args:
        folder: The trial's folder, or the folder of several trials.
        parent: The process that started this process; the trial ends with the parent.
        module: The module that runs the trial, with the folder as its argument. It gets the
            standard input of this process.

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

    with _runtime() as runtime:
        environment = {**os.environ, TRIAL_FOLDER: str(folder), RUNTIME: runtime}
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(folder)],
            env=environment,
            preexec_fn=_end_with_supervisor,
        )
        _sweep()
        while worker.poll() is None and not asked_to_end and os.getppid() == parent:
            select.select([wake], [], [], _POLL)
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 512)
        code = worker.poll()
        if code is None:
            mark_interrupted(folder)
        end_descendants(GRACE)
        if code is None:
            return 128 + signal.SIGTERM
        return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _runtime() -> Iterator[str]:
    """A folder of this supervisor for sockets, which is locked for as long as it lives.

    Paths of sockets must be short, and the sockets of killed kernels must not pile up.
    """
    folder = tempfile.mkdtemp(prefix=_PREFIX)
    new = Path(folder) / f"{_LOCK}-new"
    with new.open("xb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Nobody finds the lock before it is held.
        new.rename(new.with_name(_LOCK))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Remove the folders of supervisors of this user that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            with (folder / _LOCK).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)


def _end_with_supervisor() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    end_with_parent(signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(supervise(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
