"""The store as the rest of the project uses it: one method, one transaction."""

from __future__ import annotations

import os

from hpo_lab.store.experiment_store import ExperimentStore
from hpo_lab.store.location import Location
from hpo_lab.store.trial_store import TrialStore

__all__ = ["Store", "open_store"]


def open_store(location: str | os.PathLike[str] | None = None) -> Store:
    """Open a store, making it where there is none.

    Args:
        location: Path of a SQLite file, or a URL (`sqlite:///PATH`, `postgresql://...`);
            by default `$HPO_LAB_STORE`, else a file in the user's data folder.

    Raises:
        InvalidInput: The location cannot be used.
    """
    return Store(Location.parse(location))


class Store(ExperimentStore, TrialStore):
    """The record of experiments, trials, observations and artifacts.

    Safe to use from several threads, and before and after a fork. Every method is one
    transaction. Methods that change an experiment raise `NotFound` when it does not exist;
    those with `runner_id` raise `LeaseLost`, and change nothing, when that runner no longer
    holds the experiment's lease. `now` is in seconds since the epoch, by default the
    present time.

    Attributes:
        location: Opens the same store from another process; holds the password, if any.
        files: Folder for the files of trials.
    """
