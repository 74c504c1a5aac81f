"""The experiments of a store: find, list, run and watch them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hpo_lab.facade.enrolling import enrol_prepared, recorded_as
from hpo_lab.facade.follower import Follower, looks
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Summary
from hpo_lab.facade.tally import summarise
from hpo_lab.local.launch import LOCAL, launch
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import Prepared, prepare_file, project_here
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.enrol import Enrolment
from hpo_lab.running.places import start_runner
from hpo_lab.running.resolving import resolve
from hpo_lab.store import NotFound, Overview, Store, open_store
from hpo_lab.store.location import Location

__all__ = ["Experiments", "Listing", "is_file_name"]


def is_file_name(text: str) -> bool:
    """Whether *text* is the path of a notebook or manifest, which no experiment is called."""
    return Path(text).suffix in (".ipynb", ".yaml", ".yml", ".json")


class Experiments:
    """The experiments of one store; looking at them never makes a store where there is none."""

    def __init__(
        self, store: Store | str | os.PathLike[str] | None = None, project: str | None = None
    ) -> None:
        """Name a store, which is opened when it is needed.

        Args:
            store: It, or path of its SQLite file or URL of its database; by default
                `$HPO_LAB_STORE`, else the user's own store.
            project: The folder in which names are looked for first; by default that of the
                notebook or script that runs, else the current one.
        """
        self.project = project_here() if project is None else project
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

    @property
    def is_there(self) -> bool:
        """Whether the store was made."""
        return self._existing() is not None

    def _existing(self) -> Store | None:
        if self._store is None:
            path = Location.parse(self._location).path
            if path is not None and not path.exists():
                return None
        return self.store

    def find(self, name: str, namespace: str = "default") -> Experiment:
        """The experiment called *name*.

        Args:
            name: `NAME`, or `NAMESPACE/NAME`, or the path of a notebook or manifest.
            namespace: Where *name* says none.

        Returns:
            That of this project, else of no project, else the only one of another; of a file that
            which it makes.

        Raises:
            InvalidInput: when there is none, the message names the nearest; or when several other
                projects have one, the message lists them; or with every problem of the file.
        """
        for argument, text in (("name", name), ("namespace", namespace)):
            if not isinstance(text, str | Path):
                raise InvalidInput([Problem(argument, f"found {text!r}; a name is needed")])
        name = str(name)
        if is_file_name(name):
            return self._find_prepared(prepare_file(Path(name), TuneOptions(), None))
        store = self._existing()
        if store is None:
            raise InvalidInput([Problem(name, "no such experiment; there are none yet")])
        return Experiment.of(store, resolve(store, name, namespace, self.project))

    def note(self, name: str, experiment: Experiment) -> str:
        """What to say where *name* means an *experiment* of another folder; else empty."""
        folder = experiment.record.project
        is_here = is_file_name(name) or folder in ("", self.project)
        return "" if is_here else f"{experiment.title} of {folder}"

    def _find_prepared(self, prepared: Prepared) -> Experiment:
        """The recorded experiment that *prepared* is, else the nearest of its name or cell."""
        store = self._existing()
        record = recorded_as(store, prepared) if store else None
        if store is None or record is None:
            message = "no such experiment; its file was not run here yet"
            raise InvalidInput([Problem(prepared.experiment.name, message)])
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

    def list(self, namespace: str | None = None, *, everywhere: bool = True) -> list[Summary]:
        """Every experiment at a glance, the newest first; its trials are not read.

        Args:
            namespace: Of this one alone.
            everywhere: Also those of other projects.
        """
        store = self._existing()
        if store is None:
            return []
        summaries = [_glance(store, each, time.time()) for each in store.overviews(namespace)]
        return [each for each in summaries if everywhere or each.project in ("", self.project)]

    def count(self) -> int:
        """How many experiments there are, those of other projects included."""
        store = self._existing()
        return len(store.revisions()) if store else 0

    def run(
        self, prepared: Prepared, *, fresh: bool = False, attached: bool = False
    ) -> tuple[Experiment, Enrolment]:
        """Enrol a prepared experiment and start a runner where one is needed.

        Args:
            prepared: What to run.
            fresh: Whether it takes the place of a recorded experiment, which is deleted.
            attached: Whether a runner on this machine stops it when this process ends.

        Raises:
            InvalidInput: when another experiment has the name that a person chose.
        """
        record, enrolment = enrol_prepared(self.store, prepared, fresh=fresh)
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
        self._revisions: dict[str, int] = {}

    def revision(self, uid: str) -> int:
        """The revision that the experiment *uid* had at the last look."""
        return self._revisions[uid]

    def look(self) -> list[Summary]:
        """The experiments as they are now, the newest first."""
        if self._resting is None:
            overviews = self._store.overviews(self._namespace)
            self._resting = {each.experiment.uid: each for each in overviews if _rests(each)}
        revisions = self._revisions = self._store.revisions(self._namespace)
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
