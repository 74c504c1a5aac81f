"""The beginning and the end of a forked process that runs a notebook."""

from __future__ import annotations

import atexit
import gc
import os
import signal
from collections.abc import Mapping
from typing import Any

from hpo_lab.trial.processes import end_descendants, end_with_parent, reap_orphans
from hpo_lab.trial.supervise import GRACE

__all__ = ["end_own_processes", "finalise", "get_ready", "leave_parent"]


def get_ready() -> None:
    """Do once, in a process that is to be forked, what every fork would have to do.

    What the set-up registered for the end is about things that all forks use. A fork ends
    when it is asked to, and takes no signals of its parent's children.
    """
    atexit._clear()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def leave_parent(*descriptors: int) -> None:
    """Undo in a fork what belongs to its parent, with which it is to end.

    Args:
        *descriptors: What the parent alone uses.
    """
    end_with_parent(signal.SIGKILL)
    reap_orphans()
    os.setsid()
    for descriptor in descriptors:
        os.close(descriptor)


def finalise(namespace: dict[str, Any], before: Mapping[str, Any]) -> None:
    """Do what the end of an interpreter would do: exit handlers run, files are written out.

    Args:
        namespace: The variables of the notebook.
        before: Those at the beginning of the fork, which other forks still use.
    """
    atexit._run_exitfuncs()
    for name in [n for n, value in namespace.items() if before.get(n, namespace) is not value]:
        del namespace[name]
    gc.collect()


def end_own_processes() -> None:
    """End every process below this process."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return
    end_descendants(GRACE)
