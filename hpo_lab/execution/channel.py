"""Standard input as a channel: how a server process is talked to."""

from __future__ import annotations

import os
import signal
import socket

from hpo_lab.trial.processes import end_with_parent, reap_orphans

__all__ = ["open_channel"]


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
