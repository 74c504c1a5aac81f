"""Standard input as a channel: how a server process is talked to."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Iterable

from hpo_lab.trial.processes import end_with_parent, reap_orphans

__all__ = ["open_channel", "readable"]


def open_channel() -> socket.socket:
    """Begin as a server: the socket at descriptor 0, which becomes empty input as in a kernel.

    The process ends with its parent, and adopts what its forks leave.
    """
    channel = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(signal.SIGKILL)
    reap_orphans()
    return channel


def readable(descriptors: Iterable[int], timeout: float | None) -> set[int]:
    """Those of *descriptors* that can be read, after at most *timeout* seconds; None for no limit.

    `select.select` knows no descriptors from 1024 on.
    """
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    milliseconds = None if timeout is None else max(0, round(timeout * 1000))
    return {descriptor for descriptor, _ in poll.poll(milliseconds)}
