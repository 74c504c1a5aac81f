"""Telling browsers that experiments changed, through the events of Jupyter Server."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from hpo_lab.facade.follower import looks
from hpo_lab.facade.summary import state_of
from hpo_lab.server.stores import Stores
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["CHANGED", "ChangeEvents"]

CHANGED: Final = "https://events.hpolab.dev/experiments-changed/v1"
"""The schema of the event; `events/experiments-changed.yaml`."""

_KEPT_UP = 180.0
"""Seconds after the last request for which stores are watched."""
_ASK_AGAIN = 5.0
"""Seconds between two looks for a store that does not exist yet, or cannot be opened."""
_PATIENCE = 5.0
"""Seconds for which the end of watching is waited for."""

_log = logging.getLogger(__name__)


class ChangeEvents:
    """Watches the stores while browsers ask, and tells which experiments changed.

    A store without requests costs nothing.
    """

    def __init__(self, stores: Stores, tell: Callable[[Mapping[str, Any]], None]) -> None:
        """Watch *stores*.

        Args:
            stores: What to watch.
            tell: Called, in a thread of its own, with the data of an event.
        """
        self._stores = stores
        self._tell = tell
        self._until = 0.0
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}

    def keep_up(self) -> None:
        """Watch for the next three minutes."""
        self._until = time.monotonic() + _KEPT_UP
        with self._lock:
            for name in self._stores.names:
                thread = self._threads.get(name)
                if self._closed.is_set() or (thread is not None and thread.is_alive()):
                    continue
                thread = threading.Thread(
                    target=self._watch, args=(name,), name=f"hpo-lab-changes-{name}", daemon=True
                )
                self._threads[name] = thread
                thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._closed.set()
        for thread in [*self._threads.values()]:
            thread.join(_PATIENCE)

    def _is_over(self) -> bool:
        return self._closed.is_set() or time.monotonic() > self._until

    def _watch(self, name: str) -> None:
        told = ""
        while not self._is_over():
            try:
                self._watch_while_it_answers(name)
            except Exception as error:
                reason = str(error).replace("\n", " ")
                if reason != told:
                    _log.warning("%s is not watched: %s", name, reason)
                told = reason
                self._closed.wait(_ASK_AGAIN)

    def _watch_while_it_answers(self, name: str) -> None:
        experiments = self._stores.experiments(name)
        before: dict[str, tuple[int, str]] | None = None
        while not experiments.is_there:
            # All that it will hold is new.
            before = {}
            if self._closed.wait(_ASK_AGAIN) or self._is_over():
                return
        store = experiments.store
        states = _States(store)
        for after in looks(store, states.look, stop=self._is_over):
            if before is not None and before != after:
                self._tell(_difference(name, before, after))
            before = after


class _States:
    """The revision and the state of each experiment; one that rests costs nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._records: dict[str, ExperimentRecord] = {}

    def look(self) -> dict[str, tuple[int, str]]:
        """The experiments as they are now, by uid."""
        revisions, records = self._store.revisions(), {}
        for uid, revision in revisions.items():
            record = self._records.get(uid)
            # A runner that dies moves no revision.
            if record is None or record.revision != revision or record.lease is not None:
                record = self._store.experiment_by_uid(uid)
            if record is not None:
                records[uid] = record
        self._records, now = records, time.time()
        return {uid: (each.revision, state_of(each, now)) for uid, each in records.items()}


def _difference(
    store: str, before: Mapping[str, tuple[int, str]], after: Mapping[str, tuple[int, str]]
) -> dict[str, Any]:
    changed = [
        {"uid": uid, "revision": revision, "state": state}
        for uid, (revision, state) in after.items()
        if before.get(uid) != (revision, state)
    ]
    return {"store": store, "changed": changed, "deleted": sorted(before.keys() - after.keys())}
