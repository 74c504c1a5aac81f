"""Creating, continuing and refusing experiments of one name; several at a time in one store."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from hpo_lab.experiment.model import ResumePolicy
from hpo_lab.experiment.space import choice, uniform
from hpo_lab.experiment.status import RUNNING, ExperimentState
from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade.enrolling import stop_described
from hpo_lab.local.runner import local_runner
from hpo_lab.prepare import Prepared
from hpo_lab.problems import InvalidInput
from hpo_lab.running.enrol import Enrolment, create, made_of, revise
from hpo_lab.store import NotFound, Runner


def score(x):
    return x


def change(record, **fields):
    spec = record.document.spec.model_copy(update=fields)
    return record.document.model_copy(update={"spec": spec})


def test_a_finished_experiment_is_complete_and_more_trials_continue_it(store, enrolled):
    record = enrolled(score, trials=2)
    local_runner(store, record.uid).run()
    again = enrolled(score, trials=2)
    assert again.uid == record.uid
    assert again.state is ExperimentState.SUCCEEDED

    more = enrolled(score, trials=4)
    assert more.state is ExperimentState.RESTARTING
    assert local_runner(store, record.uid).run().reason == "ExperimentMaxTrialsReached"
    assert [trial.number for trial in store.trials(record.uid)] == [0, 1, 2, 3]
    states = [condition.type.value for condition in store.conditions(record.uid)]
    assert states == ["Created", "Running", "Succeeded", "Restarting", "Running", "Succeeded"]


def test_a_running_experiment_takes_over_new_budgets(store, enrolled):
    record = enrolled(score, trials=2)
    runner = Runner.current()
    store.acquire_lease(record.uid, runner)
    _, enrolment = revise(store, record, change(record, max_trial_count=9))
    assert enrolment is Enrolment.RUNNING
    assert store.experiment_by_uid(record.uid).document.spec.max_trial_count == 9
    store.release_lease(record.uid, runner.id)


def test_a_runner_that_starts_at_once_finds_the_notes_of_the_making(store, enrolled, monkeypatch):
    document = enrolled(score, trials=2).document
    other = document.model_copy(
        update={"metadata": document.metadata.model_copy(update={"name": "other"})}
    )
    make = store.create_experiment

    def create_and_run(*arguments, **options):
        record = make(*arguments, **options)
        store.set_condition(record.uid, ExperimentState.RUNNING, *RUNNING)
        return record

    monkeypatch.setattr(store, "create_experiment", create_and_run)
    record = create(store, other, {}, note="other is new")
    assert store.experiment_by_uid(record.uid).state is ExperimentState.RUNNING
    assert made_of(store, record.uid) == "other is new"


def test_lowering_the_trials_below_what_ran_completes_it(store, enrolled):
    record = enrolled(score, trials=2)
    local_runner(store, record.uid).run()
    _, enrolment = revise(store, record, change(record, max_trial_count=1))
    assert enrolment is Enrolment.COMPLETE


def test_an_ended_experiment_that_never_resumes_takes_no_larger_budget(store, enrolled):
    record = enrolled(score, trials=2)
    uid = record.uid
    store.set_condition(uid, "Succeeded", "ExperimentMaxTrialsReached", "")
    larger = change(record, max_trial_count=4, resume_policy=ResumePolicy.NEVER)
    with pytest.raises(InvalidInput, match=r"ended \(ExperimentMaxTrialsReached\)"):
        revise(store, record, larger)
    assert store.experiment_by_uid(uid).document == record.document

    smaller = change(record, max_trial_count=0, resume_policy=ResumePolicy.NEVER)
    assert revise(store, record, smaller)[1] is Enrolment.COMPLETE
    _, enrolment = revise(store, record, change(record, max_trial_count=4))
    assert enrolment is Enrolment.CONTINUED


def test_an_interrupted_experiment_that_never_resumes_goes_on(store, enrolled):
    record = enrolled(score, trials=2)
    never = change(record, max_trial_count=4, resume_policy=ResumePolicy.NEVER)
    store.set_condition(record.uid, "Running", "ExperimentRunning", "")
    store.request_stop(record.uid)
    again, enrolment = revise(store, record, never)
    assert enrolment is Enrolment.CONTINUED
    assert (again.state, again.stop_requested) == ("Restarting", False)
    assert again.document == never


def test_a_deadline_that_is_used_up_is_complete_and_a_later_one_continues(store, enrolled):
    record = enrolled(score, trials=2)
    runner = Runner.current()
    store.acquire_lease(record.uid, runner, 100.0)
    store.release_lease(record.uid, runner.id, 110.0)
    store.set_condition(record.uid, "Succeeded", "ExperimentDeadlineReached", "")
    _, enrolment = revise(store, record, change(record, active_deadline_seconds=5))
    assert enrolment is Enrolment.COMPLETE
    _, enrolment = revise(store, record, change(record, active_deadline_seconds=50))
    assert enrolment is Enrolment.CONTINUED


def test_more_trials_do_not_continue_a_search_that_has_nothing_left(store, enrolled):
    record = enrolled(score, trials=2)
    store.set_condition(record.uid, "Succeeded", "ExperimentSuggestionEndReached", "")
    _, enrolment = revise(store, record, change(record, max_trial_count=9))
    assert enrolment is Enrolment.COMPLETE


def test_a_runner_that_is_to_stop_takes_no_new_budget(store, enrolled):
    record = enrolled(score, trials=2)
    runner = Runner.current()
    store.acquire_lease(record.uid, runner)
    store.request_stop(record.uid)
    again, enrolment = revise(store, record, change(record, max_trial_count=9))
    assert enrolment is Enrolment.CONTINUED
    assert (again.state, again.stop_requested) == ("Restarting", False)

    store.set_condition(record.uid, "Succeeded", "ExperimentMaxTrialsReached", "")
    _, enrolment = revise(store, record, change(record, max_trial_count=12))
    assert enrolment is Enrolment.CONTINUED
    store.release_lease(record.uid, runner.id)


def test_an_experiment_that_was_deleted_meanwhile_is_not_revised(store, enrolled):
    record = enrolled(score, trials=2)
    store.delete_experiment(record.uid)
    with pytest.raises(NotFound, match="'score' was deleted meanwhile"):
        revise(store, record, record.document)


def test_a_description_stops_its_own_experiment_alone(store, enrolled):
    record = enrolled(score, trials=2)
    other = change(record, parameters=(), max_trial_count=0)
    with pytest.raises(InvalidInput) as caught:
        stop_described(store, Prepared(other, {}))
    assert [str(problem) for problem in caught.value.problems] == [
        "spec.maxTrialCount: is 0, which stops an experiment; 'score' is another experiment",
        "spec.parameters: x is gone; it was uniform(0, 1)",
    ]
    assert not store.control(record.uid).stop_requested

    stop_described(store, Prepared(change(record, max_trial_count=0), {}))
    assert store.control(record.uid).stop_requested

    store.delete_experiment(record.uid)
    with pytest.raises(InvalidInput, match="there is none called 'score'"):
        stop_described(store, Prepared(record.document, {}))


def test_another_experiment_of_the_name_is_refused_with_every_difference(store, enrolled):
    record = enrolled(score, trials=2)
    with pytest.raises(InvalidInput) as caught:
        space = {"x": uniform(0, 2), "y": choice(1, 2)}
        enrolled(total, trials=2, space=space, name="score")
    differences = [str(problem) for problem in caught.value.problems]
    assert differences[:2] == [
        "spec.parameters: x is uniform(0, 2) now, uniform(0, 1) before",
        "spec.parameters: y is new: choice(1, 2)",
    ]
    assert differences[2].startswith("function: ")
    assert store.experiments() == [record]


def total(x, y):
    return x + y


def returns_half(x):
    return x / 2


def test_changed_code_is_another_experiment(store, enrolled):
    enrolled(score, trials=2)
    with pytest.raises(InvalidInput, match=r"function returns_half.* is used now"):
        enrolled(returns_half, trials=2, name="score")


def quick(x):
    return -((x - 0.5) ** 2)


def test_two_runners_share_a_store(store, enrolled):
    records = [enrolled(quick, name=name, trials=30, parallel=2) for name in ("one", "two")]
    code = "import sys; from hpo_lab.local.__main__ import main; sys.exit(main(sys.argv[1]))"
    runners = [
        subprocess.Popen(
            [sys.executable, "-c", code, record.uid],
            env={**os.environ, "HPO_LAB_STORE": store.location},
        )
        for record in records
    ]
    assert [runner.wait(timeout=240) for runner in runners] == [0, 0]
    for record in records:
        trials = store.trials(record.uid)
        assert [trial.number for trial in trials] == list(range(30))
        assert {trial.state for trial in trials} == {TrialState.SUCCEEDED}
        seen = Counter(one.number for one in store.observations(record.uid))
        assert seen == Counter(range(30))
