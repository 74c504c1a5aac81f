from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import psutil
import pytest

from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.store import (
    LEASE_SECONDS,
    ExperimentRecord,
    LeaseLost,
    Runner,
    Store,
    lease,
)
from tests.store_writes import add_observations, finish_trial, requeue_trial, start_trial


@pytest.fixture
def other() -> Iterator[tuple[Runner, subprocess.Popen[bytes]]]:
    """A live runner in another process of this machine, which is a child that nobody reaps."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    runner = replace(
        Runner.current(),
        id="other",
        pid=process.pid,
        started=lease._started(psutil.Process(process.pid)),
    )
    yield runner, process
    process.kill()
    process.wait()


def _zombie(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)


def test_a_dead_process_loses_the_lease_and_a_live_one_keeps_it(
    store: Store, experiment: ExperimentRecord, other: tuple[Runner, subprocess.Popen[bytes]]
) -> None:
    uid, mine, (theirs, process) = experiment.uid, Runner.current(), other
    assert store.acquire_lease(uid, theirs, 1000.0)
    long_silent = 1000.0 + 100 * LEASE_SECONDS
    assert not store.acquire_lease(uid, mine, long_silent)
    record = store.experiment_by_uid(uid)
    assert record is not None
    assert record.lease is not None
    assert record.lease.runner == theirs
    assert record.is_active(long_silent)
    _zombie(process.pid)
    assert not record.is_active(long_silent)
    assert store.acquire_lease(uid, mine, long_silent)
    assert not store.renew_lease(uid, theirs.id)
    assert store.renew_lease(uid, mine.id)


def test_a_process_with_a_reused_id_is_dead(store: Store, experiment: ExperimentRecord) -> None:
    mine = Runner.current()
    earlier = replace(mine, id="earlier", started=mine.started - 60)
    assert store.acquire_lease(experiment.uid, earlier)
    assert store.acquire_lease(experiment.uid, mine)


@pytest.mark.parametrize(
    "machine",
    [
        lambda host, boot, namespace: host,  # as an earlier version wrote it
        lambda host, boot, namespace: f"{host} {boot} pid:[1]",
        lambda host, boot, namespace: f"{host} other {namespace}",
    ],
)
def test_another_container_or_machine_of_the_same_name_is_judged_by_its_heartbeat(
    store: Store, experiment: ExperimentRecord, machine: Callable[..., str]
) -> None:
    if sys.platform != "linux":
        pytest.skip("the boot is known on Linux alone")
    mine, (host, boot, namespace) = Runner.current(), lease.this_machine().split()
    # There is no such process here.
    theirs = Runner("theirs", machine(host, boot, namespace), 2**22 + 1, 0.0)
    assert store.acquire_lease(experiment.uid, theirs, 100.0)
    assert not store.acquire_lease(experiment.uid, mine, 100.0 + LEASE_SECONDS)
    assert store.acquire_lease(experiment.uid, mine, 101.0 + LEASE_SECONDS)


def test_a_clock_that_is_set_ends_no_lease(
    store: Store, experiment: ExperimentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Runner.current()
    assert store.acquire_lease(experiment.uid, mine, 1000.0)
    created = psutil.Process.create_time
    # The boot time, from which it is computed, moves with the clock.
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: created(self) + 10.0)
    assert not store.acquire_lease(experiment.uid, replace(mine, id="other"), 5000.0)


def test_another_machine_is_judged_by_its_heartbeat(
    store: Store, experiment: ExperimentRecord
) -> None:
    uid, mine = experiment.uid, Runner.current()
    far = Runner("far", "elsewhere.example", os.getpid(), mine.started)
    assert store.acquire_lease(uid, far, 100.0)
    assert store.renew_lease(uid, far.id, 200.0)
    assert not store.acquire_lease(uid, mine, 200.0 + LEASE_SECONDS)
    assert store.acquire_lease(uid, mine, 200.1 + LEASE_SECONDS)


def test_running_time_counts_what_runners_held(store: Store, experiment: ExperimentRecord) -> None:
    uid, mine = experiment.uid, Runner.current()
    far = Runner("far", "elsewhere.example", 1, 0.0)

    def seconds(now: float) -> float:
        record = store.experiment_by_uid(uid)
        assert record is not None
        return record.running_seconds(now)

    assert store.acquire_lease(uid, mine, 100.0)
    assert store.acquire_lease(uid, mine, 101.0)
    assert seconds(105.0) == 5.0
    assert store.release_lease(uid, mine.id, 110.0)
    assert not store.release_lease(uid, mine.id, 111.0)
    assert seconds(500.0) == 10.0
    assert store.acquire_lease(uid, far, 500.0)
    assert store.renew_lease(uid, far.id, 520.0)
    assert seconds(530.0) == 40.0
    assert seconds(900.0) == 30.0  # silent since 520
    assert store.acquire_lease(uid, mine, 1000.0)
    assert seconds(1001.0) == 31.0


def test_writes_are_fenced(store: Store, experiment: ExperimentRecord) -> None:
    uid, mine = experiment.uid, Runner.current()
    assert store.acquire_lease(uid, mine)
    start_trial(store, uid, 0, new=Trial(0), runner_id=mine.id)
    before = store.experiment_by_uid(uid), store.trial(uid, 0)
    observation = Observation(metric="a", value=1.0, time=1.0)
    writes: list[Callable[[], object]] = [
        lambda: start_trial(store, uid, 1, new=Trial(1), runner_id="old"),
        lambda: start_trial(store, uid, 0, runner_id="old"),
        lambda: finish_trial(store, uid, 0, TrialState.SUCCEEDED, runner_id="old"),
        lambda: requeue_trial(store, uid, 0, runner_id="old"),
        lambda: add_observations(store, uid, 0, [observation], 1, runner_id="old"),
        lambda: store.set_condition(uid, "Running", "", "", runner_id="old"),
    ]
    for write in writes:
        with pytest.raises(LeaseLost, match="runner old no longer holds"):
            write()
    assert (store.experiment_by_uid(uid), store.trial(uid, 0)) == before
    assert len(store.trials(uid)) == 1
    start_trial(store, uid, 0, runner_id=mine.id)


def test_a_process_is_known_by_when_it_was_created() -> None:
    mine = Runner.current()
    assert mine.is_running()
    # The boot time, from which it is computed, moves a little with the wall clock.
    assert replace(mine, started=mine.started + 1.5).is_running()
    assert replace(mine, started=mine.started - 1.5).is_running()
    assert not replace(mine, started=mine.started + 2.5).is_running()
    assert not replace(mine, started=mine.started - 2.5).is_running()


def test_a_process_that_is_gone_does_not_run() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert not replace(Runner.current(), pid=process.pid).is_running()


def test_a_process_that_may_not_be_looked_at_is_taken_to_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = Runner.current()

    def deny(process: psutil.Process) -> str:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "status", deny)
    assert mine.is_running()
