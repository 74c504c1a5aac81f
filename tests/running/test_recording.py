"""What the recorder makes of the scheduler's records: rows, artifacts, files that go."""

from __future__ import annotations

from typing import Any

import pytest

from hpo_lab.engine.instructions import (
    ExperimentEnded,
    Noted,
    Observed,
    TrialEnded,
    TrialRequeued,
    TrialStarted,
)
from hpo_lab.engine.plan import MAX_TRIALS
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.running.keeping import Keeping
from hpo_lab.running.recording import Recorder
from hpo_lab.store import Artifact, ExperimentRecord, LeaseLost, Runner, Store
from hpo_lab.testing.simulation import SimulatedPlace, World
from hpo_lab.trial.folder import LOG, NOTEBOOK
from tests.store.conftest import document

RUNNER = Runner("mine", "elsewhere.example", 1, 0.0)


class Folders(SimulatedPlace):
    """A place where every trial leaves an executed notebook and a log."""

    def __init__(self) -> None:
        super().__init__(World())
        self.discarded: list[tuple[int, str]] = []
        self.names = [NOTEBOOK, "log"]

    def files(self, number: int) -> list[Artifact]:
        return [
            Artifact(name=name, media_type="text/plain", content=b"x", number=number)
            for name in self.names
            if (number, name) not in self.discarded
        ]

    def discard(self, number: int, name: str) -> None:
        self.discarded.append((number, name))


@pytest.fixture
def place() -> Folders:
    return Folders()


@pytest.fixture
def experiment(store: Store) -> ExperimentRecord:
    record = store.create_experiment(document(), identity="1")
    assert store.acquire_lease(record.uid, RUNNER, 1e12)
    return record


def recorder(
    store: Store,
    record: ExperimentRecord,
    place: Folders,
    keep: str = "all",
    kind: str = "NotebookTrial",
) -> Recorder:
    keeping = Keeping({"kind": kind, "spec": {"keep": keep}}, place)
    return Recorder(store, record.uid, RUNNER.id, place, keeping)


def running(number: int) -> Trial:
    return Trial(number, {"lr": 0.1}, TrialState.RUNNING, started_at=5.0)


def ended(number: int, **fields: Any) -> TrialEnded:
    trial = Trial(number, {"lr": 0.1}, TrialState.SUCCEEDED, completed_at=7.0, message="done")
    return TrialEnded(trial, "TrialSucceeded", **fields)


def kept(store: Store, record: ExperimentRecord) -> list[tuple[int | None, str]]:
    return sorted((file.number or 0, file.name) for file in store.artifacts(record.uid))


def test_a_turn_is_recorded_as_of_its_time(
    store: Store, experiment: ExperimentRecord, place: Folders
) -> None:
    reported = Observation("accuracy", 0.5, 6.0)
    records = [
        TrialStarted(running(0), is_new=True),
        TrialStarted(running(1), is_new=True),
        Noted("Resting", "no trial can start"),
        Observed(0, (reported,), 40),
        ended(0, traceback="Traceback", best=0),
        TrialRequeued(Trial(1, {"lr": 0.1}, attempt=2)),
    ]
    recorder(store, experiment, place).write(records, 9.0)

    first, second = store.trial(experiment.uid, 0), store.trial(experiment.uid, 1)
    assert first is not None and second is not None
    assert (first.trial.started_at, first.trial.completed_at) == (5.0, 7.0)
    assert (first.reason, first.trial.message) == ("TrialSucceeded", "done")
    assert (first.traceback, first.offset) == ("Traceback", 40)
    assert second.trial == Trial(1, {"lr": 0.1}, attempt=2)
    stored = store.experiment_by_uid(experiment.uid)
    assert stored is not None
    assert stored.best == 0
    noted = store.conditions(experiment.uid)[-1]
    assert (noted.type, noted.reason, noted.time) == ("Running", "Resting", 9.0)
    assert kept(store, experiment) == [(0, "log"), (0, NOTEBOOK)]


def test_an_end_that_is_not_the_best_leaves_the_best_as_it_is(
    store: Store, experiment: ExperimentRecord, place: Folders
) -> None:
    writer = recorder(store, experiment, place)
    for number in (0, 1):
        records = [TrialStarted(running(number), is_new=True), ended(number, best=0)]
        writer.write(records, 9.0)
    stored = store.experiment_by_uid(experiment.uid)
    assert stored is not None
    assert stored.best == 0


def test_a_started_trial_goes_by_what_the_place_calls_it(
    store: Store, experiment: ExperimentRecord, place: Folders
) -> None:
    writer = recorder(store, experiment, place)
    writer.write([TrialStarted(running(0), is_new=True)], 9.0)
    stored = store.trial(experiment.uid, 0)
    assert stored is not None
    assert stored.handle == place.handle(running(0))


def test_the_notebook_of_the_best_trial_alone_is_kept(
    store: Store, experiment: ExperimentRecord, place: Folders
) -> None:
    writer = recorder(store, experiment, place, "best")
    for number, end in enumerate((ended(0, best=0), ended(1, superseded=0, best=1))):
        writer.write([TrialStarted(running(number), is_new=True), end], 9.0)
    assert place.discarded == [(0, NOTEBOOK)]
    writer.write([TrialStarted(running(2), is_new=True), ended(2, best=1)], 9.0)
    assert place.discarded == [(0, NOTEBOOK), (2, NOTEBOOK)]
    assert kept(store, experiment) == [(0, "log"), (1, "log"), (2, "log")]

    writer.write([ExperimentEnded(MAX_TRIALS, 1)], 10.0)
    assert kept(store, experiment) == [(0, "log"), (1, "log"), (1, NOTEBOOK), (2, "log")]
    end = store.conditions(experiment.uid)[-1]
    assert (end.type, end.reason, end.message, end.time) == (
        MAX_TRIALS.state,
        MAX_TRIALS.reason,
        MAX_TRIALS.message,
        10.0,
    )


def test_a_continued_experiment_tells_of_no_notebook_that_is_gone(
    store: Store, experiment: ExperimentRecord, place: Folders
) -> None:
    writer = recorder(store, experiment, place, "best")
    writer.write([TrialStarted(running(0), is_new=True), ended(0, best=0)], 9.0)
    writer.write([ExperimentEnded(MAX_TRIALS, 0)], 10.0)
    assert kept(store, experiment) == [(0, "log"), (0, NOTEBOOK)]
    before = store.revisions()[experiment.uid]

    better = ended(1, superseded=0, best=1)
    writer.write([TrialStarted(running(1), is_new=True), better], 11.0)

    assert place.discarded == [(0, NOTEBOOK)]
    assert kept(store, experiment) == [(0, "log"), (1, "log")]
    changes = store.changes(experiment.uid, before)
    assert changes is not None and {trial.number for trial in changes.trials} == {0, 1}


def test_a_runner_without_the_lease_writes_nothing(
    store: Store, experiment: ExperimentRecord, place: Folders
) -> None:
    writer = recorder(store, experiment, place)
    assert store.release_lease(experiment.uid, RUNNER.id)
    with pytest.raises(LeaseLost):
        writer.write([TrialStarted(running(0), is_new=True)], 9.0)
    assert store.trials(experiment.uid) == []
    writer.write([], 9.0)  # does not even look


def test_what_the_best_trial_of_a_function_kept_is_kept_alone(
    store: Store, experiment: ExperimentRecord, place: Folders
) -> None:
    place.names = [LOG, "model", "curve"]
    writer = recorder(store, experiment, place, "best", "FunctionTrial")
    for number, end in enumerate((ended(0, best=0), ended(1, superseded=0, best=1))):
        writer.write([TrialStarted(running(number), is_new=True), end], 9.0)
    assert place.discarded == [(0, "model"), (0, "curve")]
    writer.write([ExperimentEnded(MAX_TRIALS, 1)], 10.0)
    assert kept(store, experiment) == [(0, LOG), (1, "curve"), (1, LOG), (1, "model")]
