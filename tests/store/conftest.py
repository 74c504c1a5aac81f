"""Every test of the store runs on a SQLite file and on a real PostgreSQL server."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from hpo_lab.experiment.model import (
    Algorithm,
    Experiment,
    ExperimentSpec,
    FeasibleSpace,
    Metadata,
    Objective,
    ObjectiveType,
    Parameter,
    ParameterType,
)
from hpo_lab.store import ExperimentRecord, Store, open_store


def _program(name: str) -> str | None:
    found = [str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    return shutil.which(name) or max(found, default=None)


@pytest.fixture(scope="session")
def postgresql_url(require: Callable[[str, object, str], None]) -> Iterator[str]:
    """URL of a throw-away PostgreSQL server, without a database's name."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    require("postgresql", initdb and pg_ctl, "apt-get install postgresql")
    assert initdb and pg_ctl
    folder = Path(tempfile.mkdtemp(prefix="hpo-lab-postgresql-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    data = str(folder / "data")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} "
        "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    )

    def run(*command: str) -> None:
        # The server inherits the output, so that a pipe would never end.
        with (folder / "output").open("ab") as output:
            subprocess.run(
                [*as_user, *command], cwd=folder, stdout=output, stderr=output, check=True
            )

    try:
        run(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        run(pg_ctl, "-D", data, "-o", options, "-w", "start")
        yield f"postgresql://postgres@127.0.0.1:{port}"
        run(pg_ctl, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_databases = itertools.count()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where there is no store yet."""
    if request.param == "sqlite":
        return str(tmp_path / "lab.db")
    return _new_database(request.getfixturevalue("postgresql_url"))


def _new_database(server: str) -> str:
    name = f"test_{next(_databases)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{server}/{name}"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store to copy, for migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    open_store(path).close()
    return path


@pytest.fixture(scope="session")
def migrated_database(postgresql_url: str) -> str:
    """A PostgreSQL store to empty and use again."""
    url = _new_database(postgresql_url)
    open_store(url).close()
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    if request.param == "sqlite":
        location = str(tmp_path / "lab.db")
        shutil.copy(request.getfixturevalue("migrated_file"), location)
    else:
        location = request.getfixturevalue("migrated_database")
        with psycopg.connect(location) as connection:
            connection.execute("TRUNCATE experiments CASCADE")
    store = open_store(location)
    yield store
    store.close()


def document(name: str = "digits", namespace: str = "default", **spec: object) -> Experiment:
    """A small experiment."""
    return Experiment(
        metadata=Metadata(name=name, namespace=namespace),
        spec=ExperimentSpec(
            parameters=(
                Parameter(
                    name="lr",
                    parameter_type=ParameterType.DOUBLE,
                    feasible_space=FeasibleSpace(min=1e-4, max=0.1),
                ),
                Parameter(
                    name="opt",
                    parameter_type=ParameterType.CATEGORICAL,
                    feasible_space=FeasibleSpace(list=("sgd", 1, 1.0, True, None, "é")),
                ),
            ),
            objective=Objective(type=ObjectiveType.MAXIMIZE, objective_metric_name="accuracy"),
            algorithm=Algorithm(algorithm_name="random"),
            **spec,
        ),
    )


@pytest.fixture(name="document")
def _document() -> Callable[..., Experiment]:
    return document


@pytest.fixture
def experiment(store: Store) -> ExperimentRecord:
    """An experiment in the store."""
    return store.create_experiment(document(), identity="abc", now=1000.0)
