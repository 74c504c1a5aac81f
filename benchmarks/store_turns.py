"""What recording costs the store alone: `python benchmarks/store_turns.py`.

    [--postgresql URL]  an empty database; without it, SQLite alone
    [--seconds S]       for each measurement

A turn of k ends k running trials and starts k new ones in one transaction. It is compared
with the driver alone, which inserts one row a commit, and which writes the rows of the same
turn. All take turns, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median
from typing import Any

from tables import publish, setting, table

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
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.store import Runner, open_store

TURNS = (1, 4, 8, 32)
ROUNDS = 7
_names = count()
Turn = Callable[[], None]


def store_turn(location: str, size: int) -> tuple[Turn, str]:
    """A function that takes one turn, in an experiment of its own, and its uid."""
    spec = ExperimentSpec(
        parameters=(
            Parameter(
                name="x",
                parameter_type=ParameterType.DOUBLE,
                feasible_space=FeasibleSpace(min=0, max=1),
            ),
        ),
        objective=Objective(type=ObjectiveType.MAXIMIZE, objective_metric_name="score"),
        algorithm=AlgorithmSpec(algorithm_name="random"),
        parallel_trial_count=32,
    )
    store, me = open_store(location), Runner.current()
    document = ExperimentDocument(metadata=Metadata(name=f"turns-{next(_names)}"), spec=spec)
    uid = store.create_experiment(document, identity="turns").uid
    store.acquire_lease(uid, me)
    position = 0

    def turn() -> None:
        nonlocal position
        ended = range(max(position - size, 0), position)
        started = range(position, position + size)
        with store.transaction(uid, me.id) as writes:
            for number in ended:
                observation = Observation(metric="score", value=0.5, time=time.time())
                writes.observe(number, [observation], 1)
                writes.finish_trial(number, TrialState.SUCCEEDED)
            for number in started:
                writes.start_trial(number, new=Trial(number, {"x": number / 7}))
        position += size

    return turn, uid


_TABLES = (
    "CREATE TABLE {0}_e (id INTEGER PRIMARY KEY, revision INTEGER)",
    "CREATE TABLE {0}_t (id INTEGER PRIMARY KEY, row TEXT, metrics TEXT)",
    "CREATE TABLE {0}_o (number INTEGER, value DOUBLE PRECISION, time DOUBLE PRECISION)",
)
_ROW = json.dumps({"x": 0.123456789, "state": "Running", "more": "x" * 120})
_METRICS = json.dumps({"score": {"latest": 0.5, "min": 0.5, "max": 0.5, "count": 1}})


def driver_turns(location: str, size: int) -> tuple[Turn, Turn]:
    """The driver alone: a row and a commit, *size* times; and the rows of a turn in a commit."""
    connection: Any
    if location.startswith("postgresql"):
        import psycopg

        connection, mark = psycopg.connect(location), "%s"
    else:
        connection, mark = sqlite3.connect(location), "?"
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
    name = f"bare_{next(_names)}"
    for statement in _TABLES:
        connection.execute(statement.format(name))
    connection.execute(f"INSERT INTO {name}_e VALUES (1, 1)")
    connection.commit()
    position = 0
    insert = f"INSERT INTO {name}_t (id, row) VALUES ({mark}, {mark})"

    def single() -> None:
        nonlocal position
        for number in range(position, position + size):
            connection.execute(insert, (number, _ROW))
            connection.commit()
        position += size

    def batch() -> None:
        nonlocal position
        numbers = range(position, position + size)
        cursor = connection.cursor()
        cursor.execute(f"UPDATE {name}_e SET revision = revision + 1 WHERE id = 1")
        cursor.executemany(insert, [(number, _ROW) for number in numbers])
        cursor.executemany(
            f"UPDATE {name}_t SET metrics = {mark} WHERE id = {mark}",
            [(_METRICS, number - size) for number in numbers],
        )
        cursor.executemany(
            f"INSERT INTO {name}_o VALUES ({mark}, {mark}, {mark})",
            [(number, 0.5, time.time()) for number in numbers],
        )
        connection.commit()
        position += size

    return single, batch


def rate(turn: Turn, size: int, seconds: float) -> float:
    """Trials a second."""
    begun, turns = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        turn()
        turns += 1
    return size * turns / (time.perf_counter() - begun)


def _watch(location: str, uid: str, started: Event) -> None:
    """Follow an experiment as a viewer does, ten times a second at most."""
    store = open_store(location)
    with store.watch() as watch:
        revision = 0
        while True:
            changes = store.changes(uid, revision)
            assert changes is not None
            revision = changes.revision
            started.set()
            time.sleep(0.1)
            watch.wait(60)


def watched(location: str, uid: str) -> Iterator[None]:
    """A watcher in a process of its own, which `close` ends."""
    spawn = multiprocessing.get_context("spawn")
    started = spawn.Event()
    process = spawn.Process(target=_watch, args=(location, uid, started), daemon=True)
    process.start()
    started.wait()
    try:
        yield
    finally:
        process.kill()
        process.join()


def measure(location: str, bare: str, seconds: float) -> Iterator[tuple[str, ...]]:
    """Rows of the table."""
    for size in TURNS:
        turn, uid = store_turn(location, size)
        single, batch = driver_turns(bare, size)
        for warm_up in (turn, single, batch):
            for _ in range(10):
                warm_up()
        rates: list[tuple[float, ...]] = []
        for _ in range(ROUNDS):
            alone = [rate(each, size, seconds) for each in (turn, single, batch)]
            watcher = watched(location, uid)
            next(watcher)
            rates.append((*alone, rate(turn, size, seconds)))
            watcher.close()  # type: ignore[attr-defined]
        trials, rows, turns = (median(column) for column in list(zip(*rates, strict=True))[:3])
        yield (
            str(size),
            *(f"{each:.0f}" for each in (trials, rows, turns)),
            f"{median(each[0] / each[1] for each in rates):.2f}",
            f"{median(each[0] / each[2] for each in rates):.2f}",
            f"{median(each[3] / each[0] for each in rates):.2f}",
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgresql", metavar="URL")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    header = ("turn", "trials/s", "rows/s", "driver/s", "to rows", "to driver", "watched")
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        places = [("SQLite", str(Path(folder) / "a.db"), str(Path(folder) / "b.db"))]
        if options.postgresql:
            places.append(("PostgreSQL", options.postgresql, options.postgresql))
        for name, location, bare in places:
            lines += [f"{name}:", "", *table(header, measure(location, bare, options.seconds)), ""]
    packages = ["hpo_lab", "sqlalchemy", *(["psycopg"] if options.postgresql else [])]
    publish("store-turns", [*lines, setting(*packages)], write=options.write)


if __name__ == "__main__":
    main()
