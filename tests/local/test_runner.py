"""The local runner with real processes."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time

import psutil
import pytest

import hpo_lab
from hpo_lab.engine.asking import SearchMemory
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade.resuming import prepare_resume
from hpo_lab.local.place import trial_folder
from hpo_lab.local.runner import local_runner
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.driver import AlreadyRunning
from hpo_lab.running.enrol import Enrolment
from tests.processes import processes_below
from tests.store_writes import clear_stop


def score(x):
    print("x is", x)
    return 1 - (x - 0.25) ** 2


def test_runs_every_trial_and_keeps_what_it_left(store, enrolled):
    record = enrolled(score, trials=5)
    verdict = local_runner(store, record.uid).run()
    assert verdict.reason == "ExperimentMaxTrialsReached"
    trials = store.trials(record.uid)
    assert [trial.number for trial in trials] == [0, 1, 2, 3, 4]
    for trial in trials:
        assert trial.state is TrialState.SUCCEEDED
        assert trial.metrics["score"].latest == score(trial.assignments["x"])
        log = (trial_folder(store.folder(record.uid), trial.number) / "log.txt").read_text()
        assert f"x is {trial.assignments['x']}" in log
        assert store.artifact(record.uid, "log.txt", trial.number) is not None
    assert store.experiment_by_uid(record.uid).state is ExperimentState.SUCCEEDED
    assert [c.type.value for c in store.conditions(record.uid)] == [
        "Created",
        "Running",
        "Succeeded",
    ]
    assert processes_below(store.files) == []


def fails_above_half(x):
    if x > 0.5:
        raise ValueError(f"{x} is too much")
    return x


def test_a_failing_trial_keeps_its_traceback_and_the_others_go_on(store, enrolled):
    record = enrolled(fails_above_half, trials=6)
    local_runner(store, record.uid).run()
    trials = store.trials(record.uid)
    failed = [trial for trial in trials if trial.state is TrialState.FAILED]
    assert failed and len(failed) < len(trials) == 6
    for trial in failed:
        assert trial.assignments["x"] > 0.5
        assert trial.message == f"ValueError: {trial.assignments['x']} is too much"
        stored = store.trial(record.uid, trial.number)
        assert 'raise ValueError(f"{x} is too much")' in stored.traceback
        log = (trial_folder(store.folder(record.uid), trial.number) / "log.txt").read_text()
        assert stored.traceback.rstrip() in log


def test_gives_up_after_the_allowed_failures(store, enrolled):
    record = enrolled(fails_above_half, trials=50, parallel=1, max_failed=1)
    verdict = local_runner(store, record.uid).run()
    assert verdict.state is ExperimentState.FAILED
    states = [trial.state for trial in store.trials(record.uid)]
    assert states.count(TrialState.FAILED) == 1 and states[-1] is TrialState.FAILED


def leaves_processes(x):
    # One child in the trial's session, and one that detaches from everything.
    subprocess.Popen(["sleep", "600"])
    subprocess.Popen(["setsid", "sleep", "600"])
    if x < 2:
        time.sleep(600)
    return x


def test_a_trial_that_takes_too_long_is_ended_with_all_it_started(store, enrolled):
    record = enrolled(leaves_processes, trials=1, trial_timeout=1.5)
    local_runner(store, record.uid).run()
    stored = store.trial(record.uid, 0)
    assert stored.trial.state is TrialState.FAILED
    assert stored.trial.message == "ran longer than 1.5 seconds"
    assert stored.reason == "TrialDeadlineExceeded"
    assert processes_below(store.files) == []


def returns_and_leaves_a_process(x):
    subprocess.Popen(["setsid", "sleep", "600"])
    return x


def test_what_a_trial_leaves_running_ends_with_it(store, enrolled):
    record = enrolled(returns_and_leaves_a_process, trials=1)
    local_runner(store, record.uid).run()
    assert store.trials(record.uid)[0].state is TrialState.SUCCEEDED
    assert processes_below(store.files) == []


def not_a_number(x):
    return math.nan if x > 0.3 else x


def test_nan_is_never_best_and_stalls_nothing(store, enrolled):
    record = enrolled(not_a_number, trials=8)
    assert local_runner(store, record.uid).run().reason == "ExperimentMaxTrialsReached"
    trials = store.trials(record.uid)
    odd = [t for t in trials if t.state is TrialState.METRICS_UNAVAILABLE]
    assert odd and len(odd) < len(trials)
    assert odd[0].message == "score was nan; a finite number is needed"
    best = hpo_lab.get(record.name, store=store.location).best
    assert best.value == max(t.assignments["x"] for t in trials if t.assignments["x"] <= 0.3)


def reports_and_waits(x):
    from hpo_lab import report

    for step in range(3):
        report(step=step, score=x + step, loss=1.0)
    time.sleep(600)


def test_reports_arrive_while_the_trial_runs(store, enrolled):
    record = enrolled(reports_and_waits, trials=1)
    runner = local_runner(store, record.uid)
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while len(store.observations(record.uid)) < 6 and time.monotonic() < deadline:
            time.sleep(0.05)
        trial = store.trials(record.uid)[0]
        assert trial.state is TrialState.RUNNING
        seen = store.observations(record.uid, metric="score")
        assert [one.step for one in seen] == [0, 1, 2]
        assert [one.value for one in seen] == [trial.assignments["x"] + s for s in range(3)]
        assert trial.metrics["score"].max == trial.assignments["x"] + 2
    finally:
        runner.stop()
        thread.join()


def test_stopping_loses_nothing_and_resuming_finishes_the_interrupted_trials(store, enrolled):
    record = enrolled(reports_and_waits, trials=2, parallel=2)
    runner = local_runner(store, record.uid)
    thread = threading.Thread(target=runner.run)
    thread.start()
    while len(store.observations(record.uid)) < 12:
        time.sleep(0.05)
    store.request_stop(record.uid)
    thread.join(timeout=30)
    assert store.experiment_by_uid(record.uid).state is ExperimentState.STOPPED
    trials = store.trials(record.uid)
    assert [(t.number, t.state, t.attempt) for t in trials] == [
        (0, TrialState.CREATED, 2),
        (1, TrialState.CREATED, 2),
    ]
    assert store.observations(record.uid) == []
    assert processes_below(store.files) == []


def test_only_one_runner_at_a_time(store, enrolled):
    record = enrolled(reports_and_waits, trials=1)
    runner = local_runner(store, record.uid)
    thread = threading.Thread(target=runner.run)
    thread.start()
    while not store.trials(record.uid):
        time.sleep(0.05)
    other = subprocess.run(
        [sys.executable, "-c", _RUN, store.location, record.uid], capture_output=True, text=True
    )
    runner.stop()
    thread.join()
    assert AlreadyRunning.__name__ in other.stderr


_RUN = """
import sys
from hpo_lab.local.runner import local_runner
from hpo_lab.store import open_store
from tests.processes import processes_below
from tests.store_writes import clear_stop
local_runner(open_store(sys.argv[1]), sys.argv[2]).run()
"""


def noisy(x):
    time.sleep(0.05 + 0.2 * (x > 0.5))
    return -((x - 0.7) ** 2)


@pytest.mark.parametrize("algorithm", ["random", "tpe"])
def test_the_same_seed_gives_the_same_trials_whatever_the_timing(store, enrolled, algorithm):
    seen = []
    for name in ("first", "second"):
        setting = (("n_startup_trials", "3"),) if algorithm == "tpe" else ()
        record = enrolled(
            noisy, name=name, trials=12, parallel=3, algorithm=algorithm, seed=7, setting=setting
        )
        local_runner(store, record.uid).run()
        seen.append([trial.assignments for trial in store.trials(record.uid)])
    assert seen[0] == seen[1]
    assert len({tuple(a.values()) for a in seen[0]}) == 12


def kills_its_supervisor(x):
    subprocess.Popen(["setsid", "sleep", "600"])
    if not os.environ.get("NEVER"):
        psutil.Process(os.getppid()).kill()
        time.sleep(600)
    return x


def test_a_killed_supervisor_takes_its_trial_along(store, enrolled):
    record = enrolled(kills_its_supervisor, trials=1)
    local_runner(store, record.uid).run()
    trial = store.trials(record.uid)[0]
    assert trial.state is TrialState.FAILED
    why = "ended again and again, for its fork server was gone"
    assert trial.message == f"the trial's process {why}"
    assert processes_below(store.files) == []


def out_of_memory(x):
    os.kill(os.getpid(), 9)


def test_a_killed_trial_says_so(store, enrolled):
    record = enrolled(out_of_memory, trials=1)
    local_runner(store, record.uid).run()
    assert store.trials(record.uid)[0].message == "the trial's process was killed by signal 9"


def exits(x):
    raise SystemExit("enough")


def test_leaving_by_sys_exit_is_a_failure(store, enrolled):
    record = enrolled(exits, trials=1)
    local_runner(store, record.uid).run()
    assert store.trials(record.uid)[0].message == "SystemExit: enough"


def test_a_time_budget_ends_the_experiment_and_its_trials(store, enrolled):
    record = enrolled(reports_and_waits, timeout=4.0)
    verdict = local_runner(store, record.uid).run()
    assert verdict.reason == "ExperimentDeadlineReached"
    assert verdict.state is ExperimentState.FAILED
    assert {trial.state for trial in store.trials(record.uid)} == {TrialState.KILLED}
    assert processes_below(store.files) == []


def test_trials_that_cannot_be_rendered_fail_and_stall_nothing(store, enrolled, monkeypatch):
    def refuse(*_arguments):
        raise InvalidInput([Problem("spec.trialTemplate", "does not fit")])

    record = enrolled(score, trials=9)
    monkeypatch.setattr("hpo_lab.local.place.task_of", refuse)
    verdict = local_runner(store, record.uid).run()
    assert verdict.message.endswith("trials failed with spec.trialTemplate: does not fit")
    trials = store.trials(record.uid)
    assert 4 <= len(trials) < 9
    assert {trial.state for trial in trials} <= {TrialState.FAILED, TrialState.KILLED}
    assert trials[0].message == "spec.trialTemplate: does not fit"


def test_an_experiment_ends_when_its_search_fails(store, enrolled, monkeypatch, capfd):
    record = enrolled(score, trials=6, parallel=2)
    new_trial = SearchMemory.new_trial

    def failing(memory, spec, number, **options):
        if number == 3:
            raise RuntimeError("the model is singular")
        return new_trial(memory, spec, number, **options)

    monkeypatch.setattr(SearchMemory, "new_trial", failing)
    verdict = local_runner(store, record.uid).run()
    assert verdict.reason == "ExperimentSuggestionFailed"
    assert "RuntimeError: the model is singular" in verdict.message
    assert [t.state for t in store.trials(record.uid)] == [TrialState.SUCCEEDED] * 3
    assert store.experiment_by_uid(record.uid).state is ExperimentState.FAILED
    assert "Traceback" in capfd.readouterr().err


def turns_signals_into_exceptions(x):
    import signal

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    hpo_lab.report(score=x)
    time.sleep(600)


def test_a_trial_that_makes_an_exception_of_a_signal_runs_again(store, enrolled):
    record = enrolled(turns_signals_into_exceptions, trials=1)
    runner = local_runner(store, record.uid)
    thread = threading.Thread(target=runner.run)
    thread.start()
    while not store.observations(record.uid):
        time.sleep(0.05)
    runner.stop()
    thread.join()
    (trial,) = store.trials(record.uid)
    assert (trial.state, trial.attempt) == (TrialState.CREATED, 2)

    # And where its runner is killed.
    clear_stop(store, record.uid)
    killed = subprocess.Popen([sys.executable, "-c", _RUN, store.location, record.uid])
    while not store.observations(record.uid):
        time.sleep(0.05)
    killed.kill()
    killed.wait()
    runner = local_runner(store, record.uid)
    thread = threading.Thread(target=runner.run)
    thread.start()
    deadline = time.monotonic() + 60
    while store.trials(record.uid)[0].attempt == 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    runner.stop()
    thread.join()
    (trial,) = store.trials(record.uid)
    assert trial.state is TrialState.CREATED and trial.attempt >= 3


def keeps_a_table(x):
    hpo_lab.keep("table", {"x": x})
    return x


def test_what_a_trial_keeps_is_recorded_with_it(store, enrolled):
    record = enrolled(keeps_a_table, trials=2)
    local_runner(store, record.uid).run()
    for trial in store.trials(record.uid):
        kept = store.artifact(record.uid, "table", trial.number)
        assert kept.media_type == "application/json"
        assert json.loads(kept.read()) == {"x": trial.assignments["x"]}


def test_many_refused_trials_end_the_experiment(store, enrolled, monkeypatch):
    record = enrolled(score, trials=1500, max_failed=1500, parallel=1)

    def refuse(*_: object) -> None:
        raise InvalidInput([Problem("trialSpec", "cannot be rendered")])

    monkeypatch.setattr("hpo_lab.local.place.task_of", refuse)
    assert local_runner(store, record.uid).run().reason == "ExperimentFailed"
    assert len(store.trials(record.uid)) == 1500


def test_a_budget_raised_while_a_runner_ends_is_not_lost(store, enrolled):
    record = enrolled(score, trials=3)
    runner = local_runner(store, record.uid)
    close, answers = runner._place.close, []

    def closing():
        # The end is recorded, and the lease is still held.
        experiment = hpo_lab.get(record.name, store=store.location)
        if not answers:
            assert experiment.record.state is ExperimentState.SUCCEEDED
            answers.append(prepare_resume(store, experiment.record, trials=5).how)
        close()

    runner._place.close = closing
    runner.run()
    assert answers == [Enrolment.CONTINUED]
    assert local_runner(store, record.uid).run().reason == "ExperimentMaxTrialsReached"
    assert len(store.trials(record.uid)) == 5


def test_a_stop_and_a_resume_at_once_go_on(store, enrolled):
    record = enrolled(reports_and_waits, trials=1)
    first = local_runner(store, record.uid)
    thread = threading.Thread(target=first.run)
    thread.start()
    while not store.observations(record.uid):
        time.sleep(0.05)
    store.request_stop(record.uid)
    enrolment = prepare_resume(store, store.experiment_by_uid(record.uid)).how
    assert enrolment is Enrolment.CONTINUED
    assert not store.experiment_by_uid(record.uid).stop_requested
    first.stop()
    second = local_runner(store, record.uid)
    waiting = threading.Thread(target=second.run)
    waiting.start()
    thread.join()
    while not store.observations(record.uid):
        time.sleep(0.05)
    second.stop()
    waiting.join()
    assert store.trials(record.uid)[0].attempt == 3
