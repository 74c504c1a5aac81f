"""The wake-up; its timeouts are so long that only a wake-up that is missed reaches them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from hpo_lab.experiment.trial import Trial
from hpo_lab.store import ExperimentRecord, Store, Watch, open_store

from .conftest import fork, start

LONG = 60.0


def test_it_wakes_once_for_a_change(store: Store, experiment: ExperimentRecord) -> None:
    with store.watch() as watch:
        start(store, experiment.uid, Trial(0))  # before anybody waits
        assert watch.wait(LONG)
        assert not watch.wait(0.2)
        other = open_store(store.location)
        with ThreadPoolExecutor(1) as pool:
            woken = pool.submit(watch.wait, LONG)
            start(other, experiment.uid, Trial(1))
            assert woken.result()
        other.delete_experiment(experiment.uid)
        assert watch.wait(LONG)
        other.close()


def test_what_is_rolled_back_is_no_change(store: Store, experiment: ExperimentRecord) -> None:
    with store.watch() as watch:
        with pytest.raises(ZeroDivisionError), store.transaction(experiment.uid) as transaction:
            transaction.set_best(None)
            raise ZeroDivisionError
        if not store.location.startswith("postgresql"):
            assert not watch.wait(0.2)


def test_closing_ends_a_wait(store: Store) -> None:
    watch = store.watch()
    waiting = threading.Event()

    def wait() -> bool:
        waiting.set()
        return watch.wait(LONG)

    with ThreadPoolExecutor(1) as pool:
        woken = pool.submit(wait)
        waiting.wait()
        watch.close()
        assert not woken.result()
    assert not watch.wait(LONG)


def wait_in_child(watch: Watch, store: Store, uid: str) -> None:
    watch.wait(0)  # may be told of the new connection
    start(store, uid, Trial(0))
    assert watch.wait(LONG)


def test_it_is_used_on_both_sides_of_a_fork(store: Store, experiment: ExperimentRecord) -> None:
    with store.watch() as watch:
        process = fork.Process(target=wait_in_child, args=(watch, store, experiment.uid))
        process.start()
        process.join(LONG)
        assert process.exitcode == 0
        assert watch.wait(LONG)


@pytest.mark.parametrize(
    "store", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_a_lost_connection_is_made_again(store: Store, experiment: ExperimentRecord) -> None:
    with store.watch() as watch:
        with psycopg.connect(store.location.replace("+psycopg", "")) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert watch.wait(LONG)  # anything may have happened meanwhile
        while watch.wait(0.2):
            pass
        start(store, experiment.uid, Trial(0))
        assert watch.wait(LONG)
