"""Many records in one transaction."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.store import Artifact, ExperimentRecord, NotFound, Store, Transaction, open_store
from tests.store_writes import add_artifact, add_observations, finish_trial, start_trial

from .conftest import document, start


def score(value: float) -> list[Observation]:
    return [Observation(metric="score", value=value, time=1.0)]


def note(number: int | None, content: bytes = b"x") -> Artifact:
    return Artifact(name="n", media_type="text/plain", content=content, number=number)


def turn(store: Store, uid: str, ended: range, started: range) -> None:
    """End some trials and start others."""
    with store.transaction(uid) as transaction:
        for number in ended:
            transaction.observe(number, score(number), 1)
            transaction.finish_trial(number, TrialState.SUCCEEDED, artifacts=[note(number)])
        for number in started:
            transaction.start_trial(number, new=Trial(number), handle=f"job-{number}")


def test_a_turn_takes_as_many_statements_for_few_trials_as_for_many(
    store: Store, experiment: ExperimentRecord
) -> None:
    uid, statements = experiment.uid, list[str]()
    start(store, uid, *map(Trial, range(34)))

    @event.listens_for(store._engine, "before_cursor_execute")
    def count(connection: object, cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    turn(store, uid, range(2), range(34, 36))
    few = len(statements)
    turn(store, uid, range(2, 34), range(36, 68))
    assert len(statements) == 2 * few
    assert few <= 7


def test_all_or_nothing(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    start(store, uid, Trial(0))
    before = store.experiment_by_uid(uid), store.trials(uid)
    with pytest.raises(NotFound, match="no trial 7"), store.transaction(uid) as transaction:
        transaction.observe(0, score(1), 1)
        transaction.finish_trial(0, TrialState.SUCCEEDED)
        transaction.set_condition("Running", "Now", "")
        transaction.set_best(0)
        transaction.add_artifact(note(None))
        transaction.start_trial(1, new=Trial(1))
        transaction.requeue_trial(7)
    assert (store.experiment_by_uid(uid), store.trials(uid)) == before
    assert store.artifacts(uid) == []
    assert store.observations(uid) == []
    assert finish_trial(store, uid, 0, TrialState.SUCCEEDED)


def test_a_missing_file_is_told_before_anything_is_written(
    store: Store, experiment: ExperimentRecord, tmp_path: Path
) -> None:
    uid = experiment.uid
    start(store, uid, Trial(0))
    missing = Artifact(name="m", media_type="text/plain", path=tmp_path / "none", number=0)
    with pytest.raises(FileNotFoundError):
        finish_trial(store, uid, 0, TrialState.SUCCEEDED, artifacts=[missing])
    assert store.trials(uid)[0].state is TrialState.RUNNING


def test_a_file_is_measured_once(
    store: Store, experiment: ExperimentRecord, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one")
    artifact = Artifact(name="log", media_type="text/plain", path=path).measured()
    path.write_bytes(b"other")
    add_artifact(store, experiment.uid, artifact)
    (record,) = store.artifacts(experiment.uid)
    assert (record.size, record.sha256) == (3, artifact.sha256)


def test_what_another_writes_in_between_is_seen(store: Store, experiment: ExperimentRecord) -> None:
    uid, other = experiment.uid, open_store(store.location)
    start(store, uid, Trial(0), Trial(1))
    assert add_observations(other, uid, 1, score(0.5), 10)
    assert finish_trial(other, uid, 0, TrialState.FAILED)
    start(other, uid, Trial(2, {"lr": 0.25}))
    assert not finish_trial(store, uid, 0, TrialState.SUCCEEDED)
    assert not add_observations(store, uid, 1, score(0.5), 10)
    assert start_trial(store, uid, 2, new=Trial(2)).assignments == {"lr": 0.25}
    other.close()


def test_the_first_report_of_a_new_trial_may_end_at_the_first_byte(
    store: Store, experiment: ExperimentRecord
) -> None:
    with store.transaction(experiment.uid) as transaction:
        transaction.start_trial(0, new=Trial(0))
        assert transaction.observe(0, score(0.5), 1)
    assert [each.value for each in store.observations(experiment.uid)] == [0.5]


def test_an_ended_trial_above_a_new_number_is_seen(
    store: Store, experiment: ExperimentRecord
) -> None:
    uid = experiment.uid
    start(store, uid, Trial(5))
    finish_trial(store, uid, 5, TrialState.SUCCEEDED)
    with store.transaction(uid) as transaction:
        transaction.start_trial(2, new=Trial(2))
        with pytest.raises(ValueError, match="trial 5 has ended"):
            transaction.start_trial(5, new=Trial(5))
    assert [trial.number for trial in store.trials(uid)] == [2, 5]


def test_an_end_brings_what_the_trial_left(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    turn(store, uid, range(0), range(2))
    turn(store, uid, range(1), range(0))
    assert [(each.number, each.name) for each in store.artifacts(uid)] == [(0, "n")]

    with store.transaction(uid) as transaction:
        assert transaction.finish_trial(1, TrialState.FAILED)
    record = store.trial(uid, 1)
    assert record is not None
    assert record.offset == 0


def test_a_requeue_forgets_what_came_before_it_alone(
    store: Store, experiment: ExperimentRecord
) -> None:
    uid = experiment.uid
    start(store, uid, Trial(0), Trial(1))
    with store.transaction(uid) as transaction:
        for number in (0, 1):
            assert transaction.observe(number, score(number), 10)
        assert transaction.requeue_trial(0) == 2
        assert transaction.observe(0, score(7.0), 1)
    stored = [(each.number, each.attempt, each.value) for each in store.observations(uid)]
    assert sorted(stored) == [(0, 2, 7.0), (1, 1, 1.0)]


def _start(transaction: Transaction, number: int) -> object:
    try:
        return transaction.start_trial(number, 1.0, new=Trial(number), handle="h")
    except ValueError as error:
        return str(error)


def _finish(transaction: Transaction, number: int) -> object:
    try:
        return transaction.finish_trial(
            number, TrialState.SUCCEEDED, 2.0, artifacts=[note(number, b"end")]
        )
    except NotFound:
        return None


def _observe(transaction: Transaction, number: int) -> object:
    try:
        return transaction.observe(number, score(1.0), 10)
    except NotFound:
        return None


def _requeue(transaction: Transaction, number: int) -> object:
    try:
        return transaction.requeue_trial(number)
    except NotFound:
        return None


def _keep(transaction: Transaction, number: int) -> object:
    return transaction.add_artifact(note(number, b"kept"))


writes = st.lists(
    st.tuples(st.sampled_from([_start, _finish, _observe, _requeue, _keep]), st.integers(0, 2)),
    max_size=12,
)


def test_together_or_one_by_one_is_the_same(store: Store) -> None:
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(writes)
    def check(calls: list[tuple[object, int]]) -> None:
        states = []
        for together in (True, False):
            uid = store.create_experiment(document(), identity="1").uid
            if together:
                with store.transaction(uid) as transaction:
                    answers = [call(transaction, number) for call, number in calls]  # type: ignore[operator]
            else:
                answers = []
                for call, number in calls:
                    with store.transaction(uid) as transaction:
                        answers.append(call(transaction, number))  # type: ignore[operator]
            records = [store.trial(uid, number) for number in range(3)]
            states.append(
                (
                    answers,
                    [each and (each.trial, each.offset, each.handle) for each in records],
                    sorted((e.number, e.attempt, e.value) for e in store.observations(uid)),
                    sorted((each.number, each.sha256) for each in store.artifacts(uid)),
                )
            )
            store.delete_experiment(uid)
        assert states[0] == states[1]

    check()
