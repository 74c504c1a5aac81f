"""Opening a store: connections, transactions, and the schema brought up to date."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from hpo_lab.store.location import Location, make_private, unusable
from hpo_lab.store.tables import metadata

__all__ = ["HEAD", "VERSION_TABLE", "connect", "migrate", "reading", "watching", "writing"]

HEAD = "0003"
"""The newest migration. Kept here so that opening a current store need not import alembic."""

VERSION_TABLE = "hpo_lab_version"

_BUSY_SECONDS = 30.0
_ALIVE = 30.0
"""Seconds for which a runner counts as alive after a heartbeat."""
_CONNECT_SECONDS = 10
_to_json = json.JSONEncoder(allow_nan=False).encode
_scan_json = json.JSONDecoder().raw_decode
_MIGRATION_LOCK = 0x68706F5F6C6162  # "hpo_lab"; any fixed number does


def _from_json(text: str) -> Any:
    """A value of which nothing stands around it, in half the time of `json.loads`."""
    return _scan_json(text)[0]


def connect(location: Location) -> Engine:
    """Open the database at *location*, making it or migrating it where needed.

    Raises:
        InvalidInput: The location cannot be used; says why.
    """
    try:
        engine = _sqlite(location) if location.path else _postgresql(location)
    except ModuleNotFoundError as error:
        raise unusable(
            f"PostgreSQL needs psycopg ({error}); pip install 'hpo_lab[postgresql]'"
        ) from error
    except OSError as error:
        raise unusable(f"cannot make the folder of {location}: {error.strerror}") from error
    _engines.add(engine)
    try:
        _bring_up_to_date(engine, location)
    except SQLAlchemyError as error:
        engine.dispose()
        cause = error.orig if isinstance(error, DatabaseError) else error
        raise unusable(f"cannot open {location}: {_first_line(cause)}") from error
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction, which in SQLite takes the write lock at its start.

    In WAL mode a transaction that began as a reader and then writes fails at once when
    another has written meanwhile, whatever the busy timeout.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction whose queries all see the database as it is at the first of them."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def watching(location: Location) -> Engine:
    """An engine for single queries of one thread, which keeps its connection while it can."""
    if location.path:
        engine = _sqlite(location)
    else:
        engine = _postgresql(location, pool_pre_ping=False, isolation_level="AUTOCOMMIT")
    _engines.add(engine)
    return engine


def _sqlite(location: Location) -> Engine:
    assert location.path is not None
    if location.path.is_dir():
        raise unusable(f"{location} is a folder; give a file, such as {location}/hpo_lab.db")
    make_private(location.path.parent)
    with contextlib.suppress(OSError):
        # What SQLite puts beside it has the same mode; what is wrong with the path, SQLite says.
        os.close(os.open(location.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    path = location.path
    existing = False

    def connection() -> sqlite3.Connection:
        nonlocal existing
        # Only the first connection makes the file: where somebody deletes it, an empty one in its
        # place would hide that.
        mode = "rw" if existing else "rwc"
        made = sqlite3.connect(
            f"file:{quote(os.fsencode(path))}?mode={mode}",
            uri=True,
            timeout=_BUSY_SECONDS,
            check_same_thread=False,
        )
        existing = True
        return made

    engine = create_engine(
        location.url,
        creator=connection,
        pool_size=2,
        max_overflow=-1,
        json_serializer=_to_json,
        json_deserializer=_from_json,
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: object) -> None:
        # A transaction begins in `writing` and not in sqlite3; one query is one by itself.
        connection.isolation_level = None
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def _postgresql(location: Location, **options: Any) -> Engine:
    arguments = (
        {} if "connect_timeout" in location.url.query else {"connect_timeout": _CONNECT_SECONDS}
    )
    return create_engine(
        location.url,
        connect_args=arguments,
        json_serializer=_to_json,
        **{"pool_size": 1, "max_overflow": 4, "pool_pre_ping": True, **options},
    )


def _bring_up_to_date(engine: Engine, location: Location) -> None:
    with engine.connect() as connection:
        if _version(connection, location) == HEAD:
            return
    if location.path:
        _switch_to_wal(engine)
    with _rewriting(engine) as connection:
        if not location.path:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        # Another process may have done it while this one waited for the lock.
        version = _version(connection, location)
        if version is None:
            _make(connection)
        elif version != HEAD:
            _refuse_while_running(connection, location)
            migrate(connection)


@contextmanager
def _rewriting(engine: Engine) -> Iterator[Connection]:
    """A transaction in which SQLite lets a table go without what refers to it."""
    if engine.dialect.name != "sqlite":
        with writing(engine) as connection:
            yield connection
        return
    with engine.connect() as connection:
        # Within a transaction this pragma has no effect.
        driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()
        finally:
            connection.rollback()
            driver.execute("PRAGMA foreign_keys=ON")


def _refuse_while_running(connection: Connection, location: Location) -> None:
    """Refuse to change the tables below a runner of an earlier version, which would fail.

    Raises:
        InvalidInput: A runner has given a sign of life in the last half minute.
    """
    query = "SELECT name FROM experiments WHERE runner IS NOT NULL AND heartbeat_at > "
    names = [row.name for row in connection.exec_driver_sql(f"{query}{time.time() - _ALIVE}")]
    if names:
        raise unusable(
            f"{location} is of an earlier version, which runs {', '.join(sorted(names))} in it; "
            "the store is brought up to date when that has ended or was stopped"
        )


def _version(connection: Connection, location: Location) -> str | None:
    """The revision of the schema; None for an empty database."""
    # One query: between two, another process may make the tables.
    names = set(inspect(connection).get_table_names())
    if VERSION_TABLE not in names:
        foreign = sorted(names & set(metadata.tables))
        if foreign:
            raise unusable(
                f"{location} belongs to another program (it has a table {foreign[0]!r}); "
                "give an empty database or a new file"
            )
        return None
    version = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()
    if version is not None and str(version) > HEAD:
        raise unusable(
            f"{location} was written by a newer hpo_lab (schema {version}, this one knows "
            f"{HEAD}); upgrade hpo_lab"
        )
    return version


def _make(connection: Connection) -> None:
    """Make the tables in an empty database, sooner than by going through the migrations."""
    metadata.create_all(connection)
    connection.exec_driver_sql(
        f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    )
    connection.exec_driver_sql(f"INSERT INTO {VERSION_TABLE} VALUES ('{HEAD}')")


def migrate(connection: Connection) -> None:
    """Bring the tables from the revision they have, or from none, to the present one."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "hpo_lab.store:migrations")
    command.upgrade(config, HEAD)


def _switch_to_wal(engine: Engine) -> None:
    """Set the file's journal mode, which it keeps.

    The switch needs the file alone and does not wait for the busy timeout.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            with engine.connect() as connection:
                driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
                driver.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise OperationalError("PRAGMA journal_mode=WAL", None, error) from error
            time.sleep(0.02)


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().split("\n", 1)[0]


# SQLite's bookkeeping of locks is per process and a forked child would inherit it wrong, so
# no idle connection crosses a fork: https://www.sqlite.org/howtocorrupt.html, section 2.6.
_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


def _close_idle() -> None:
    for engine in list(_engines):
        engine.dispose()


def _forget() -> None:
    for engine in list(_engines):
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_close_idle, after_in_child=_forget)
