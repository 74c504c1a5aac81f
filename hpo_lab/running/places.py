"""The places where experiments can be run, by name.

A place is registered under the entry point group `hpo_lab.places` as a function that starts a
runner there, which outlives the process that asked for it::

    [project.entry-points."hpo_lab.places"]
    local = "hpo_lab.local.launch:launch"
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import TypeAlias

from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["ENTRY_POINT_GROUP", "StartRunner", "start_runner"]

ENTRY_POINT_GROUP = "hpo_lab.places"

StartRunner: TypeAlias = Callable[[Store, ExperimentRecord], object]
"""Starts a runner of a recorded experiment."""


def start_runner(store: Store, record: ExperimentRecord) -> None:
    """Start a runner of the experiment of *record* at the place that it belongs to.

    Raises:
        InvalidInput: No installed package knows that place.
    """
    entries = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    if record.place not in entries:
        message = (
            f"runs at the place {record.place!r}, which is not known here; known are "
            f"{', '.join(sorted(entries)) or 'none'}"
        )
        raise InvalidInput([Problem(record.title, message)])
    start: StartRunner = entries[record.place].load()
    start(store, record)
