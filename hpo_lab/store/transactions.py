"""The transactions of a store; what its methods have in common."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpo_lab.store import experiments
from hpo_lab.store.database import connect, watching, writing
from hpo_lab.store.location import Location, make_private, require_own
from hpo_lab.store.transaction import Snapshot, Transaction
from hpo_lab.store.watch import Watch

__all__ = ["Transactions"]


class Transactions:
    """A database, and the folder for the files that it refers to."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._engine = connect(location)
        self._file = _file(location)
        self.location: str = location.address
        self.files: Path = location.files
        self._snapshots: dict[str, Snapshot] = {}

    @property
    def is_default(self) -> bool:
        """Whether it is the store that is used where none is named."""
        return self._location == Location.parse(None)

    def command(self, words: str) -> str:
        """The line for a shell that calls `hpo-lab` with *words* for this store."""
        where = "" if self.is_default else f" --store {shlex.quote(str(self))}"
        return f"hpo-lab {words}{where}"

    def __str__(self) -> str:
        return str(self._location)

    def __repr__(self) -> str:
        return f"Store({str(self._location)!r})"

    def is_there(self) -> bool:
        """Whether its file is the one that was opened; a database server is always there."""
        return _file(self._location) == self._file

    def close(self) -> None:
        """Close the idle connections; the store opens new ones when it is used again."""
        self._engine.dispose()

    def folder(self, uid: str) -> Path:
        """Where the files of one experiment belong; it need not exist yet."""
        return self.files / uid

    def make_folder(self, uid: str) -> Path:
        """Make the folder of an experiment, readable for this user alone.

        Raises:
            InvalidInput: Another user has put it, or that of all experiments, there.
        """
        make_private(self.files)
        require_own(self.files)
        folder = self.folder(uid)
        make_private(folder)
        require_own(folder)
        return folder

    def watch(self) -> Watch:
        """Tells from now on when something in the store may have changed."""
        return Watch(watching(self._location))

    @contextmanager
    def transaction(self, uid: str, runner_id: str | None = None) -> Iterator[Transaction]:
        """Several writes to one experiment, which all happen at the end or, on an error, none.

        A transaction that changes nothing in the end leaves the revision as it is.

        Args:
            uid: The experiment.
            runner_id: Who writes, where only the experiment's runner may.

        Raises:
            LeaseLost: Another runner holds the lease, or none.
            NotFound: There is no such experiment.
        """
        with writing(self._engine) as connection:
            revision = experiments.lock(connection, uid, runner_id)
            # Taken out, since it belongs to this transaction alone.
            before = self._snapshots.pop(uid, None)
            transaction = Transaction(connection, uid, revision, self.files, before)
            yield transaction
            if not transaction.flush():
                connection.rollback()
                return
        self._snapshots[uid] = transaction.snapshot()


def _file(location: Location) -> tuple[int, int] | None:
    """What tells the file at *location* from another one that is put in its place."""
    if location.path is None:
        return None
    try:
        state = location.path.stat()
    except OSError:
        return (0, 0)
    return state.st_dev, state.st_ino
