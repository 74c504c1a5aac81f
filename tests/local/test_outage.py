"""A store that is away is waited for; a store that is gone ends the run."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from hpo_lab.experiment.trial import TrialState
from hpo_lab.local.runner import local_runner
from hpo_lab.running import retrying
from hpo_lab.store import Store, StoreGone, StoreUnavailable, Transaction, database, open_store
from tests.local.conftest import enrolled_in


def steps(x):
    import time

    from hpo_lab import report

    for step in range(10):
        report(step=step, score=x)
        time.sleep(0.1)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SQLite that says within a moment that it is locked."""
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.1)


@contextmanager
def after_first_report(store: Store, uid: str, happens) -> Iterator[None]:
    """Have *happens* called in a thread when a trial has reported."""

    def wait() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not store.observations(uid, limit=1):
            time.sleep(0.05)
        happens()

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def check_whole(store: Store, uid: str, count: int) -> None:
    """Every trial has run once, with all that it reported, each once."""
    trials = store.trials(uid)
    assert [trial.state for trial in trials] == [TrialState.SUCCEEDED] * count
    assert [trial.attempt for trial in trials] == [1] * count
    for trial in trials:
        reported = [each.step for each in store.observations(uid, trial.number)]
        assert reported[:10] == [*range(10)]


def test_a_lock_is_waited_for(impatient: None, store: Store, enrolled, capfd) -> None:
    record = enrolled(steps, trials=4, parallel=2)

    def lock() -> None:
        other = sqlite3.connect(store.location)
        other.execute("BEGIN IMMEDIATE")
        time.sleep(2)
        other.rollback()

    with after_first_report(store, record.uid, lock):
        verdict = local_runner(store, record.uid).run()

    assert verdict.state == "Succeeded"
    check_whole(store, record.uid, 4)
    said = capfd.readouterr().err
    assert said.count("does not answer (database is locked); it is asked again") == 1
    assert said.count("The store answers again") == 1
    assert "Traceback" not in said


@pytest.mark.postgresql
def test_a_server_that_restarts_is_waited_for(new_database, capfd) -> None:
    url = new_database()
    server, _, name = url.rpartition("/")
    store = open_store(url)
    record = enrolled_in(store, steps, trials=4, parallel=2)

    def restart() -> None:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            time.sleep(2)
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())

    with after_first_report(store, record.uid, restart):
        verdict = local_runner(store, record.uid).run()

    assert verdict.state == "Succeeded"
    check_whole(store, record.uid, 4)
    assert "does not answer" in capfd.readouterr().err


def test_what_was_written_although_the_answer_was_lost_is_not_written_twice(
    store: Store, enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = enrolled(steps, trials=4, parallel=2)
    transaction = Store.transaction
    calls = iter(range(1000))

    @contextmanager
    def losing(self: Store, uid: str, runner_id: str | None = None) -> Iterator[Transaction]:
        with transaction(self, uid, runner_id) as made:
            yield made
        if next(calls) % 3 == 0:
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    monkeypatch.setattr(Store, "transaction", losing)
    monkeypatch.setattr(retrying, "_PAUSE", 0.01)

    assert local_runner(store, record.uid).run().state == "Succeeded"
    check_whole(store, record.uid, 4)


def test_who_does_not_wait_any_longer_can_resume(
    impatient: None, store: Store, enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = enrolled(steps, trials=4, parallel=2)
    runner = local_runner(store, record.uid)
    other = sqlite3.connect(store.location, check_same_thread=False)

    def lock() -> None:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(1)
        runner.stop()

    with (
        after_first_report(store, record.uid, lock),
        pytest.raises(StoreUnavailable, match=r"locked\); .* goes on with: hpo-lab resume steps"),
    ):
        runner.run()
    other.close()
    # As where its process ends, which is this one here.
    assert store.release_lease(record.uid, runner._runner.id)

    assert local_runner(store, record.uid).run().state == "Succeeded"
    trials = store.trials(record.uid)
    assert {trial.state for trial in trials} == {TrialState.SUCCEEDED}
    # Those that were ended ran again, and what they had reported before is not there.
    assert {len(store.observations(record.uid, n)) for n in range(4)} == {10}


@pytest.mark.parametrize("replaced", [False, True])
def test_a_store_that_is_gone_ends_the_run(store: Store, enrolled, replaced: bool) -> None:
    record = enrolled(steps, trials=50, parallel=2)
    path = Path(store.location)

    def remove() -> None:
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        if replaced:
            open_store(path).close()

    with (
        after_first_report(store, record.uid, remove),
        pytest.raises(StoreGone, match="was deleted or replaced while steps ran"),
    ):
        local_runner(store, record.uid).run()

    assert path.exists() == replaced


def test_a_runner_in_the_background_says_it(store: Store, enrolled) -> None:
    record = enrolled(steps, trials=50, parallel=2)
    path = Path(store.location)
    runner = subprocess.Popen(
        [sys.executable, "-m", "hpo_lab.local", record.uid],
        env={**os.environ, "HPO_LAB_STORE": store.location},
        stderr=subprocess.PIPE,
        text=True,
    )

    def remove() -> None:
        store.close()
        path.unlink()

    with after_first_report(store, record.uid, remove):
        _, said = runner.communicate(timeout=60)

    assert runner.returncode == 1
    assert "was deleted or replaced while steps ran" in said and "Traceback" not in said
    assert not path.exists()
