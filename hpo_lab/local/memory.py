"""How much memory a trial uses."""

from __future__ import annotations

import contextlib

import psutil

__all__ = ["memory_in_use"]


def memory_in_use(pid: int) -> int:
    """Bytes of memory resident in a process and all below it.

    Resident memory is what the machine runs out of; address space, which `RLIMIT_AS` bounds,
    is reserved by the gigabyte by numerical libraries that never use it. A fork counts the
    set-up that it shares: the same trial in a kernel of its own would hold it too.
    """
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += each.memory_info().rss
    return total
