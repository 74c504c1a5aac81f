"""Processes that must not outlive others, and ending all of them."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterable

__all__ = ["end_all", "end_descendants", "end_with_parent", "reap_orphans"]

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# Found once: a fork that looks for a name touches pages of every library that is loaded.
_LIBC_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def _prctl(option: int, value: int) -> None:
    if _LIBC_PRCTL is not None:
        _LIBC_PRCTL(option, value, 0, 0, 0)


def end_with_parent(signum: int) -> None:
    """Have this process signalled when its parent dies (Linux; elsewhere nothing)."""
    _prctl(_PR_SET_PDEATHSIG, signum)


def reap_orphans() -> None:
    """Make this process the parent of its orphaned descendants (Linux; elsewhere nothing)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_descendants(grace: float) -> None:
    """End every descendant of this process, also those started meanwhile.

    Args:
        grace: Seconds between SIGTERM and SIGKILL.
    """
    import psutil

    me = psutil.Process()
    while found := me.children(recursive=True):
        end_all(found, grace)


def end_all(processes: Iterable[object], grace: float) -> None:
    """Ask *processes* (of psutil) to end, and kill those that did not in *grace* seconds."""
    import psutil

    known = [process for process in processes if isinstance(process, psutil.Process)]
    for process in known:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(known, timeout=grace)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=grace)
