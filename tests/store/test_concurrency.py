"""Several processes on one store; forked, so that a fork must be harmless too."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.store import ExperimentRecord, NameTaken, Store, open_store
from tests.store_writes import add_observations, finish_trial, start_trial

from .conftest import document, fork, in_processes, start

PROCESSES, TRIALS, REPORTS = 8, 5, 20


def batch(start: int) -> list[Observation]:
    return [
        Observation(metric="loss", value=float(step), time=float(step), step=step)
        for step in range(start, start + REPORTS)
    ]


def run_trials(store: Store, uid: str, numbers: range) -> None:
    for number in numbers:
        start_trial(store, uid, number, new=Trial(number, {"lr": number / 10}))
        add_observations(store, uid, number, batch(0), 100)
        finish_trial(
            store, uid, number, TrialState.SUCCEEDED, observations=batch(REPORTS), offset=200
        )


def check_complete(store: Store, uid: str) -> None:
    trials = store.trials(uid)
    assert [trial.number for trial in trials] == list(range(PROCESSES * TRIALS))
    assert {trial.state for trial in trials} == {TrialState.SUCCEEDED}
    assert {trial.metrics["loss"].count for trial in trials} == {2 * REPORTS}
    for trial in trials:
        steps = [one.step for one in store.observations(uid, trial.number)]
        assert steps == list(range(2 * REPORTS))


def open_and_run(barrier: object, index: int, location: str) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    store = open_store(location)
    with contextlib.suppress(NameTaken):
        store.create_experiment(document(), identity="1")
    (record,) = store.named("digits")
    run_trials(store, record.uid, range(index * TRIALS, (index + 1) * TRIALS))


def test_processes_that_open_a_new_store_at_once(location: str) -> None:
    in_processes(open_and_run, PROCESSES, location)
    store = open_store(location)
    (record,) = store.experiments()
    check_complete(store, record.uid)
    store.close()


def go_on(barrier: object, index: int, store: Store, uid: str) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    run_trials(store, uid, range(index * TRIALS, (index + 1) * TRIALS))


def test_a_store_is_used_on_both_sides_of_a_fork(
    store: Store, experiment: ExperimentRecord
) -> None:
    assert store.trials(experiment.uid) == []  # leaves an idle connection behind
    in_processes(go_on, PROCESSES, store, experiment.uid)
    check_complete(store, experiment.uid)


def test_threads_share_a_store(store: Store, experiment: ExperimentRecord) -> None:
    with ThreadPoolExecutor(PROCESSES) as pool:
        jobs = [
            pool.submit(
                run_trials, store, experiment.uid, range(index * TRIALS, (index + 1) * TRIALS)
            )
            for index in range(PROCESSES)
        ]
        for job in jobs:
            job.result()
    check_complete(store, experiment.uid)


def test_a_trial_ends_once(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    numbers = range(10)
    start(store, uid, *map(Trial, numbers))
    together = threading.Barrier(PROCESSES)

    def end(number: int) -> bool:
        together.wait()
        return finish_trial(
            store, uid, number, TrialState.SUCCEEDED, observations=batch(0), offset=100
        )

    with ThreadPoolExecutor(PROCESSES) as pool:
        for number in numbers:
            assert sum(pool.map(end, [number] * PROCESSES)) == 1
    assert Counter(one.number for one in store.observations(uid)) == dict.fromkeys(numbers, REPORTS)


def write_for_ever(location: str, uid: str, done: Connection) -> None:
    store = open_store(location)
    start(store, uid, Trial(0))
    for count in range(1, 100_000):
        add_observations(store, uid, 0, batch(0), count)
        done.send(count)


def test_a_killed_writer_leaves_whole_transactions(
    store: Store, experiment: ExperimentRecord, tmp_path: Path
) -> None:
    uid = experiment.uid
    reader, writer = fork.Pipe(duplex=False)
    process = fork.Process(target=write_for_ever, args=(store.location, uid, writer))
    process.start()
    writer.close()
    acknowledged = 0
    while acknowledged < 20:
        acknowledged = reader.recv()
    time.sleep(0.05)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while True:
        try:
            acknowledged = reader.recv()
        except EOFError:
            break
    # On PostgreSQL the server may still be ending the transaction of the lost client.
    assert start_trial(store, uid, 1, new=Trial(1))
    record = store.trial(uid, 0)
    assert record is not None
    assert record.offset in (acknowledged, acknowledged + 1)
    assert record.trial.metrics["loss"].count == record.offset * REPORTS
    assert len(store.observations(uid, 0)) == record.offset * REPORTS
    if Path(store.location).exists():
        with sqlite3.connect(store.location) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
