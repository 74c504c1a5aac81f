"""A user's store always opens, whatever version wrote it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect, text

from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.store import Store, open_store
from hpo_lab.store.location import Location
from tests.store_writes import requeue_trial, start_trial

from .conftest import document

TRIALS = 300
ROWS = {
    "experiments": {
        "uid": "u",
        "namespace": "default",
        "name": "old",
        "identity": "i",
        "state": "Running",
        "reason": "",
        "message": "",
        "created_at": 1.0,
        "updated_at": 1.0,
        "elapsed_seconds": 0.0,
        "stop_requested": False,
    },
    "conditions": {
        "uid": "u",
        "position": 0,
        "type": "Created",
        "reason": "",
        "message": "",
        "time": 1.0,
    },
    "trials": {
        "uid": "u",
        "state": "Succeeded",
        "attempt": 1,
        "assignments": '{"lr": 0.5}',
        "labels": "{}",
        "created_at": 1.0,
        "reason": "",
        "message": "",
        "traceback": "",
        "observations_offset": 9,
        "metrics": '{"a": {"latest": 2.0, "min": 2.0, "max": 2.0, "count": 1}}',
    },
    "observations": {"uid": "u", "attempt": 1, "time": 1.0, "metric": "a", "value": 2.0},
    "artifacts": {
        "uid": "u",
        "name": "n",
        "media_type": "text/plain",
        "size": 1,
        "sha256": "",
        "content": b"x",
    },
}


@pytest.fixture
def old(location: str) -> Iterator[str]:
    """Where there is a store that the first version wrote."""
    engine = create_engine(Location.parse(location).url)
    numbers = [{"number": number} for number in range(TRIALS)]
    rows = {name: [row] for name, row in ROWS.items()}
    rows["experiments"] = [ROWS["experiments"] | {"document": document("old").model_dump_json()}]
    for name in ("trials", "observations"):
        rows[name] = [ROWS[name] | number for number in numbers]
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "hpo_lab.store:migrations")
        command.upgrade(config, "0001")
        for name, values in rows.items():
            columns = list(values[0])
            places = ", ".join(f":{column}" for column in columns)
            statement = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({places})"
            connection.execute(text(statement), values)
    engine.dispose()
    yield location


def check(store: Store) -> None:
    (record,) = store.named("old")
    assert (record.place, record.revision, record.best) == ("local", 1, None)
    assert (record.project, record.origin) == ("", None)
    assert (record.project, record.origin) == ("", None)
    assert (record.project, record.origin) == ("", None)
    assert (record.project, record.origin) == ("", None)
    trial = Trial(0, {"lr": 0.5}, TrialState.SUCCEEDED, {"a": Metric(2.0, 2.0, 2.0)})
    assert store.trials("u") == [replace(trial, number=number) for number in range(TRIALS)]
    assert [each.number for each in store.observations("u")] == list(range(TRIALS))
    assert store.artifact("u", "n") is not None
    assert len(store.conditions("u")) == 1
    (overview,) = store.overviews()
    assert (overview.best, overview.best_is_known) == (None, False)
    changes = store.changes("u")
    assert changes is not None
    assert (changes.revision, changes.experiment, len(changes.trials)) == (1, record, TRIALS)
    start_trial(store, "u", TRIALS, new=Trial(TRIALS), handle="job")
    requeue_trial(store, "u", 7)
    changes = store.changes("u", 1)
    assert changes is not None
    assert [trial.number for trial in changes.trials] == [7, TRIALS]


def test_a_store_of_the_first_version_opens(old: str) -> None:
    store = open_store(old)
    check(store)
    columns = {each["name"] for each in inspect(store._engine).get_columns("trials")}
    assert "pid" not in columns


def test_it_is_opened_twice_at_once(old: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        stores = list(pool.map(open_store, [old, old]))
    check(stores[0])
    assert len(stores[1].trials("u")) == TRIALS + 1


@pytest.mark.parametrize("location", ["sqlite"], indirect=True)
def test_an_old_sqlite_keeps_the_column_that_it_cannot_drop(
    old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    store = open_store(old)
    check(store)
    columns = {each["name"] for each in inspect(store._engine).get_columns("trials")}
    assert {"pid", "handle"} <= columns
