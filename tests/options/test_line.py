"""The options of a tuning run, as written behind `%%tune`."""

from __future__ import annotations

import pytest

from hpo_lab.experiment.model import (
    AdditionalObjective,
    MetricConstraint,
    ObjectiveType,
    TrialTemplate,
)
from hpo_lab.experiment.space import uniform
from hpo_lab.options import TuneOptions, parse_line

X = [uniform(0, 1).named("x")]


def test_a_full_line():
    options, extra, problems = parse_line(
        "maximize accuracy --trials 30 --parallel 2 --algorithm tpe --goal 0.99 --seed 0 "
        "--name digits --timeout 10m --trial-timeout=60 --setting n_startup_trials=5 "
        "--setting gamma=0.2 --additional-metric loss --strategy loss=latest --max-failed 3 "
        "-o exp --dry-run",
        where="cell 3, line 1",
    )
    assert problems == []
    assert extra == {"-o": "exp", "--dry-run": ""}
    assert options == TuneOptions(
        direction=ObjectiveType.MAXIMIZE,
        metric="accuracy",
        trials=30,
        parallel=2,
        algorithm="tpe",
        setting=(("n_startup_trials", "5"), ("gamma", "0.2")),
        goal=0.99,
        seed=0,
        name="digits",
        timeout=600.0,
        trial_timeout=60.0,
        max_failed=3,
        additional_metric=("loss",),
        strategy=(("loss", "latest"),),
    )


def test_a_negative_goal_is_a_value():
    assert parse_line("minimize loss --goal -3.5", where="")[0].goal == -3.5


BAD = [
    ("", "no objective"),
    ("accuracy", "write it as: maximize accuracy"),
    ("maximise accuracy", "did you mean 'maximize'?"),
    ("maximize accuracy --trails 3", "did you mean '--trials'?"),
    ("maximize accuracy --trials three", "'three' is no whole number; allowed are 1 and up"),
    ("maximize accuracy --trials 0", "0 is too small; allowed are 1 and up"),
    ("maximize accuracy --trials", "needs a value"),
    ("maximize accuracy --fresh=no", "--fresh: does not take a value"),
    ("maximize accuracy --dry-run=no", "--dry-run: does not take a value"),
    ("maximize accuracy --goal nan", "is not finite"),
    ("maximize accuracy --timeout soon", "allowed are seconds above 0, or 90s, 10m, 2h, 1d"),
    ("maximize accuracy --name Digits!", "lower-case letters"),
    ("maximize accuracy --setting gamma", "name=value"),
    ("maximize accuracy --strategy accuracy=last", "allowed are min, max, latest"),
    ("maximize accuracy --seed 1 --seed 2", "given 2 times"),
    ("maximize 3x", "no variable's name"),
    ("minimize loss, maximise accuracy", "did you mean 'maximize'?"),
    ("minimize loss,", "no objective (found: minimize loss,)"),
    ("minimize loss maximize accuracy", "no objective"),
    ("maximize accuracy --constraint memory<7", "write it as METRIC<=VALUE or METRIC>=VALUE"),
    ("maximize accuracy --constraint memory<=much", "'much' is no number"),
    ("maximize accuracy --early-stopping medianstop:3", "write it as name=value"),
    ("maximize 'accuracy", "cannot be read"),
]


@pytest.mark.parametrize(("line", "message"), BAD)
def test_each_mistake_is_named(line, message):
    problems = parse_line(line, where="cell 3, line 1")[2]
    assert len(problems) == 1
    assert message in str(problems[0])
    assert "cell 3, line 1" in str(problems[0])


def test_several_objectives_stand_behind_one_another():
    line = "minimize loss, maximize accuracy,minimize size --constraint memory<=7"
    options, _, problems = parse_line(f"{line} --constraint 'memory >= 1'", where="")
    assert problems == []
    assert (options.direction, options.metric) == (ObjectiveType.MINIMIZE, "loss")
    assert options.additional_objectives == (
        AdditionalObjective(type=ObjectiveType.MAXIMIZE, objective_metric_name="accuracy"),
        AdditionalObjective(type=ObjectiveType.MINIMIZE, objective_metric_name="size"),
    )
    objective = options.spec(X, TrialTemplate(trial_spec={"kind": "NotebookTrial"})).objective
    assert objective.constraints == (MetricConstraint(name="memory", min=1, max=7),)
    assert objective.metric_names == ("loss", "accuracy", "size", "memory")
    alone = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="f1").over(options)
    assert (alone.metric, alone.additional_objectives) == ("f1", ())
    assert TuneOptions(trials=3).over(options).additional_objectives != ()


def test_all_mistakes_come_together():
    line = "maximise acc --trails 3 --parallel 0 --timeout x"
    problems = [str(problem) for problem in parse_line(line, where="here")[2]]
    assert len(problems) == 4


def test_defaults():
    template = TrialTemplate(trial_spec={"kind": "NotebookTrial"})

    def spec(**options):
        named = TuneOptions(direction=ObjectiveType.MINIMIZE, metric="loss", **options)
        return named.spec(X, template)

    assert (spec().max_trial_count, spec().parallel_trial_count) == (20, 2)
    assert spec().algorithm.algorithm_name == "tpe"
    assert spec(trials=1).parallel_trial_count == 1
    assert spec(trials=-1).parallel_trial_count == 1
    assert spec(timeout=60.0).max_trial_count is None
    assert spec(algorithm="grid").max_trial_count is None
    assert spec(timeout=60.0, trials=5).max_trial_count == 5


def test_what_is_said_outside_wins():
    cell = TuneOptions(metric="accuracy", trials=30, setting=(("gamma", "0.1"),))
    merged = TuneOptions(trials=5).over(cell)
    assert (merged.metric, merged.trials, merged.setting) == (
        "accuracy",
        5,
        (("gamma", "0.1"),),
    )
    several = TuneOptions(trials=30, parallel=4)
    assert TuneOptions(trials=2).over(several).parallel == 2
    assert TuneOptions(trials=2, parallel=3).over(several).parallel == 3


def test_an_objective_given_elsewhere_need_not_be_on_the_line():
    assert parse_line("--trials 3", where="", needs_objective=False)[2] == []
    assert parse_line("maximise x", where="", needs_objective=False)[2] != []
