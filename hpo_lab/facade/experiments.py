"""The experiments of a store: find, list, run and watch them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

from hpo_lab.facade.follower import Follower, looks
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Summary
from hpo_lab.facade.tally import summarise
from hpo_lab.local.launch import LOCAL, launch
from hpo_lab.prepare import Prepared
from hpo_lab.problems import InvalidInput, Problem, nearest
from hpo_lab.running.enrol import Enrolment, enrol
from hpo_lab.running.places import start_runner
from hpo_lab.store import NotFound, Overview, Store, open_store
from hpo_lab.store.location import Location

__all__ = ["Experiments", "Listing"]


class Experiments:
    """The experiments of one store; looking at them never makes a store where there is none."""

    def __init__(self, store: Store | str | os.PathLike[str] | None = None) -> None:
        """Name a store, which is opened when it is needed.

        Args:
            store: It, or path of its SQLite file or URL of its database; by default
                `$HPO_LAB_STORE`, else the user's own store.
        """
        self._store = store if isinstance(store, Store) else None
        self._location = None if isinstance(store, Store) else store

    @property
    def store(self) -> Store:
        """The store, made where there is none.

        Raises:
            InvalidInput: when the location cannot be used.
        """
        if self._store is None:
            self._store = open_store(self._location)
        return self._store

    def _existing(self) -> Store | None:
        if self._store is None:
            path = Location.parse(self._location).path
            if path is not None and not path.exists():
                return None
        return self.store

    def find(self, name: str, namespace: str = "default") -> Experiment:
        """The experiment called *name*.

        Args:
            name: `NAME`, or `NAMESPACE/NAME`.
            namespace: Where *name* says none.

        Raises:
            InvalidInput: when there is none; the message names the nearest.
        """
        store = self._existing()
        given, slash, last = name.rpartition("/")
        record = store.experiment(last, given if slash else namespace) if store else None
        if store is None or record is None:
            titles = sorted(each.title for each in store.experiments()) if store else []
            there = f"known are {', '.join(titles)}" if titles else "there are none yet"
            hint = nearest(name, titles)
            raise InvalidInput([Problem(name, f"no such experiment; {there}{hint}")])
        return Experiment.of(store, record)

    def get(self, uid: str) -> Experiment:
        """The experiment with that uid.

        Raises:
            NotFound: when there is none.
        """
        store = self._existing()
        record = store.experiment_by_uid(uid) if store else None
        if store is None or record is None:
            raise NotFound(f"no experiment with uid {uid!r}")
        return Experiment.of(store, record)

    def list(self, namespace: str | None = None) -> list[Summary]:
        """Every experiment at a glance, the newest first; its trials are not read.

        Args:
            namespace: Of this one alone.
        """
        store = self._existing()
        if store is None:
            return []
        return [_glance(store, each, time.time()) for each in store.overviews(namespace)]

    def run(self, prepared: Prepared, *, attached: bool = False) -> tuple[Experiment, Enrolment]:
        """Enrol a prepared experiment and start a runner where one is needed.

        Args:
            prepared: The experiment.
            attached: Whether a runner on this machine stops it when this process ends.

        Raises:
            InvalidInput: when another experiment has the name.
        """
        record, enrolment = enrol(self.store, prepared.experiment, prepared.files)
        if enrolment in (Enrolment.CREATED, Enrolment.CONTINUED):
            if attached and record.place == LOCAL:
                launch(self.store, record, attached=True)
            else:
                start_runner(self.store, record)
        return Experiment.of(self.store, record), enrolment

    def watch(self, namespace: str | None = None) -> Listing:
        """The list of the experiments of *namespace*, by default of all, kept up to date."""
        return Listing(self.store, namespace)


class Listing:
    """Every experiment at a glance, kept up to date; an experiment that rests costs nothing."""

    def __init__(self, store: Store, namespace: str | None = None) -> None:
        """List the experiments of *namespace*, by default of all."""
        self._store = store
        self._namespace = namespace
        self._resting: dict[str, Overview] | None = None
        self._followers: dict[str, Follower] = {}

    def look(self) -> list[Summary]:
        """The experiments as they are now, the newest first."""
        if self._resting is None:
            overviews = self._store.overviews(self._namespace)
            self._resting = {each.experiment.uid: each for each in overviews if _rests(each)}
        revisions = self._store.revisions(self._namespace)
        for uid in self._followers.keys() - revisions.keys():
            del self._followers[uid]
        summaries = []
        for uid, revision in revisions.items():
            overview = self._resting.get(uid)
            if overview is not None and overview.experiment.revision == revision:
                summaries.append(_glance(self._store, overview, time.time()))
                continue
            follower = self._followers.setdefault(uid, Follower(self._store, uid))
            try:
                summaries.append(follower.look())
            except NotFound:
                continue
            overview = follower.overview()
            if _rests(overview):
                self._resting[uid] = overview
                del self._followers[uid]
        return sorted(summaries, key=lambda summary: (-summary.created_at, summary.uid))

    def follow(
        self, until: float | None = None, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[list[Summary]]:
        """Look again and again; arguments and pace as of `Follower.follow`."""
        return looks(self._store, self.look, until, stop)


def _rests(overview: Overview) -> bool:
    """Whether nothing about the experiment changes but by a new revision."""
    return overview.best_is_known and overview.experiment.lease is None


def _glance(store: Store, overview: Overview, now: float) -> Summary:
    if overview.best_is_known:
        return Summary.of_overview(overview, now)
    record = overview.experiment
    return summarise(record, store.trials(record.uid), now)
