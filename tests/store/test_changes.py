"""Revisions, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.store import Artifact, Changes, ExperimentRecord, LeaseLost, Runner, Store
from tests.store_writes import (
    add_artifact,
    add_observations,
    finish_trial,
    requeue_trial,
    set_document,
    start_trial,
)

from .conftest import document, fork, in_processes, start

Write = Callable[[Store, str], object]
MINE = Runner("mine", "elsewhere.example", 1, 0.0)
NOTE = Artifact(name="n", media_type="text/plain", content=b"x")
SCORE = Observation(metric="score", value=1.0, time=1.0)


def changes(store: Store, uid: str, since: int) -> Changes:
    answer = store.changes(uid, since)
    assert answer is not None
    return answer


@pytest.fixture
def uid(store: Store, experiment: ExperimentRecord) -> str:
    """An experiment of which trial 0 runs and trial 1 has ended, and that *MINE* runs."""
    assert store.acquire_lease(experiment.uid, MINE, 1e12)
    start(store, experiment.uid, Trial(0), Trial(1))
    finish_trial(store, experiment.uid, 1, TrialState.FAILED)
    store.set_condition(experiment.uid, "Running", "Again", "and again")
    return experiment.uid


OWN: list[Write] = [
    lambda store, uid: store.set_condition(uid, "Succeeded", "Done", ""),
    lambda store, uid: store.request_stop(uid),
    lambda store, uid: set_document(store, uid, document(max_trial_count=9)),
    lambda store, uid: store.enqueue(uid, [{"lr": 0.01}]),
    lambda store, uid: store.release_lease(uid, MINE.id),
]
OF_TRIALS: list[tuple[Write, list[int]]] = [
    (lambda store, uid: start_trial(store, uid, 2, new=Trial(2)), [2]),
    (lambda store, uid: start_trial(store, uid, 0, handle="again"), [0]),
    (lambda store, uid: finish_trial(store, uid, 0, TrialState.KILLED), [0]),
    (lambda store, uid: requeue_trial(store, uid, 1), [1]),
    (lambda store, uid: add_observations(store, uid, 0, [SCORE], 10), [0]),
    (lambda store, uid: add_artifact(store, uid, replace(NOTE, number=1)), [1]),
    (lambda store, uid: add_artifact(store, uid, NOTE), []),
]
NO_CHANGES: list[Write] = [
    lambda store, uid: finish_trial(store, uid, 1, TrialState.SUCCEEDED, artifacts=[NOTE]),
    lambda store, uid: add_observations(store, uid, 0, [], 0),
    lambda store, uid: store.set_condition(uid, "Running", "Again", "and again"),
    lambda store, uid: store.renew_lease(uid, MINE.id, 2e12),
    lambda store, uid: store.acquire_lease(uid, MINE, 2e12),
    lambda store, uid: store.acquire_lease(uid, replace(MINE, id="other"), 1e12),
    lambda store, uid: store.release_lease(uid, "other"),
]


def test_a_change_of_the_experiment_itself(store: Store, uid: str) -> None:
    for write in OWN:
        before = changes(store, uid, 0).revision
        write(store, uid)
        answer = changes(store, uid, before)
        assert answer.revision > before
        assert answer.experiment == store.experiment_by_uid(uid)
        assert answer.trials == []
        assert store.revisions() == {uid: answer.revision}


def test_a_change_of_trials(store: Store, uid: str) -> None:
    for write, numbers in OF_TRIALS:
        before = changes(store, uid, 0).revision
        write(store, uid)
        answer = changes(store, uid, before)
        assert answer.revision > before
        assert answer.experiment is None
        assert answer.trials == store.trials(uid, numbers)
        assert [trial.number for trial in answer.trials] == numbers


def test_what_changes_nothing_makes_no_revision(store: Store, uid: str) -> None:
    before = changes(store, uid, 0)
    for write in NO_CHANGES:
        write(store, uid)
    with pytest.raises(LeaseLost):
        start_trial(store, uid, 2, new=Trial(2), runner_id="other")
    with pytest.raises(ValueError, match="has ended"):
        start_trial(store, uid, 1)
    after = changes(store, uid, 0)
    assert (after.revision, after.trials) == (before.revision, before.trials)
    assert after.lease is not None
    assert after.lease.heartbeat_at == 2e12
    assert changes(store, uid, after.revision) == replace(after, experiment=None, trials=[])


def test_a_new_lease_is_a_change(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    assert store.acquire_lease(uid, MINE, 1.0)
    answer = changes(store, uid, experiment.revision)
    assert answer.lease is not None
    assert answer.lease.runner == MINE
    assert answer.experiment == store.experiment_by_uid(uid)


def test_a_deleted_experiment_is_told(store: Store, uid: str) -> None:
    other = store.create_experiment(document("b", "team"), identity="1", place="cluster")
    assert other.place == "cluster"
    store.delete_experiment(uid)
    assert store.changes(uid, 1) is None
    assert store.revisions() == {other.uid: other.revision}


def test_a_sqlite_without_returning(
    store: Store, uid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store._engine.dialect, "update_returning", False)
    before = changes(store, uid, 0).revision
    start_trial(store, uid, 2, new=Trial(2), runner_id=MINE.id)
    assert [trial.number for trial in changes(store, uid, before).trials] == [2]
    with pytest.raises(LeaseLost):
        start_trial(store, uid, 3, new=Trial(3), runner_id="other")


PROCESSES, TRIALS = 4, 12


def write(barrier: object, index: int, store: Store, uid: str) -> None:
    """Write trials of its own, several in a transaction, beside the other processes."""
    barrier.wait()  # type: ignore[attr-defined]
    for number in range(index, PROCESSES * TRIALS, PROCESSES):
        with store.transaction(uid) as transaction:
            transaction.start_trial(number, new=Trial(number))
            if number >= PROCESSES:
                transaction.observe(number - PROCESSES, [SCORE], 10)
        if number >= PROCESSES:
            finish_trial(store, uid, number - PROCESSES, TrialState.SUCCEEDED)


def follow(store: Store, uid: str, done: object) -> None:
    """Follow by changes alone, and compare with all there is at the end."""
    seen: dict[int, Trial] = {}
    revision = 0
    while True:
        is_over = done.is_set()  # type: ignore[attr-defined]
        answer = changes(store, uid, revision)
        assert answer.revision >= revision
        revision = answer.revision
        seen.update((trial.number, trial) for trial in answer.trials)
        if is_over:
            break
    assert list(seen.values()) and [seen[number] for number in sorted(seen)] == store.trials(uid)
    assert len(seen) == PROCESSES * TRIALS


def test_a_follower_misses_nothing(store: Store, experiment: ExperimentRecord) -> None:
    done = fork.Event()
    followers = [fork.Process(target=follow, args=(store, experiment.uid, done)) for _ in range(2)]
    for follower in followers:
        follower.start()
    in_processes(write, PROCESSES, store, experiment.uid)
    done.set()
    for follower in followers:
        follower.join(60)
    assert [follower.exitcode for follower in followers] == [0, 0]


def test_the_best_trial_is_in_the_overview(store: Store, uid: str) -> None:
    def overview() -> tuple[int | None, bool]:
        (answer,) = store.overviews()
        assert answer.experiment == store.experiment_by_uid(uid)
        return answer.best and answer.best.number, answer.best_is_known

    assert overview() == (None, True)  # no trial has been measured
    finish_trial(store, uid, 0, TrialState.SUCCEEDED)
    assert overview() == (None, False)
    with store.transaction(uid) as transaction:
        transaction.set_best(None)
    assert overview() == (None, True)
    before = changes(store, uid, 0).revision
    with store.transaction(uid) as transaction:
        transaction.start_trial(5, new=Trial(5))
        transaction.observe(5, [SCORE], 1)
        transaction.finish_trial(5, TrialState.SUCCEEDED)
        transaction.set_best(5)
    assert overview() == (5, True)
    record = changes(store, uid, before).experiment
    assert record is not None
    assert record.best == 5
    assert store.overviews()[0].best == store.trials(uid, [5])[0]
    requeue_trial(store, uid, 5)
    assert overview() == (None, False)


def test_the_first_trial_may_be_the_best(store: Store, uid: str) -> None:
    with store.transaction(uid) as transaction:
        transaction.observe(0, [SCORE], 1)
        transaction.finish_trial(0, TrialState.SUCCEEDED)
        transaction.set_best(0)
    (overview,) = store.overviews()
    assert overview.best == store.trials(uid, [0])[0]
    assert overview.best_is_known


def test_a_new_experiment_has_not_changed_since_it_was_created(
    store: Store, experiment: ExperimentRecord
) -> None:
    answer = changes(store, experiment.uid, experiment.revision)
    assert answer.revision == experiment.revision
    assert (answer.experiment, answer.trials) == (None, [])


def test_changed_trials_come_by_number(store: Store, experiment: ExperimentRecord) -> None:
    start(store, experiment.uid, Trial(2), Trial(0), Trial(1))
    answer = changes(store, experiment.uid, experiment.revision)
    assert [trial.number for trial in answer.trials] == [0, 1, 2]
