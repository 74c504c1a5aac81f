"""The stores that a server shows, with what it remembers of their experiments."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hpo_lab.facade.experiments import Experiments
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Summary
from hpo_lab.store import NotFound
from hpo_lab.store.location import Location

__all__ = ["Stores"]

_REMEMBERED = 32
"""Of so many experiments the trials are kept in memory."""


class Stores:
    """The stores by name; for many threads.

    A store is opened at the first request, and one that does not exist yet is not made.
    """

    def __init__(self, locations: Sequence[str | None]) -> None:
        """Show stores.

        Args:
            locations: Paths of SQLite files or URLs of databases; None is the user's own.

        Raises:
            InvalidInput: One of them cannot be read.
        """
        # Two stores may have files of one name.
        self._stores = {str(Location.parse(each)): Experiments(each, "") for each in locations}
        self._lock = threading.Lock()
        self._handles: OrderedDict[str, tuple[Experiment, threading.Lock]] = OrderedDict()

    @property
    def names(self) -> list[str]:
        """Where the stores are, without passwords; the first is that of new experiments."""
        return list(self._stores)

    def experiments(self, name: str = "") -> Experiments:
        """The experiments of the store *name*, by default of the first.

        Raises:
            NotFound: The server shows no such store.
        """
        try:
            return self._stores[name or self.names[0]]
        except KeyError:
            raise NotFound(f"no store {name!r} is shown; there are {self.names}") from None

    def name_of(self, experiment: Experiment) -> str:
        """The name of the store that *experiment* is in."""
        return str(Location.parse(experiment.store.location))

    def summaries(self) -> Iterator[tuple[str, Summary]]:
        """Every experiment of every store at a glance, with the name of its store."""
        for name, experiments in self._stores.items():
            for summary in experiments.list(everywhere=True):
                yield name, summary

    @contextmanager
    def experiment(self, uid: str) -> Iterator[Experiment]:
        """The handle of the experiment *uid*, which no other thread uses meanwhile.

        Raises:
            NotFound: No store has it.
        """
        with self._lock:
            handle = self._handles.get(uid)
        # A store that is slow holds up its own questions alone.
        handle = handle or (self._find(uid), threading.Lock())
        with self._lock:
            experiment, lock = self._handles.setdefault(uid, handle)
            self._handles.move_to_end(uid)
            while len(self._handles) > _REMEMBERED:
                self._handles.popitem(last=False)
        with lock:
            try:
                yield experiment
            except NotFound:
                with self._lock:
                    self._handles.pop(uid, None)
                raise

    def _find(self, uid: str) -> Experiment:
        for experiments in self._stores.values():
            try:
                return experiments.get(uid)
            except NotFound:
                continue
        raise NotFound(f"no experiment has the uid {uid}")
