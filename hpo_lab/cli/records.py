"""Finding experiments; looking for one never makes a store where there is none."""

from __future__ import annotations

import time

from hpo_lab.dashboard.summary import Summary, summarise
from hpo_lab.problems import InvalidInput, Problem, nearest
from hpo_lab.store import ExperimentRecord, NotFound, Store, open_store
from hpo_lab.store.location import Location
from hpo_lab.trial.folder import NOTEBOOK

__all__ = [
    "all_records",
    "best_notebook",
    "find",
    "latest",
    "summaries",
    "summary_of",
    "title",
]


def _existing(location: str | None) -> Store | None:
    path = Location.parse(location).path
    return None if path is not None and not path.exists() else open_store(location)


def title(record: ExperimentRecord | Summary) -> str:
    """What a person calls the experiment: `name`, or `namespace/name`."""
    if record.namespace == "default":
        return record.name
    return f"{record.namespace}/{record.name}"


def all_records(location: str | None) -> list[ExperimentRecord]:
    """Every experiment of the store at *location*, the newest first."""
    store = _existing(location)
    return store.experiments() if store else []


def summaries(location: str | None, now: float) -> list[Summary]:
    """Every experiment of the store at *location* at a glance, the newest first."""
    store = _existing(location)
    if store is None:
        return []
    return [summarise(each, store.trials(each.uid), now) for each in store.experiments()]


def find(location: str | None, name: str) -> tuple[Store, ExperimentRecord]:
    """The experiment called *name*, `NAME` or `NAMESPACE/NAME`.

    Raises:
        InvalidInput: when there is none; the message names the nearest.
    """
    store = _existing(location)
    records = store.experiments() if store else []
    for record in records:
        if store and name in (title(record), f"{record.namespace}/{record.name}"):
            return store, record
    known = sorted(title(record) for record in records)
    there = f"known are {', '.join(known)}" if known else "there are none yet"
    raise InvalidInput([Problem(name, f"no such experiment; {there}{nearest(name, known)}")])


def latest(store: Store, record: ExperimentRecord) -> ExperimentRecord:
    """The record as it is now.

    Raises:
        NotFound: when the experiment was deleted meanwhile.
    """
    found = store.experiment_by_uid(record.uid)
    if found is None:
        raise NotFound(f"experiment {title(record)} was deleted meanwhile")
    return found


def summary_of(store: Store, record: ExperimentRecord) -> Summary:
    """The experiment at a glance, as it is now."""
    return summarise(record, store.trials(record.uid), time.time())


def best_notebook(store: Store, summary: Summary) -> str | None:
    """Path of the executed notebook of the best trial, None where there is none."""
    if summary.best is None:
        return None
    artifact = store.artifact(summary.uid, NOTEBOOK, summary.best.number)
    return str(artifact.path) if artifact is not None and artifact.path else None
