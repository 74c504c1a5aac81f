"""Experiments with several objectives, run and looked at."""

from __future__ import annotations

import json
import math

from click.testing import CliRunner

import hpo_lab
from hpo_lab.cli import main
from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.experiment.trial import TrialState
from hpo_lab.local.runner import local_runner
from hpo_lab.options import TuneOptions, parse_line


def of_both(x):
    values = {"loss": x, "accuracy": x * (1.5 - x), "memory": 10 * x}
    if 0.4 < x < 0.5:
        del values["accuracy"]
    if 0.5 < x < 0.6:
        values["accuracy"] = math.nan
    return values


def options(line: str) -> TuneOptions:
    found, _, problems = parse_line(line, where="here")
    assert problems == []
    return found


def test_the_front_is_found_and_shown(store, enrolled):
    said = options("minimize loss, maximize accuracy --constraint memory<=7")
    record = enrolled(
        of_both,
        trials=24,
        algorithm="sobol",
        direction=said.direction,
        metric=said.metric,
        additional_objectives=said.additional_objectives,
        constraint=said.constraint,
    )
    verdict = local_runner(store, record.uid).run()
    assert verdict.reason == "ExperimentMaxTrialsReached"
    trials = store.trials(record.uid)
    for trial in trials:
        x = trial.assignments["x"]
        lacking = 0.4 < x < 0.6
        assert (trial.state is TrialState.METRICS_UNAVAILABLE) == lacking
        if lacking:
            found = "was never reported" if x < 0.5 else "was nan"
            assert trial.message == f"accuracy {found}; a finite number is needed"
    experiment = hpo_lab.get(record.name, store=store.location)
    front = experiment.pareto_front
    # Loss and accuracy rise together up to x = 0.7, where memory ends it.
    allowed = {t.number for t in trials if t.state is TrialState.SUCCEEDED}
    allowed &= {t.number for t in trials if t.assignments["x"] <= 0.7}
    assert {best.number for best in front} == allowed
    assert experiment.best == front[0]
    assert front[0].values == {"loss": front[0].value, "accuracy": front[0].values["accuracy"]}
    assert [best.value for best in front] == sorted(best.value for best in front)

    shown = CliRunner().invoke(main, ["show", record.name, "--store", store.location])
    words = " ".join(shown.stdout.split())
    assert f"Pareto front {len(front)} trials" in words
    assert "minimize loss, maximize accuracy, memory <= 7" in words
    document = CliRunner().invoke(main, ["show", record.name, "--store", store.location, "--json"])
    listed = json.loads(document.stdout)["paretoFront"]
    assert [one["trial"] for one in listed] == [best.number for best in front]


def test_the_goal_is_that_of_the_first_objective(store, enrolled):
    said = options("minimize loss, maximize accuracy --goal 0.5")
    record = enrolled(
        of_both,
        trials=30,
        parallel=1,
        direction=ObjectiveType.MINIMIZE,
        metric="loss",
        additional_objectives=said.additional_objectives,
        goal=0.3,
    )
    assert local_runner(store, record.uid).run().reason == "ExperimentGoalReached"
    reached = [t for t in store.trials(record.uid) if t.state is TrialState.SUCCEEDED]
    assert min(t.metrics["loss"].latest for t in reached) <= 0.3
