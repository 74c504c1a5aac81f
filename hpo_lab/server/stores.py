"""The stores that a server shows, with what it remembers of their experiments."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from hpo_lab.facade.experiments import Experiments
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Summary
from hpo_lab.problems import InvalidInput
from hpo_lab.server.glances import Glances
from hpo_lab.store import NotFound, StoreGone, StoreUnavailable, outage
from hpo_lab.store.location import Location

__all__ = ["Stores", "silence"]

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
        self._stores = {str(Location.parse(each)): Experiments(each, "") for each in locations}
        self._glances = {name: Glances(each) for name, each in self._stores.items()}
        self._lock = threading.Lock()
        self._handles: OrderedDict[str, tuple[Experiment, threading.Lock]] = OrderedDict()
        self.drawn: WeakKeyDictionary[Experiment, dict[Path, Any]] = WeakKeyDictionary()
        """Panels of experiments by their remembered handle and the folder of the notebook."""

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

    def summaries(
        self, uids: Collection[str] = ()
    ) -> tuple[list[tuple[str, Summary]], dict[str, str]]:
        """Experiments at a glance with the name of their store, and why stores do not answer.

        Args:
            uids: Of these alone; by default of all.
        """
        summaries, silent = [], {}
        for name, glances in self._glances.items():
            try:
                summaries += [(name, each) for each in glances.look(uids)]
            except Exception as error:
                silent[name] = _why(error)
        return summaries, silent

    def handle(self, uid: str) -> Experiment:
        """A handle of its own on the experiment *uid*, for what may take long.

        Raises:
            NotFound: No store has it.
            StoreUnavailable: A store that may have it does not answer.
        """
        silent = []
        for name, experiments in self._stores.items():
            try:
                return experiments.get(uid)
            except NotFound:
                continue
            except Exception as error:
                silent.append(f"{name}: {_why(error)}")
        if silent:
            raise StoreUnavailable("; ".join(silent))
        raise NotFound(f"no experiment has the uid {uid}")

    @contextmanager
    def experiment(self, uid: str) -> Iterator[Experiment]:
        """The remembered handle of the experiment *uid*, which no other thread uses meanwhile.

        Raises:
            NotFound: No store has it.
            StoreUnavailable: A store that may have it does not answer.
        """
        with self._lock:
            handle = self._handles.get(uid)
        # A store that is slow holds up its own questions alone.
        handle = handle or (self.handle(uid), threading.Lock())
        with self._lock:
            experiment, lock = self._handles.setdefault(uid, handle)
            self._handles.move_to_end(uid)
            while len(self._handles) > _REMEMBERED:
                self._handles.popitem(last=False)
        with lock:
            try:
                yield experiment
            except NotFound:
                # Of an experiment that is there, a trial or a file is missing.
                if experiment.store.experiment_by_uid(uid) is None:
                    with self._lock:
                        self._handles.pop(uid, None)
                raise


def silence(error: Exception) -> str:
    """Why a store does not answer; empty where *error* is of another kind."""
    return str(error) if isinstance(error, StoreUnavailable | StoreGone) else outage(error)


def _why(error: Exception) -> str:
    """Why a store cannot be opened or does not answer.

    Raises:
        Exception: *error*, where it is of another kind.
    """
    if isinstance(error, InvalidInput):
        return "; ".join(each.message for each in error.problems)
    if reason := silence(error):
        return reason
    raise error
