"""Every test of the store runs on a SQLite file and on a real PostgreSQL server."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from hpo_lab.experiment.model import (
    AlgorithmSpec,
    ExperimentDocument,
    ExperimentSpec,
    FeasibleSpace,
    Metadata,
    Objective,
    ObjectiveType,
    Parameter,
    ParameterType,
)
from hpo_lab.experiment.trial import Trial
from hpo_lab.store import ExperimentRecord, Store, open_store

fork = multiprocessing.get_context("fork")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where there is no store yet."""
    if request.param == "sqlite":
        return str(tmp_path / "lab.db")
    database: str = request.getfixturevalue("new_database")()
    return database


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store to copy, for migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    open_store(path).close()
    return path


@pytest.fixture(scope="session")
def migrated_database(new_database: Callable[[], str]) -> str:
    """A PostgreSQL store to empty and use again."""
    url = new_database()
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


def document(
    name: str = "digits", namespace: str = "default", **spec: object
) -> ExperimentDocument:
    """A small experiment."""
    return ExperimentDocument(
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
            algorithm=AlgorithmSpec(algorithm_name="random"),
            **spec,
        ),
    )


@pytest.fixture(name="document")
def _document() -> Callable[..., ExperimentDocument]:
    return document


def start(store: Store, uid: str, *new: Trial, now: float | None = None) -> None:
    """Record that new trials run."""
    with store.transaction(uid) as transaction:
        for trial in new:
            transaction.start_trial(trial.number, now, new=trial)


def in_processes(target: Callable[..., None], count: int, *arguments: object) -> None:
    """Run *target(barrier, index, ...)* in so many processes, which the barrier holds."""
    barrier = fork.Barrier(count)
    processes = [
        fork.Process(target=target, args=(barrier, index, *arguments)) for index in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * count


@pytest.fixture
def experiment(store: Store) -> ExperimentRecord:
    """An experiment in the store."""
    return store.create_experiment(document(), identity="abc", now=1000.0)
