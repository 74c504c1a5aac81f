"""Runs notebook trials one after the other: `python -m hpo_lab.execution.kernel_worker FOLDER`.

What this process has imported serves all of them. None of their code runs in it: every trial
has a kernel of its own, which may be started before there is a slot for the trial. Standard
input is a socket. A line with a `KernelRequest` says for which trial to start which kernel,
and a line with `BEGIN` that the trial's task is in its folder. The answer is a byte, the
exit code of the trial, once its processes have ended. When the socket closes, this process
ends.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hpo_lab.execution import kernel_trial
from hpo_lab.quick_import import import_nbformat
from hpo_lab.trial.checkpoint import CHECKPOINT_DIR, checkpoint_folder
from hpo_lab.trial.folder import LOG, TRIAL_FOLDER, open_own
from hpo_lab.trial.processes import end_descendants, reap_orphans
from hpo_lab.trial.supervise import GRACE, RUNTIME
from hpo_lab.trial.work import work

__all__ = ["BEGIN", "KernelRequest", "main"]

BEGIN: Mapping[str, Any] = {}
"""Says that the trial can begin."""


class KernelRequest(NamedTuple):
    """The folder of a trial, and the kernel to start for it: its name and its directory."""

    folder: str
    kernel: str
    directory: str


def main() -> None:
    """Run the trials that standard input tells of, until it ends."""
    reap_orphans()
    environment = dict(os.environ)
    while line := sys.stdin.readline():
        request = KernelRequest(**json.loads(line))
        # The sockets of a kernel, and the file that names them, go with its trial.
        with tempfile.TemporaryDirectory(dir=environment[RUNTIME]) as runtime:
            _prepare(request, runtime)
            if not sys.stdin.readline():
                return
            code = 0 if work(Path(request.folder)).succeeded else 1
            kernel_trial.kernel = None
            end_descendants(GRACE)
        os.environ.clear()
        os.environ.update(environment)
        os.write(sys.stdin.fileno(), bytes([code]))


def _prepare(request: KernelRequest, runtime: str) -> None:
    """Be the process of a trial from now on, and start its kernel, which inherits that."""
    folder = request.folder
    log = open_own(f"{folder}/{LOG}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ[TRIAL_FOLDER] = folder
    # The folder itself is made when the trial begins.
    os.environ[CHECKPOINT_DIR] = checkpoint_folder(folder)
    os.environ[RUNTIME] = runtime
    try:
        import_nbformat()
        from hpo_lab.execution.kernel_engine import start_kernel

        kernel_trial.kernel = start_kernel(request.kernel, request.directory)
    except Exception as error:
        # The trial meets the error again, and fails with it.
        print(f"No kernel could be started ahead: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
