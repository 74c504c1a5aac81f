"""The experiments of a store: find, list and run them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from hpo_lab.facade.enrolled import Enrolled
from hpo_lab.facade.enrolling import enrol_prepared, recorded_as
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.origin import recorded_of_script
from hpo_lab.facade.summary import Summary
from hpo_lab.facade.tally import summarise
from hpo_lab.local.launch import LOCAL, launch
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import SCRIPT, Prepared, is_file_name, prepare_file, project_here
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.enrol import Enrolment
from hpo_lab.running.places import start_runner
from hpo_lab.running.resolving import resolve
from hpo_lab.store import NotFound, Overview, Store, open_store
from hpo_lab.store.location import Location

__all__ = ["Experiments"]


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

    def find(self, name: str, namespace: str | None = None) -> Experiment:
        """The experiment called *name*.

        Args:
            name: `NAME`, or `NAMESPACE/NAME`, or the path of a notebook, script or manifest.
            namespace: Where *name* says none; by default `default`, else the only other that
                has one of the name.

        Returns:
            That of this project, else of no project, else the only one of another; of a file that
            which it makes.

        Raises:
            InvalidInput: when there is none, the message names the nearest; or when several other
                projects have one, the message lists them; or with every problem of the file.
        """
        own = "default" if namespace is None else namespace
        for argument, text in (("name", name), ("namespace", own)):
            if not isinstance(text, str | Path):
                raise InvalidInput([Problem(argument, f"found {text!r}; a name is needed")])
        name = str(name)
        store = self._existing()
        if is_file_name(name):
            return self._find_made_by(store, Path(name), own)
        if store is None:
            raise InvalidInput([Problem(name, "no such experiment; there are none yet")])
        record = resolve(store, name, own, self.project, anywhere=namespace is None)
        return Experiment.of(store, record)

    def note(self, name: str, experiment: Experiment) -> str:
        """What to say where *name* means one of another folder or namespace; else empty."""
        if is_file_name(name):
            return ""
        folder, title = experiment.record.project, experiment.title
        if folder not in ("", self.project):
            return f"{title} of {folder}"
        return "" if "/" in name or title == name else title

    def _find_made_by(self, store: Store | None, path: Path, namespace: str) -> Experiment:
        """The recorded experiment that the file at *path* makes, else the nearest to that."""
        if path.suffix == SCRIPT:
            name, record = str(path), recorded_of_script(store, path, namespace) if store else None
        else:
            prepared = prepare_file(path, TuneOptions(), None)
            name, record = prepared.experiment.name, recorded_as(store, prepared) if store else None
        if store is None or record is None:
            is_there = "its file was not run here yet" if path.exists() else "no such file"
            raise InvalidInput([Problem(name, f"no such experiment; {is_there}")])
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

    def glance(self, uid: str) -> Summary | None:
        """One of them as `list` shows it; None where it is gone."""
        store = self._existing()
        overview = store.overview(uid) if store else None
        return _glance(store, overview, time.time()) if store and overview else None

    def revisions(self) -> dict[str, int]:
        """The revision of each, by uid; cheap enough to ask again and again."""
        store = self._existing()
        return store.revisions() if store else {}

    def count(self) -> int:
        """How many experiments there are, those of other projects included."""
        return len(self.revisions())

    def run(
        self, prepared: Prepared, *, fresh: bool = False, attached: bool = False
    ) -> tuple[Experiment, Enrolled]:
        """Enrol a prepared experiment and start a runner where one is needed.

        Args:
            prepared: What to run.
            fresh: Whether it takes the place of a recorded experiment, which is deleted.
            attached: Whether a runner on this machine stops it when this process ends.

        Raises:
            InvalidInput: when another experiment has the name that a person chose.
        """
        enrolled = enrol_prepared(self.store, prepared, fresh=fresh)
        record = enrolled.record
        if enrolled.how in (Enrolment.CREATED, Enrolment.CONTINUED):
            if attached and record.place == LOCAL:
                launch(self.store, record, attached=True)
            else:
                start_runner(self.store, record)
        return Experiment.of(self.store, record), enrolled


def _glance(store: Store, overview: Overview, now: float) -> Summary:
    if overview.best_is_known:
        return Summary.of_overview(overview, now)
    record = overview.experiment
    return summarise(record, store.trials(record.uid), now)
