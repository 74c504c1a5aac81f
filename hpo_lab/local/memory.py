"""How much memory a trial uses."""

from __future__ import annotations

import contextlib

import psutil

__all__ = ["memory_in_use"]


def memory_in_use(pid: int) -> int:
    """Bytes of memory resident in a process and all of its descendants.

    A machine runs out of resident memory. `RLIMIT_AS` would limit address space, of which
    numerical libraries reserve gigabytes that they never use. The memory of a fork includes
    the set-up that it shares: the same trial in a kernel of its own would hold it too.
    """
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for member in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += member.memory_info().rss
    return total
