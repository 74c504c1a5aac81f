"""Trials that are stopped early by the local runner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

import hpo_lab
from hpo_lab.engine.early_stopping import EarlyStopper
from hpo_lab.experiment.model import AlgorithmSetting, EarlyStopping
from hpo_lab.experiment.trial import TrialState
from hpo_lab.local.runner import local_runner
from hpo_lab.options import parse_values
from hpo_lab.problems import InvalidInput
from tests.processes import processes_below


def rule(text: str) -> EarlyStopping:
    options, problems = parse_values({"--early-stopping": [text]})
    assert not problems and options.early_stopping is not None
    return options.early_stopping


def hangs_below_half(x):
    from hpo_lab import report

    for step in range(3):
        report(step=step, score=x)
    if x < 0.5:
        subprocess.Popen(["setsid", "sleep", "600"])
        time.sleep(600)


def test_a_stopped_trial_keeps_what_it_reported_and_is_one_of_the_trials(store, enrolled):
    record = enrolled(hangs_below_half, trials=6, early_stopping=rule("threshold:lower=0.5"))
    assert local_runner(store, record.uid).run().reason == "ExperimentMaxTrialsReached"
    trials = store.trials(record.uid)
    stopped = [trial for trial in trials if trial.state is TrialState.EARLY_STOPPED]
    assert stopped and len(stopped) < len(trials) == 6
    for trial in stopped:
        x = trial.assignments["x"]
        assert x < 0.5
        assert trial.message == f"its value at step 0, {x:.6g}, is below 0.5"
        assert store.trial(record.uid, trial.number).reason == "TrialEarlyStopped"
        seen = store.observations(record.uid, trial.number)
        assert [(one.step, one.value) for one in seen] == [(0, x), (1, x), (2, x)]
        assert store.artifact(record.uid, "log.txt", trial.number) is not None
    running = [replace(trial, state=TrialState.RUNNING) for trial in stopped]
    reports = {t.number: store.observations(record.uid, t.number) for t in stopped}
    recovered = EarlyStopper.recovered(record.document.spec, running, reports)
    assert [recovered.reason(t.number) for t in stopped] == [t.message for t in stopped]
    assert {t.state for t in trials if t.assignments["x"] >= 0.5} == {TrialState.SUCCEEDED}
    summary = hpo_lab.get(record.name, store=store.location).summary()
    assert summary.best.value == max(trial.assignments["x"] for trial in trials)
    assert summary.counts[TrialState.EARLY_STOPPED] == len(stopped)
    assert processes_below(store.files) == []


def rises_to_x(x):
    from hpo_lab import report

    for step in range(1, 7):
        report(score=x * step)
        time.sleep(0.3)


def test_the_median_of_the_trials_before_stops_the_bad_ones(store, enrolled):
    record = enrolled(
        rises_to_x,
        trials=10,
        parallel=4,
        early_stopping=rule("medianstop:start_step=2,min_trials_required=2"),
        algorithm="sobol",
    )
    local_runner(store, record.uid).run()
    trials = store.trials(record.uid)
    stopped = [t for t in trials if t.state is TrialState.EARLY_STOPPED]
    done = [t for t in trials if t.state is TrialState.SUCCEEDED]
    assert stopped and len(stopped) + len(done) == 10
    best = max(t.assignments["x"] for t in trials)
    assert best == max(t.assignments["x"] for t in done)
    for trial in stopped:
        # Reports without a step are counted; two of them came before the end.
        assert 2 <= trial.metrics["score"].count <= 6
        assert "the median of the averages of" in trial.message


def returns_when_asked_to_end(x):
    from hpo_lab import report

    asked = []
    signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
    report(score=x)
    while not asked:
        time.sleep(0.01)
    return x + 1


def leaves_when_asked_to_end(x):
    from hpo_lab import report

    signal.signal(signal.SIGTERM, lambda *_: sys.exit("asked to end"))
    report(score=x)
    time.sleep(600)


@pytest.mark.parametrize(
    ("function", "state"),
    [
        (returns_when_asked_to_end, TrialState.SUCCEEDED),
        (leaves_when_asked_to_end, TrialState.EARLY_STOPPED),
    ],
)
def test_a_trial_that_finished_meanwhile_has_its_own_end(store, enrolled, function, state):
    record = enrolled(function, trials=1, early_stopping=rule("threshold:lower=1"))
    local_runner(store, record.uid).run()
    (trial,) = store.trials(record.uid)
    assert trial.state is state


def will_not_end(x):
    from hpo_lab import report

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    report(score=x)
    time.sleep(600)


def test_a_runner_killed_between_decision_and_record_is_followed_by_one_that_decides_again(
    store, enrolled
):
    record = enrolled(will_not_end, trials=1, early_stopping=rule("threshold:lower=1"))
    runner = subprocess.Popen(
        [sys.executable, "-m", "hpo_lab.local", record.uid],
        env={**os.environ, "HPO_LAB_STORE": store.location},
    )
    while not store.observations(record.uid):
        time.sleep(0.02)
    runner.kill()
    runner.wait()
    assert store.trials(record.uid)[0].state is TrialState.RUNNING
    local_runner(store, record.uid).run()
    (trial,) = store.trials(record.uid)
    assert (trial.state, trial.attempt) == (TrialState.EARLY_STOPPED, 1)
    assert len(store.observations(record.uid)) == 1
    assert processes_below(store.files) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("medianstopp", "did you mean 'medianstop'?"),
        ("medianstop:start_stop=3", "did you mean 'start_step'?"),
        ("medianstop:start_step", "is no setting; write it as name=value"),
        (":", "is no rule; write it as NAME"),
    ],
)
def test_a_bad_rule_is_refused_before_anything_is_recorded(store, text, message):
    with pytest.raises(InvalidInput, match="1 problem") as caught:
        hpo_lab.tune(
            lambda x: x,
            {"x": "uniform(0, 1)"},
            maximize="y",
            early_stopping=text,
            store=store.location,
        )
    assert message in str(caught.value)
    assert store.experiments() == []


def test_a_rule_is_read_with_its_settings():
    assert rule("asha:eta=4,max_resource=81") == EarlyStopping(
        algorithm_name="asha",
        algorithm_settings=(
            AlgorithmSetting(name="eta", value="4"),
            AlgorithmSetting(name="max_resource", value="81"),
        ),
    )
