"""What Katib is known to fail at in a search, once each.

Experiments are simulated: the engine plans, the search answers, trials end in a random
order. Each test names the failure in Katib that it is about.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hpo_lab.engine.asking import SearchMemory
from hpo_lab.engine.ledger import Ledger
from hpo_lab.engine.plan import plan
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.space import contains
from hpo_lab.experiment.trial import Metric, Trial, TrialState, optimal_trial
from hpo_lab.stopping.curve import Curve
from hpo_lab.stopping.rule import Progress, Question, get_rule, settings_of
from tests.search.simulation import run

UNIT = {"parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}
PLANE = [{"name": "x", **UNIT}, {"name": "y", **UNIT}]


def spec(
    algorithm: str, parameters: list[dict[str, Any]] = PLANE, trials: int | None = 12, **fields: Any
) -> ExperimentSpec:
    settings = [{"name": k, "value": v} for k, v in fields.pop("settings", {}).items()]
    return ExperimentSpec.model_validate(
        {
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {"algorithmName": algorithm, "algorithmSettings": settings},
            "parameters": parameters,
            "parallelTrialCount": 3,
            "maxTrialCount": trials,
            "seed": 5,
            **fields,
        }
    )


def loss_of(trial: Trial) -> float:
    numbers = [v for v in trial.assignments.values() if isinstance(v, int | float)]
    return sum((number - 0.3) ** 2 for number in numbers)


def succeeded(trial: Trial) -> Trial:
    metrics = {"loss": Metric.single(loss_of(trial))}
    return replace(trial, state=TrialState.SUCCEEDED, metrics=metrics)


def run_all(asked: ExperimentSpec, end: Callable[[Trial], Trial] = succeeded) -> list[Trial]:
    return run(asked, end, random.Random(0), uid="one")


def verdict(asked: ExperimentSpec, trials: list[Trial], *, exhausted: bool = False) -> str:
    reached = plan(asked, Ledger(asked.objective, trials), exhausted=exhausted).verdict
    assert reached is not None
    return reached.reason


@pytest.mark.parametrize("algorithm", ["tpe", "multivariate-tpe"])
def test_trials_asked_for_together_are_distinct(algorithm: str) -> None:
    """There, tpe gives one point to the whole batch."""
    asked = spec(algorithm, parallelTrialCount=4, seed=None, settings={"n_startup_trials": "4"})
    trials = [succeeded(trial) for trial in run_all(asked)[:8]]
    for _ in range(4):
        made = SearchMemory(trials).new_trial(asked, len(trials), uid="one")
        assert isinstance(made, Trial)
        trials.append(replace(made, state=TrialState.RUNNING))
    assert len({tuple(trial.assignments.values()) for trial in trials}) == len(trials)


@pytest.mark.parametrize(
    "algorithm", ["random", "tpe", "multivariate-tpe", "bayesianoptimization", "cmaes", "sobol"]
)
def test_a_trial_without_a_number_does_not_stop_the_others(algorithm: str) -> None:
    """There, `loss=nan` fails every further question, and such a trial can be the best."""

    def end(trial: Trial) -> Trial:
        if trial.number % 3:
            return succeeded(trial)
        metrics = {"loss": Metric.single(math.nan)}
        return replace(trial, state=TrialState.METRICS_UNAVAILABLE, metrics=metrics)

    asked = spec(algorithm, trials=15)
    trials = run_all(asked, end)
    assert len(trials) == 15 and verdict(asked, trials) == "ExperimentMaxTrialsReached"
    best = optimal_trial(asked.objective, trials)
    assert best is not None and best.number % 3
    assert loss_of(best) == min(loss_of(trial) for trial in trials if trial.number % 3)


GRID = [
    {"name": name, "parameterType": "int", "feasibleSpace": {"min": "1", "max": "4"}}
    for name in ("x", "y")
]
EPOCHS = {"name": "epochs", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "9"}}
RESOURCE = {"resource_name": "epochs", "r_l": "9", "eta": "3"}
POPULATION = {"n_population": "5", "truncation_threshold": "0.4", "suggestion_trial_dir": "/opt"}
RESTARTED: dict[str, ExperimentSpec] = {
    "grid": spec("grid", GRID),
    "multivariate-tpe": spec("multivariate-tpe", settings={"n_startup_trials": "4"}),
    "cmaes": spec("cmaes"),
    "sobol": spec("sobol"),
    "pbt": spec("pbt", trials=15, settings=POPULATION),
    "hyperband": spec("hyperband", [*PLANE, EPOCHS], settings=RESOURCE),
}
ASK = """
import json, sys
from hpo_lab.engine.asking import SearchMemory
from hpo_lab.engine.ledger import Ledger
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Metric, Trial, TrialState
answers = {}
for name, (document, known) in json.load(sys.stdin).items():
    trials = [
        Trial(number, values, TrialState.SUCCEEDED, {"loss": Metric.single(loss)},
              parent=parent, labels=labels)
        for number, values, loss, parent, labels in known
    ]
    asked = ExperimentSpec.model_validate(document)
    made = SearchMemory(trials).new_trial(asked, len(trials), uid="one")
    answers[name] = [made.assignments, made.parent, dict(made.labels)]
print(json.dumps(answers))
"""


def test_a_restart_in_the_middle_goes_on_as_if_there_had_been_none() -> None:
    """There, a restarted suggestion service fails for ever: it finds trials it did not ask for."""
    questions, expected = {}, {}
    for name, asked in RESTARTED.items():
        trials: list[Trial] = []
        for number in range(11):
            made = SearchMemory(trials).new_trial(asked, number, uid="one")
            assert isinstance(made, Trial)
            trials.append(succeeded(made))
        *before, last = trials
        expected[name] = [last.assignments, last.parent, dict(last.labels)]
        known = [(t.number, t.assignments, loss_of(t), t.parent, dict(t.labels)) for t in before]
        questions[name] = (asked.to_document(), known)
    answered = subprocess.run(
        [sys.executable, "-c", ASK],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answered.stdout) == expected


def test_a_range_that_touches_zero_is_sampled_uniformly() -> None:
    """There, bayesianoptimization takes its logarithm, and gives `nan` or hangs."""
    for low, high in (("0", "1"), ("-1", "0"), ("-1", "1")):
        ranged = {"parameterType": "double", "feasibleSpace": {"min": low, "max": high}}
        asked = spec("bayesianoptimization", [{"name": "x", **ranged}], 20)
        xs = [float(str(trial.assignments["x"])) for trial in run_all(asked)]
        assert all(float(low) <= x <= float(high) for x in xs)
        # The first ten are spread evenly; in logarithms they would crowd at one end.
        tenths = {int(10 * (x - float(low)) / (float(high) - float(low))) for x in xs[:10]}
        assert len(tenths) >= 7


BOUNDED = [
    {
        "name": f"{distribution}{step}",
        "parameterType": "double",
        "feasibleSpace": {
            "min": "0.01",
            "max": "0.99",
            "distribution": distribution,
            **({"step": step} if step else {}),
        },
    }
    for distribution in ("uniform", "logUniform", "normal", "logNormal")
    for step in ("", "0.07")
]


@pytest.mark.parametrize(
    "algorithm", ["random", "tpe", "multivariate-tpe", "bayesianoptimization", "cmaes", "sobol"]
)
def test_values_keep_their_bounds_and_their_grid(algorithm: str) -> None:
    """There, values lie beside the grid, and normal ones outside of the bounds."""
    asked = spec(algorithm, BOUNDED, 30)
    for trial in run_all(asked):
        for parameter in asked.parameters:
            assert contains(parameter, trial.assignments[parameter.name])


@pytest.mark.parametrize("budget", [None, 100])
def test_a_grid_that_is_used_up_ends_the_experiment(budget: int | None) -> None:
    """There, the service raises for ever, or refuses a budget above the combinations."""
    asked = spec("grid", GRID, budget)
    trials = run_all(asked)
    assert sorted(tuple(trial.assignments.values()) for trial in trials) == [
        (x, y) for x in range(1, 5) for y in range(1, 5)
    ]
    assert verdict(asked, trials, exhausted=True) == "ExperimentSuggestionEndReached"


def test_hyperband_goes_beyond_its_first_rung_and_ends() -> None:
    """There, it hangs after the first rung, without a condition that says so."""
    asked = spec("hyperband", [*PLANE, EPOCHS], 60, settings=RESOURCE)
    trials = run_all(asked)
    assert {trial.assignments["epochs"] for trial in trials} == {1, 3, 9}
    exhausted = len(trials) < 60
    assert verdict(asked, trials, exhausted=exhausted).startswith("Experiment")


def test_the_median_rule_takes_the_median_and_asks_at_every_step() -> None:
    """There, it is the mean, frozen when a trial begins and compared at one step only."""
    asked = spec(
        "random",
        earlyStopping={
            "algorithmName": "medianstop",
            "algorithmSettings": [
                {"name": "min_trials_required", "value": "3"},
                {"name": "start_step", "value": "2"},
            ],
        },
    )
    strategy = asked.objective.strategy("loss")

    rule = get_rule("medianstop")
    settings = settings_of(rule, asked)

    def curve(*losses: float) -> Curve:
        return Curve(strategy).then([(None, loss) for loss in losses])

    # One outlier moves the mean of the others to 34, their median is 2.
    for number, loss in enumerate((1.0, 2.0, 99.0)):
        ended = curve(*[loss] * 5)
        rule.tell(Progress(asked, settings, number, TrialState.SUCCEEDED, ended))

    def stops(*losses: float) -> bool:
        mine = curve(*losses)
        question = Question(asked, settings, 3, TrialState.RUNNING, mine, {})
        return rule.should_stop(question) is not None

    assert not stops(3.0)
    assert stops(3.0, 3.0) and stops(3.0, 3.0, 3.0, 3.0)
    assert not stops(3.0, 1.5)
