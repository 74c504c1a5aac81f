"""Starting the runner of an experiment where its record says that it runs."""

from __future__ import annotations

from hpo_lab.local.launch import launch
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["start_runner"]


def start_runner(store: Store, record: ExperimentRecord) -> None:
    """Have an enrolled experiment run in the background; it outlives this process."""
    launch(store, record)
