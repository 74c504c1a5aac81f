"""The runner of an experiment whose trials run on this machine."""

from __future__ import annotations

from hpo_lab.execution.client import ForkServer
from hpo_lab.local.place import LocalPlace
from hpo_lab.running.driver import Driver
from hpo_lab.store import Store

__all__ = ["local_runner"]


def local_runner(store: Store, uid: str, server: ForkServer | None = None) -> Driver:
    """A runner of the experiment *uid* of *store*, whose trials are processes of this machine.

    Args:
        store: Where the experiment is recorded.
        uid: The experiment.
        server: A fork server that waits for a set-up, for trials that are forked.
    """
    return Driver(store, uid, LocalPlace(store.make_folder(uid), server))
