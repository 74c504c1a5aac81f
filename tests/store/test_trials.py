from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.experiment.trial import Metric, Trial, TrialState, continued
from hpo_lab.observation import Observation
from hpo_lab.store import ExperimentRecord, NotFound, Store
from hpo_lab.store.observations import decode_metrics, encode_metrics
from tests.store_writes import add_observations, finish_trial, requeue_trial, start_trial

from .conftest import start


def observed(*values: float, metric: str = "accuracy") -> list[Observation]:
    return [
        Observation(metric=metric, value=value, time=100.0 + step, step=step)
        for step, value in enumerate(values)
    ]


def test_an_assignment_is_given_once(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    new = Trial(1, {"lr": 0.2, "opt": None}, parent=0, labels={"rung": "1"})
    running = replace(new, state=TrialState.RUNNING, started_at=5.0)
    assert start_trial(store, uid, 1, 5.0, new=new) == running
    assert start_trial(store, uid, 1, 5.0, new=Trial(1, {"lr": 0.3})) == running
    start(store, uid, Trial(0, {"lr": 0.1}), Trial(2, {"lr": 0.4}))
    assert [trial.assignments["lr"] for trial in store.trials(uid)] == [0.1, 0.2, 0.4]
    assert store.trials(uid, [1, 7]) == [running]


def test_life_of_a_trial(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    start(store, uid, Trial(0, {"lr": 0.1}), now=1.0)
    start_trial(store, uid, 0, 2.0, handle="job-42")
    record = store.trial(uid, 0)
    assert record is not None
    assert (record.created_at, record.handle, record.trial.started_at) == (1.0, "job-42", 2.0)
    assert record.offset == 0
    assert add_observations(store, uid, 0, observed(0.5, 0.7), 100)
    assert finish_trial(
        store,
        uid,
        0,
        TrialState.FAILED,
        3.0,
        reason="TrialFailed",
        message="ValueError: \0 \ud800 ü",
        traceback="Traceback…",
        observations=observed(0.6),
        offset=150,
    )
    record = store.trial(uid, 0)
    assert record is not None
    assert record.trial == Trial(
        number=0,
        assignments={"lr": 0.1},
        state=TrialState.FAILED,
        metrics={"accuracy": Metric(latest=0.6, min=0.5, max=0.7, count=3)},
        started_at=2.0,
        completed_at=3.0,
        message="ValueError: \ufffd ? ü",
    )
    assert (record.reason, record.traceback, record.offset, record.handle) == (
        "TrialFailed",
        "Traceback…",
        150,
        None,
    )
    assert not finish_trial(
        store, uid, 0, TrialState.SUCCEEDED, observations=observed(1.0), offset=200
    )
    assert store.trial(uid, 0) == record
    with pytest.raises(ValueError, match="trial 0 has ended"):
        start_trial(store, uid, 0)
    with pytest.raises(ValueError, match="cannot end as Running"):
        finish_trial(store, uid, 0, TrialState.RUNNING)


def test_an_end_without_its_observations_is_not_recorded(
    store: Store, experiment: ExperimentRecord
) -> None:
    uid = experiment.uid
    start(store, uid, Trial(0))
    start_trial(store, uid, 0)
    with pytest.raises(ValueError, match="positive offset"):
        finish_trial(store, uid, 0, TrialState.SUCCEEDED, observations=observed(1.0))
    assert store.trials(uid)[0].state is TrialState.RUNNING


def test_a_batch_is_imported_once(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    start(store, uid, Trial(0))
    assert add_observations(store, uid, 0, observed(0.1, 0.2), 50)
    assert not add_observations(store, uid, 0, observed(0.1, 0.2), 50)
    assert not add_observations(store, uid, 0, observed(0.1), 25)
    assert add_observations(store, uid, 0, [], 60)
    record = store.trial(uid, 0)
    assert record is not None
    assert record.offset == 60
    assert record.trial.metrics["accuracy"].count == 2
    assert len(store.observations(uid)) == 2


def test_a_requeued_trial_begins_anew(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    start(store, uid, Trial(0, {"lr": 0.1}), Trial(1))
    start_trial(store, uid, 0, handle="1")
    add_observations(store, uid, 0, observed(0.1), 50)
    add_observations(store, uid, 1, observed(0.9), 50)
    last = store.observations(uid, 0)[-1].id
    finish_trial(store, uid, 0, TrialState.KILLED, message="stopped")
    assert requeue_trial(store, uid, 0) == 2
    record = store.trial(uid, 0)
    assert record is not None
    assert record.trial == Trial(0, {"lr": 0.1}, attempt=2)
    assert (record.offset, record.handle) == (0, None)
    assert [one.number for one in store.observations(uid)] == [1]
    add_observations(store, uid, 0, observed(0.2), 40)
    (new,) = store.observations(uid, 0, after_id=last)
    assert (new.value, new.attempt) == (0.2, 2)


def test_ids_are_not_used_again(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    start(store, uid, Trial(0))
    add_observations(store, uid, 0, observed(0.1, 0.2, 0.3), 50)
    seen = store.observations(uid)[-1].id
    requeue_trial(store, uid, 0)
    add_observations(store, uid, 0, observed(0.4), 50)
    assert [one.value for one in store.observations(uid, after_id=seen)] == [0.4]


def test_observations_are_selected(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    start(store, uid, Trial(0), Trial(1))
    add_observations(store, uid, 0, observed(1.0, 2.0) + observed(3.0, metric="loss"), 10)
    add_observations(store, uid, 1, observed(4.0), 10)

    def values(**selection: object) -> list[float]:
        return [one.value for one in store.observations(uid, **selection)]  # type: ignore[arg-type]

    ids = [one.id for one in store.observations(uid)]
    assert ids == sorted(set(ids))
    assert values() == [1.0, 2.0, 3.0, 4.0]
    assert values(number=0) == [1.0, 2.0, 3.0]
    assert values(number=0, metric="accuracy") == [1.0, 2.0]
    assert values(metric="accuracy", after_id=ids[0]) == [2.0, 4.0]
    assert values(limit=3) == [1.0, 2.0, 3.0]
    assert values(number=0, after_id=ids[2]) == []


def test_what_is_no_number_is_kept(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    start(store, uid, Trial(0))
    batch = [
        Observation(metric="loss", value=value, time=1.5, step=2**62, text=text)
        for value, text in [
            (0.5, ""),
            (math.inf, ""),
            (-math.inf, "-1e999"),
            (math.nan, "1,234"),
            (math.nan, "12"),
            (math.nan, ""),
        ]
    ]
    add_observations(store, uid, 0, batch, 10)
    stored = store.observations(uid)
    assert [(repr(one.value), one.text) for one in stored] == [
        ("0.5", ""),
        ("inf", "inf"),
        ("-inf", "-1e999"),
        ("nan", "1,234"),
        ("nan", "12"),
        ("nan", "nan"),
    ]
    assert {(one.time, one.step) for one in stored} == {(1.5, 2**62)}
    metric = store.trials(uid)[0].metrics["loss"]
    assert math.isnan(metric.latest)
    assert (metric.min, metric.max, metric.count) == (0.5, 0.5, 6)


def test_a_text_is_in_the_summary(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    start(store, uid, Trial(0))
    add_observations(store, uid, 0, [Observation("cell", math.nan, 1.0, text="conv-3x3")], 10)
    assert store.trials(uid)[0].metrics["cell"].text == "conv-3x3"
    add_observations(store, uid, 0, [Observation("cell", 0.5, 2.0, text="0.5")], 20)
    assert store.trials(uid)[0].metrics["cell"] == Metric(0.5, 0.5, 0.5, 2)


def test_unknown_trials(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    assert store.trial(uid, 7) is None
    for call in (start_trial, requeue_trial):
        with pytest.raises(NotFound, match="no trial 7"):
            call(store, uid, 7)
    with pytest.raises(NotFound, match="no trial 7"):
        add_observations(store, uid, 7, [], 1)
    with pytest.raises(NotFound, match="no experiment"):
        start(store, "none", Trial(0))


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


def test_assignments_keep_their_types(store: Store, experiment: ExperimentRecord) -> None:
    uid = experiment.uid
    numbers = itertools.count()

    @settings(max_examples=50, database=None)
    @given(st.dictionaries(st.text(), scalars))
    def check(assignments: dict[str, object]) -> None:
        number = next(numbers)
        start(store, uid, Trial(number, assignments))  # type: ignore[arg-type]
        record = store.trial(uid, number)
        assert record is not None
        assert repr(sorted(record.trial.assignments.items(), key=repr)) == repr(
            sorted(assignments.items(), key=repr)
        )

    check()


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats())), st.integers(0, 20))
def test_summaries_do_not_depend_on_how_batches_are_cut(
    reported: list[tuple[str, float]], cut: int
) -> None:
    batch = [Observation(metric=metric, value=value, time=0.0) for metric, value in reported]
    whole = continued({}, batch)
    parts = continued(decode_metrics(encode_metrics(continued({}, batch[:cut]))), batch[cut:])
    assert repr(parts) == repr(whole)
    assert repr(whole) == repr(
        {
            name: Metric.of(value for metric, value in reported if metric == name)
            for name in dict.fromkeys(metric for metric, _ in reported)
        }
    )
