"""Ends processes with their parent, and ends all descendants of a process."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterable

__all__ = ["end_all", "end_descendants", "end_with_parent", "reap_orphans"]

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# Resolved at import: the lookup in a fork would touch pages of every loaded library.
_LIBC_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def _prctl(option: int, value: int) -> None:
    if _LIBC_PRCTL is not None:
        _LIBC_PRCTL(option, value, 0, 0, 0)


def end_with_parent(signum: int) -> None:
    """Send this process *signum* when its parent dies; does nothing outside Linux."""
    _prctl(_PR_SET_PDEATHSIG, signum)


def reap_orphans() -> None:
    """Make this process the parent of its orphaned descendants; does nothing outside Linux."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_descendants(grace: float) -> None:
    """End every descendant of this process, including descendants that start meanwhile.

    Args:
        grace: Seconds between SIGTERM and SIGKILL.
    """
    import psutil

    me = psutil.Process()
    while descendants := me.children(recursive=True):
        end_all(descendants, grace)


def end_all(processes: Iterable[object], grace: float) -> None:
    """Terminate *processes* (of psutil), and kill those that still run after *grace* seconds."""
    import psutil

    ours = [process for process in processes if isinstance(process, psutil.Process)]
    for process in ours:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(ours, timeout=grace)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=grace)
