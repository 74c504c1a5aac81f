from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from hpo_lab.problems import InvalidInput
from hpo_lab.store import Store, open_store
from hpo_lab.store.database import HEAD, VERSION_TABLE, migrate, writing
from hpo_lab.store.location import Location
from hpo_lab.store.tables import metadata


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "hpo_lab.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def differences(connection: Connection) -> list[object]:
    """Between the tables of a database and those that are declared."""
    options = {"version_table": VERSION_TABLE, "compare_type": True}
    context = MigrationContext.configure(connection, opts=options)
    assert context.get_current_revision() == HEAD
    return list(compare_metadata(context, metadata))


def test_migrations_make_the_tables(location: str) -> None:
    engine = create_engine(Location.parse(location).url)
    with engine.begin() as connection:
        migrate(connection)
    with engine.connect() as connection:
        assert differences(connection) == []
    assert open_store(location).experiments() == []


def test_a_new_store_has_the_tables(location: str) -> None:
    store = open_store(location)
    with create_engine(Location.parse(store.location).url).connect() as connection:
        assert differences(connection) == []


def test_a_current_store_opens_without_alembic(store: Store) -> None:
    code = (
        "import sys; from hpo_lab.store import open_store; store = open_store(sys.argv[1]);"
        "assert store.experiments() == []; print('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", code, store.location]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


def test_sqlite_settings(tmp_path: Path) -> None:
    store = open_store(tmp_path / "lab.db")
    with store._engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert values == {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "busy_timeout": 30000,
    }


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    store = open_store(tmp_path / "lab.db")
    with writing(store._engine):
        assert store.experiments() == []


def test_default_is_the_environment_then_the_user_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HPO_LAB_STORE", str(tmp_path / "here.db"))
    assert Location.parse(None).path == tmp_path / "here.db"
    monkeypatch.delenv("HPO_LAB_STORE")
    monkeypatch.setattr("hpo_lab.store.location.user_data_path", lambda name: tmp_path / name)
    assert Location.parse(None).path == tmp_path / "hpo_lab" / "hpo_lab.db"


def test_location_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for given in ("lab.db", Path("lab.db"), "sqlite:///lab.db", f"sqlite:///{tmp_path}/lab.db"):
        store = open_store(given)
        assert store.location == str(tmp_path / "lab.db")
        assert store.files == tmp_path / "lab.trials"


def test_postgresql_means_psycopg_3_and_hides_the_password() -> None:
    location = Location.parse("postgresql://ann:s3cret@db/lab?sslpassword=t0psecret")
    assert location.url.drivername == "postgresql+psycopg"
    assert "s3cret" in location.address
    assert "t0psecret" in location.address
    assert "secret" not in str(location).replace("s3cret", "secret").replace("t0p", "")
    assert location.files.name == "trials"


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("", "empty"),
        ("postgres://ann:s3cret@db/lab", "did you mean 'postgresql'"),
        ("mysql://ann:s3cret@db/lab", "unknown scheme 'mysql'"),
        ("postgresql://ann:s3cret@db:port/lab", "cannot be read"),
        ("sqlite://", "needs a path"),
        ("sqlite:///:memory:", "needs a path"),
        ("sqlite:///lab.db?mode=ro", "needs a path and nothing else"),
        ("/dev/null/lab.db", "cannot make the folder"),
        ("/proc/lab.db", "unable to open"),
        ("/tmp", "is a folder"),
        ("postgresql://ann:s3cret@127.0.0.1:1/lab", "cannot open .*ann.*127.0.0.1:1/lab.*refused"),
    ],
)
def test_unusable_locations(location: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as error:
        open_store(location)
    assert [problem.where for problem in error.value.problems] == ["store"]
    assert "s3cret" not in str(error.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InvalidInput, match="unable to open"):
        open_store(tmp_path / "lab.db")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "lab.db"
    path.write_text("accuracy,loss\n" * 100)
    with pytest.raises(InvalidInput, match=r"lab\.db: file is not a database"):
        open_store(path)
    assert path.read_text().startswith("accuracy")


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "optuna.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE trials (trial_id INTEGER)")
    with pytest.raises(InvalidInput, match="another program"):
        open_store(path)


def test_a_store_from_a_newer_version(location: str) -> None:
    store = open_store(location)
    with create_engine(Location.parse(store.location).url).begin() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(InvalidInput, match="newer hpo_lab"):
        open_store(store.location)


def test_psycopg_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InvalidInput, match=r"pip install 'hpo_lab\[postgresql\]'"):
        open_store("postgresql://db/lab")


def test_a_password_is_not_shown(postgresql_url: str) -> None:
    url = postgresql_url.replace("postgres@", "postgres:s3cret@") + "/postgres"
    store = open_store(url)
    store.close()
    assert "s3cret" in store.location
    assert "s3cret" not in f"{store} {store!r}"


def test_a_closed_store_holds_no_file_open(tmp_path: Path) -> None:
    path = tmp_path / "lab.db"

    def held() -> list[str]:
        files = [file.path for file in psutil.Process().open_files()]
        return [file for file in files if file.startswith(str(path))]

    store = open_store(path)
    assert store.experiments() == []
    assert held()
    store.close()
    assert not held()
    assert store.experiments() == []
    store.close()
