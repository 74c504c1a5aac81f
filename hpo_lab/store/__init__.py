"""The record of experiments, trials, observations and artifacts.

A store is a SQLite file, or a PostgreSQL database that several machines share. It keeps
what happened and computes nothing; whoever shows or plans something reads it from here.
"""

from __future__ import annotations

from hpo_lab.store.errors import (
    LeaseLost,
    NameTaken,
    NotFound,
    StoreGone,
    StoreUnavailable,
    outage,
)
from hpo_lab.store.lease import LEASE_SECONDS, Lease, Runner
from hpo_lab.store.records import (
    Artifact,
    ArtifactRecord,
    Changes,
    Condition,
    ExperimentRecord,
    ObservationRecord,
    Overview,
    TrialRecord,
    title_of,
)
from hpo_lab.store.store import Store, open_store
from hpo_lab.store.transaction import Transaction
from hpo_lab.store.watch import Watch

__all__ = [
    "LEASE_SECONDS",
    "Artifact",
    "ArtifactRecord",
    "Changes",
    "Condition",
    "ExperimentRecord",
    "Lease",
    "LeaseLost",
    "NameTaken",
    "NotFound",
    "ObservationRecord",
    "Overview",
    "Runner",
    "Store",
    "StoreGone",
    "StoreUnavailable",
    "Transaction",
    "TrialRecord",
    "Watch",
    "open_store",
    "outage",
    "title_of",
]
