from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from sqlalchemy.exc import StatementError

from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.store import (
    Artifact,
    ExperimentRecord,
    LeaseLost,
    NameTaken,
    NotFound,
    Runner,
    Store,
)
from tests.store_writes import (
    add_artifact,
    add_observations,
    clear_stop,
    finish_trial,
    set_document,
    start_trial,
)

from .conftest import start

Make = Callable[..., ExperimentDocument]


def test_comes_back_as_it_went_in(store: Store, document: Make) -> None:
    given = document("Größe-1")
    created = store.create_experiment(given, identity="abc", now=1763688912.123456)
    assert created.document == given
    values = created.document.spec.parameters[1].feasible_space.list
    assert values is not None
    assert [type(value) for value in values] == [str, int, float, bool, type(None), str]
    assert created.created_at == 1763688912.123456
    assert (created.state, created.started_at, created.lease) == ("Created", None, None)
    assert store.named("Größe-1") == [created] == [store.experiment_by_uid(created.uid)]
    assert not store.named("Größe-1", "other")
    assert store.experiment_by_uid("none") is None


def test_a_name_is_taken_once_per_namespace(store: Store, document: Make) -> None:
    store.create_experiment(document("a"), identity="1")
    store.create_experiment(document("a", "team"), identity="1")
    with pytest.raises(NameTaken, match="'a' exists already in namespace 'team'") as error:
        store.create_experiment(document("a", "team"), identity="2")
    assert (error.value.name, error.value.namespace) == ("a", "team")
    assert len(store.experiments()) == 2


def test_a_name_is_taken_once_per_project(store: Store, document: Make) -> None:
    here = store.create_experiment(document("a"), identity="1", project="/here", origin="a#1")
    there = store.create_experiment(document("a"), identity="2", project="/there")
    assert (here.project, here.origin) == ("/here", "a#1")
    assert there.origin is None
    assert {each.uid for each in store.named("a")} == {here.uid, there.uid}
    with pytest.raises(NameTaken):
        store.create_experiment(document("a"), identity="3", project="/here")
    with pytest.raises(NameTaken):
        store.move(there.uid, "/here", None)

    store.move(there.uid, "/elsewhere", "a#2")
    moved = store.experiment_by_uid(there.uid)
    assert moved is not None
    assert (moved.project, moved.origin) == ("/elsewhere", "a#2")


def test_related_are_those_of_the_project_of_the_names_and_of_the_identity(
    store: Store, document: Make
) -> None:
    for name, project, identity in [
        ("mine", "/here", "1"),
        ("nobodys", "", "2"),
        ("namesake", "/there", "3"),
        ("twin", "/there", "9"),
        ("stranger", "/there", "4"),
    ]:
        store.create_experiment(document(name), identity=identity, project=project)
    store.create_experiment(document("mine", "team"), identity="9", project="/here")
    related = store.related("default", project="/here", names=["namesake"], identity="9")
    assert {each.title for each in related} == {"mine", "nobodys", "namesake", "twin"}


def test_is_created_with_all_its_artifacts_or_not_at_all(store: Store, document: Make) -> None:
    bad = Artifact(name="b", media_type="text/plain", content="no bytes")  # type: ignore[arg-type]
    good = Artifact(name="a", media_type="text/plain", content=b"x")
    with pytest.raises(TypeError):
        store.create_experiment(document(), identity="1", artifacts=[good, bad])
    assert store.experiments() == []
    created = store.create_experiment(document(), identity="1", artifacts=[good])
    assert [one.name for one in store.artifacts(created.uid)] == ["a"]


def test_list_is_newest_first_with_counts(store: Store, document: Make) -> None:
    a = store.create_experiment(document("a"), identity="1", now=1.0)
    b = store.create_experiment(document("b", "team"), identity="1", now=2.0)
    start(store, a.uid, Trial(0), Trial(1), Trial(2))
    finish_trial(store, a.uid, 1, TrialState.FAILED)
    assert [one.name for one in store.experiments()] == ["b", "a"]
    assert [(one.experiment, one.counts) for one in store.overviews()] == [
        (store.experiment_by_uid(b.uid), {}),
        (store.experiment_by_uid(a.uid), {TrialState.RUNNING: 2, TrialState.FAILED: 1}),
    ]
    assert [one.experiment.uid for one in store.overviews("team")] == [b.uid]


def test_conditions(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    store.set_condition(uid, "Running", "ExperimentRunning", "Experiment is running", 10.0)
    store.set_condition(uid, "Running", "ExperimentRunning", "Experiment is running", 11.0)
    store.set_condition(uid, ExperimentState.SUCCEEDED, "GoalReached", "0.99 ≥ 0.98", 20.0)
    record = store.experiment_by_uid(uid)
    assert record is not None
    assert (record.state, record.reason, record.message) == (
        "Succeeded",
        "GoalReached",
        "0.99 ≥ 0.98",
    )
    assert (record.started_at, record.completed_at, record.updated_at) == (10.0, 20.0, 20.0)
    store.set_condition(uid, "Restarting", "ExperimentRestarting", "", 30.0)
    store.set_condition(uid, "Running", "ExperimentRunning", "Experiment is running", 31.0)
    record = store.experiment_by_uid(uid)
    assert record is not None
    assert (record.started_at, record.completed_at) == (10.0, None)
    assert [(one.type, one.time) for one in store.conditions(uid)] == [
        ("Created", 1000.0),
        ("Running", 10.0),
        ("Succeeded", 20.0),
        ("Restarting", 30.0),
        ("Running", 31.0),
    ]
    with pytest.raises(ValueError, match="Finished"):
        store.set_condition(uid, "Finished", "", "")


def test_control(store: Store, experiment: ExperimentRecord, document: Make) -> None:
    uid = experiment.uid
    assert not store.control(uid).stop_requested
    store.request_stop(uid)
    before = store.control(uid)
    assert before.stop_requested
    assert store.control(uid) == before
    stopped = store.experiment_by_uid(uid)
    assert stopped is not None
    # Who waits for a runner, or for the set-up, does so as long as before.
    assert stopped.updated_at == experiment.updated_at
    assert stopped.revision > experiment.revision
    set_document(store, uid, document(max_trial_count=50))
    record = store.experiment_by_uid(uid)
    assert record is not None
    assert record.document.spec.max_trial_count == 50
    assert record.updated_at > stopped.updated_at
    assert store.control(uid).changed > before.changed
    clear_stop(store, uid)
    assert not store.control(uid).stop_requested
    with pytest.raises(ValueError, match="default/digits cannot become default/other"):
        set_document(store, uid, document("other"))


def test_numbers_that_json_has_not_are_refused(store: Store, experiment: ExperimentRecord) -> None:
    with pytest.raises((StatementError, ValueError), match="not JSON compliant"):
        start(store, experiment.uid, Trial(0, {"lr": math.inf}))
    assert store.trials(experiment.uid) == []


def test_delete_takes_everything_along(
    store: Store, experiment: ExperimentRecord, document: Make
) -> None:
    uid = experiment.uid
    other = store.create_experiment(document("other"), identity="1")
    for one in (uid, other.uid):
        start(store, one, Trial(0, {"lr": 0.1}))
        add_observations(store, one, 0, [Observation(metric="a", value=1.0, time=1.0)], 10)
        add_artifact(store, one, Artifact(name="n", media_type="text/plain", content=b"x"))
        store.folder(one).mkdir(parents=True)
    runner = Runner.current()
    assert store.acquire_lease(uid, runner)
    store.delete_experiment(uid)
    assert store.experiment_by_uid(uid) is None
    assert store.conditions(uid) == []
    assert store.trials(uid) == []
    assert store.observations(uid) == []
    assert store.artifacts(uid) == []
    assert not store.folder(uid).exists()
    assert len(store.observations(other.uid)) == 1
    assert store.folder(other.uid).exists()
    assert not store.renew_lease(uid, runner.id)
    with pytest.raises(LeaseLost):
        start_trial(store, uid, 1, new=Trial(1), runner_id=runner.id)
    for call in (store.control, store.request_stop, store.delete_experiment):
        with pytest.raises(NotFound, match=uid):
            call(uid)
