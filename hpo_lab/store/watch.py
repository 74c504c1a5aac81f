"""A wake-up for whoever shows what is in a store.

Both databases have a value that every commit changes and that costs them a few microseconds
to tell, so readers poll it and writers do nothing. A `NOTIFY` would have PostgreSQL commit
all writers one after the other: it takes a lock of the whole server until the commit is on
the disk.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

__all__ = ["Watch"]

_EVERY = 0.05
_VALUE = {
    "sqlite": "PRAGMA data_version",
    # Which transactions have been committed; another program's count too.
    "postgresql": "SELECT pg_current_snapshot()::text",
}


class Watch:
    """Tells when something in a store may have changed; for one thread at a time.

    It may be wrong in saying so, as after a heartbeat. It misses no change of a primary server;
    a PostgreSQL standby may tell of a change only with the next.
    """

    def __init__(self, engine: Engine) -> None:
        """Watch the database of *engine*, which has no other user."""
        self._engine = engine
        self._query = _VALUE[engine.dialect.name]
        self._seen: object = None
        self._closed = threading.Event()
        event.listen(engine, "connect", self._forget)
        self._has_changed()

    def wait(self, timeout: float) -> bool:
        """Wait for a change since the last wait returned True, or since the watch was made.

        Args:
            timeout: At most so many seconds.

        Returns:
            False when there was none in that time, the watch was closed, or the database
            could not be reached.
        """
        deadline = time.monotonic() + timeout
        while not self._closed.is_set():
            if self._has_changed():
                return True
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            self._closed.wait(min(_EVERY, remaining))
        return False

    def close(self) -> None:
        """End the watch; a `wait` in another thread returns."""
        self._closed.set()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _has_changed(self) -> bool:
        try:
            with self._engine.connect() as connection:
                value = connection.exec_driver_sql(self._query).scalar()
        except DBAPIError:
            return False
        before, self._seen = self._seen, value
        return value != before

    def _forget(self, *_: Any) -> None:
        """A new connection counts from anew, and may come after an outage."""
        self._seen = None
