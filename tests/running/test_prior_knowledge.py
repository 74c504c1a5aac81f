"""Points that are enqueued and experiments that others learn from, in the store and run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from hpo_lab.api import Experiment
from hpo_lab.experiment.space import choice, uniform
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.facade.resuming import prepare_resume
from hpo_lab.local.runner import local_runner
from hpo_lab.observation import Observation
from hpo_lab.prepare import Prepared
from hpo_lab.problems import InvalidInput
from hpo_lab.running.enqueue import enqueue
from hpo_lab.running.enrol import Enrolment, made_of
from hpo_lab.running.warm_start import prior_trials
from hpo_lab.search.algorithm import POINT
from tests.store_writes import finish_trial, start_trial

SPACE = {"x": uniform(0, 1), "opt": choice("adam", "sgd")}


def score(x, opt="adam"):
    return -((x - 0.25) ** 2)


def slow(x, opt="adam"):
    time.sleep(0.2)
    return x


def handle(store, record):
    return Experiment(store, record.uid, record.name, record.namespace)


def points_tried(store, uid):
    labelled = {trial.labels.get(POINT): trial.assignments for trial in store.trials(uid)}
    return {label: values for label, values in labelled.items() if label is not None}


def test_points_become_the_next_trials_and_what_is_open_is_drawn(store, enrolled):
    record = enrolled(score, space=SPACE, trials=4, name="points")
    said = handle(store, record).enqueue({"x": 0.25}, {"opt": "sgd", "x": 1})
    resume = store.command("resume points")
    assert said == f"2 points wait to be tried; points does not run: {resume}"
    said = handle(store, record).enqueue({"x": 0.5}, by_command=False)
    assert said == "3 points wait to be tried; it does not run; resume it to have them tried"
    local_runner(store, record.uid).run()
    tried = [trial.assignments for trial in store.trials(record.uid)]
    assert tried[0]["x"] == 0.25 and tried[0]["opt"] in ("adam", "sgd")
    assert tried[1] == {"x": 1, "opt": "sgd"}
    assert points_tried(store, record.uid).keys() == {"enqueued-0", "enqueued-1", "enqueued-2"}


def test_a_running_experiment_takes_a_point_up_at_once(store, enrolled):
    record = enrolled(slow, space=SPACE, trials=1000, name="running")
    runner = local_runner(store, record.uid)
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        while not store.trials(record.uid):
            time.sleep(0.02)
        active = store.experiment_by_uid(record.uid)
        assert enqueue(store, active, [{"x": 0.125}]) == "1 point waits to be tried next"
        count = len(store.trials(record.uid))
        until = time.monotonic() + 20
        while not points_tried(store, record.uid) and time.monotonic() < until:
            time.sleep(0.02)
        (number,) = (t.number for t in store.trials(record.uid) if t.labels)
        assert number < count + 10
    finally:
        runner.stop()
        thread.join()


def test_what_cannot_be_tried_is_refused_with_every_reason(store, enrolled):
    record = enrolled(score, space=SPACE, name="refused")
    with pytest.raises(InvalidInput) as caught:
        enqueue(store, record, [{"x": 2, "optt": "sgd"}, {}])
    assert [problem.where for problem in caught.value.problems] == [
        "point 0.x",
        "point 0.optt",
        "point",
    ]
    assert store.experiment_by_uid(record.uid).document.spec.enqueued_points == ()


def test_a_finished_experiment_says_what_makes_it_run(store, enrolled):
    record = enrolled(score, space=SPACE, trials=2, name="done")
    local_runner(store, record.uid).run()
    done = store.experiment_by_uid(record.uid)
    said = enqueue(store, done, [{"x": 0.5}])
    resume = store.command("resume done")
    assert said.endswith(f"leaves room for 0; raise it: {resume} --trials 3")
    enrolment = prepare_resume(store, done, trials=3).how
    assert enrolment is Enrolment.CONTINUED
    local_runner(store, record.uid).run()
    assert store.trials(record.uid)[2].assignments["x"] == 0.5


def test_a_point_makes_an_exhausted_search_go_on(store, enrolled):
    grid = {"x": uniform(0, 1, step=0.5)}
    record = enrolled(score, space=grid, algorithm="grid", name="exhausted")
    assert local_runner(store, record.uid).run().reason == "ExperimentSuggestionEndReached"
    exhausted = store.experiment_by_uid(record.uid)
    enqueue(store, exhausted, [{"x": 0.5}])
    enrolment = prepare_resume(store, exhausted).how
    assert enrolment is Enrolment.CONTINUED
    local_runner(store, record.uid).run()
    assert [t.assignments["x"] for t in store.trials(record.uid)] == [0.0, 0.5, 1.0, 0.5]


def test_points_outlive_a_new_document_and_are_no_part_of_the_identity(store, enrolled):
    record = enrolled(score, space=SPACE, trials=4, name="again")
    enqueue(store, record, [{"x": 0.5}])
    document = record.document
    again = enrol_prepared(store, Prepared(document, {}))
    assert again.how is Enrolment.CONTINUED
    assert again.record.document.spec.enqueued_points == ({"x": 0.5},)
    # A manifest that has them, too, may add to them.
    more = document.spec.model_copy(update={"enqueued_points": ({"x": 0.5}, {"x": 0.75})})
    again = enrol_prepared(store, Prepared(document.model_copy(update={"spec": more}), {})).record
    assert again.document.spec.enqueued_points == ({"x": 0.5}, {"x": 0.75})


def test_points_from_many_sides_are_all_kept(store, enrolled):
    record = enrolled(score, space=SPACE, trials=4, name="many")
    xs = [index / 20 for index in range(20)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda x: store.enqueue(record.uid, [{"x": x}]), xs))
    kept = store.experiment_by_uid(record.uid).document.spec.enqueued_points
    assert sorted(point["x"] for point in kept) == xs


def test_a_killed_runner_tries_each_point_once(store, enrolled):
    record = enrolled(slow, space=SPACE, trials=6, parallel=2, name="killed")
    points = [{"x": index / 8} for index in range(5)]
    enqueue(store, record, points)
    for kill in (True, False):
        runner = subprocess.Popen(
            [sys.executable, "-m", "hpo_lab.local", record.uid],
            env={**os.environ, "HPO_LAB_STORE": store.location},
        )
        known = len(store.trials(record.uid))
        while kill and len(store.trials(record.uid)) == known and runner.poll() is None:
            time.sleep(0.02)
        if kill:
            runner.kill()
        runner.wait(timeout=60)
    trials = store.trials(record.uid)
    assert [trial.assignments["x"] for trial in trials[:5]] == [point["x"] for point in points]
    assert len(trials) == 6 and "point" not in trials[5].labels


@pytest.fixture
def earlier(store, enrolled):
    """An experiment of eight trials that have ended, and one that has not."""
    record = enrolled(score, space=SPACE, trials=9, name="earlier")
    points = [{"x": number / 7, "opt": "sgd"} for number in range(8)]
    for number, point in enumerate([*points, {"x": 0.5, "opt": "adam"}]):
        start_trial(store, record.uid, number, new=Trial(number, point))
    for number, point in enumerate(points):
        seen = Observation(metric="score", value=score(**point), time=1.0)
        state = TrialState.SUCCEEDED
        finish_trial(store, record.uid, number, state, observations=[seen], offset=1)
    return store.experiment_by_uid(record.uid)


def test_trials_are_taken_over_once_and_for_all(store, enrolled, earlier):
    later = enrolled(
        score,
        space={"x": uniform(0, 0.9), "opt": choice("adam", "sgd")},
        algorithm="tpe",
        trials=3,
        name="later",
        warm_start=("earlier",),
    )
    expected = store.trials(earlier.uid)[:7]
    taken = prior_trials(store, later.uid)
    assert [t.assignments for t in taken] == [t.assignments for t in expected]
    assert [t.number for t in taken] == [-7, -6, -5, -4, -3, -2, -1]
    assert taken[0].metrics["score"] == expected[0].metrics["score"]
    assert made_of(store, later.uid) == ("Experiment learns from 7 of the 8 trials of earlier")
    handle(store, earlier).delete()
    assert prior_trials(store, later.uid) == taken
    # The same again is the same experiment, though what it names is gone.
    assert enrol_prepared(store, Prepared(later.document, {})).how is Enrolment.CONTINUED


def test_a_restarted_search_is_the_same(store, enrolled, earlier):
    def trials(name, budgets):
        options = {"algorithm": "tpe", "setting": (("n_startup_trials", "2"),), "space": SPACE}
        record = enrolled(score, name=name, parallel=1, warm_start=("earlier",), **options)
        for budget in budgets:
            prepare_resume(store, store.experiment_by_uid(record.uid), trials=budget)
            local_runner(store, record.uid).run()
        return [trial.assignments for trial in store.trials(record.uid)]

    whole, parts = trials("whole", [3]), trials("parts", [1, 3])
    assert whole == parts
    cold = enrolled(score, name="cold", trials=1, algorithm="tpe", space=SPACE)
    local_runner(store, cold.uid).run()
    assert store.trials(cold.uid)[0].assignments != whole[0]


def test_what_nothing_can_be_learnt_from_is_refused(store, enrolled, earlier):
    with pytest.raises(InvalidInput) as caught:
        enrolled(score, name="other", metric="loss", warm_start=("earlier", "earlyer", "lab/a"))
    messages = [str(problem) for problem in caught.value.problems]
    assert messages == [
        "spec.warmStart[0]: 'earlier' has the objective to maximize score; it must be that of "
        "this experiment, to maximize loss",
        "spec.warmStart[1]: 'earlyer': no such experiment; known are earlier; "
        "did you mean 'earlier'?",
        "spec.warmStart[2]: 'lab/a': no such experiment; known are earlier",
    ]
    assert not store.named("other")


def test_a_search_that_does_not_learn_says_so(store, enrolled, earlier):
    record = enrolled(score, name="drawn", space=SPACE, warm_start=("earlier",))
    assert made_of(store, record.uid) == (
        "random does not learn from other experiments; warmStart has no effect"
    )


def test_the_warm_start_is_part_of_the_identity(store, enrolled, earlier):
    options = {"algorithm": "tpe", "space": SPACE}
    enrolled(score, name="warm", warm_start=("earlier",), **options)
    with pytest.raises(InvalidInput, match=r"spec.warmStart: not set now, \[earlier\] before"):
        enrolled(score, name="warm", **options)
