"""The transactions of a store; what its methods have in common."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from hpo_lab.store import experiments
from hpo_lab.store.database import connect, writing
from hpo_lab.store.location import Location

__all__ = ["Transactions", "time_of"]


class Transactions:
    """A database, and the folder for the files that it refers to."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._engine = connect(location)
        self.location: str = location.address
        self.files: Path = location.files

    def __repr__(self) -> str:
        return f"Store({str(self._location)!r})"

    def close(self) -> None:
        """Close the idle connections; the store opens new ones when it is used again."""
        self._engine.dispose()

    def folder(self, uid: str) -> Path:
        """Where the files of one experiment belong; it need not exist yet."""
        return self.files / uid

    @contextmanager
    def _write(self, uid: str, runner_id: str | None = None) -> Iterator[Connection]:
        """A transaction that alone writes to an experiment, whose runner is *runner_id*."""
        with writing(self._engine) as connection:
            experiments.lock(connection, uid, runner_id)
            yield connection


def time_of(now: float | None) -> float:
    """*now*, by default the present time."""
    return time.time() if now is None else now
