from __future__ import annotations

import threading
import time

import pytest

from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade import follower
from hpo_lab.facade.follower import Follower, Pace
from hpo_lab.store import NotFound, Runner, Store
from tests.facade.conftest import Create, end


def test_a_look_reads_what_changed(
    store: Store, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = create(runs=True)
    for number in range(20):
        end(store, uid, number, {"score": number / 100})
    follower = Follower(store, uid)
    assert follower.look().completed == 20

    read: list[int] = []
    changes = Store.changes

    def counted(self: Store, uid: str, since: int = 0) -> object:
        answer = changes(self, uid, since)
        assert answer is not None
        read.extend(trial.number for trial in answer.trials)
        return answer

    monkeypatch.setattr(Store, "changes", counted)
    follower.look()
    assert read == []
    end(store, uid, 20, {"score": 0.5})
    summary = follower.look()
    assert read == [20]
    assert summary.best is not None and summary.best.number == 20
    assert summary.counts == {TrialState.SUCCEEDED: 21}


def test_a_twin_goes_on_from_what_is_read_and_apart(
    store: Store, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = create(runs=True)
    for number in range(3):
        end(store, uid, number, {"score": number / 100})
    follower = Follower(store, uid)
    before = follower.look()
    twin = follower.twin()
    end(store, uid, 3, {"score": 0.5})
    asked: list[int] = []
    changes = Store.changes

    def counted(self: Store, uid: str, since: int = 0) -> object:
        asked.append(since)
        return changes(self, uid, since)

    monkeypatch.setattr(Store, "changes", counted)
    summary = twin.look()
    assert asked == [follower.revision] and follower.revision > 0
    assert summary.completed == 4 and summary.best is not None and summary.best.number == 3
    # What the twin has read is no matter of the other.
    assert len(follower.tally.trials) == before.completed == 3
    assert [trial.number for trial in follower.tally.ranked()] == [2, 1, 0]
    assert follower.look().completed == 4
    # Of an experiment that nobody has looked at a twin reads all.
    assert Follower(store, uid).twin().look().completed == 4


def test_following_ends_with_the_experiment(store: Store, create: Create) -> None:
    uid = create(runs=True)

    def run() -> None:
        for number in range(3):
            end(store, uid, number, {"score": number})
            time.sleep(0.1)
        store.set_condition(uid, "Succeeded", "ExperimentMaxTrialsReached", "done")
        record = store.experiment_by_uid(uid)
        assert record is not None and record.lease is not None
        store.release_lease(uid, record.lease.runner.id)

    thread = threading.Thread(target=run)
    thread.start()
    summaries = list(Follower(store, uid).follow(until=time.monotonic() + 60))
    thread.join()
    assert [summary.is_over for summary in summaries] == sorted(s.is_over for s in summaries)
    assert summaries[-1].is_over and summaries[-1].completed == 3


def test_following_ends_when_it_is_told_to(store: Store, create: Create) -> None:
    follower = Follower(store, create(runs=True))
    assert [s.state for s in follower.follow(stop=lambda: True)] == ["Running"]
    assert [s.state for s in follower.follow(until=time.monotonic())] == ["Running"]


def test_a_deleted_experiment_is_no_more(store: Store, create: Create) -> None:
    uid = create("digits", runs=True)
    following = Follower(store, uid).follow()
    next(following)
    store.delete_experiment(uid)
    with pytest.raises(NotFound, match="digits was deleted"):
        list(following)


def test_a_dead_runner_is_noticed_though_nothing_changes(store: Store, create: Create) -> None:
    uid = create()
    runner = Runner("r", "elsewhere", 1, 0.0)
    now = time.time()
    store.acquire_lease(uid, runner, now=now - 29)
    store.set_condition(uid, "Running", "ExperimentRunning", "it runs", now=now - 29)
    summaries = list(Follower(store, uid).follow(until=time.monotonic() + 60))
    assert summaries[0].state == "Running"
    assert summaries[-1].state == "Interrupted"


def test_heartbeats_without_a_change_keep_a_runner_alive(store: Store, create: Create) -> None:
    uid = create()
    runner = Runner("r", "elsewhere", 1, 0.0)
    store.acquire_lease(uid, runner, now=0.0)
    store.set_condition(uid, "Running", "ExperimentRunning", "it runs", now=0.0)
    follower = Follower(store, uid)
    assert follower.look().state == "Interrupted"
    store.renew_lease(uid, runner.id)
    assert follower.look().state == "Running"


def test_an_outage_of_the_store_is_waited_for(
    store: Store, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = create(runs=True)
    monkeypatch.setattr(follower, "_AWAY", 0.0)
    told: list[bool] = []
    following = Follower(store, uid).follow(away=lambda: told.append(True))
    assert next(following).completed == 0
    end(store, uid, 0, {"score": 1.0})
    changes, failures = Store.changes, iter([OSError("away"), OSError("away")])

    def away(self: Store, uid: str, since: int = 0) -> object:
        if failure := next(failures, None):
            raise failure
        return changes(self, uid, since)

    monkeypatch.setattr(Store, "changes", away)
    assert next(following).completed == 1
    assert told == [True, True]


def test_what_never_answered_is_not_waited_for(
    store: Store, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: Store, uid: str, since: int = 0) -> object:
        raise OSError("away")

    follower = Follower(store, create())
    monkeypatch.setattr(Store, "changes", away)
    with pytest.raises(OSError):
        next(follower.follow())


def test_the_pace_rests_after_a_look_and_wakes_at_a_change(store: Store, create: Create) -> None:
    uid = create(runs=True)
    with Pace(store) as pace:
        with pace.look():
            # Seen at the next look, since it may have come after the reading.
            end(store, uid, 0, {"score": 1.0})
        assert not pace.wait()
        began = time.monotonic()
        assert pace.wait(60)
        assert time.monotonic() - began < 0.9
