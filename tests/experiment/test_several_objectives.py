"""Several objectives and constraints: what is optimal, what is refused, what is written."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.conversion import to_katib
from hpo_lab.experiment.identity import differences, identity
from hpo_lab.experiment.model import (
    ExperimentDocument,
    MetricStrategyType,
    Objective,
)
from hpo_lab.experiment.rules import experiment_problems
from hpo_lab.experiment.status_document import experiment_status
from hpo_lab.experiment.trial import (
    Metric,
    Trial,
    TrialState,
    objective_values,
    optimal_trial,
    pareto_front,
    violations,
)


def objective(**fields: Any) -> Objective:
    further = [
        {"type": "maximize", "objectiveMetricName": "accuracy"},
        {"type": "minimize", "objectiveMetricName": "latency"},
    ]
    first = {"type": "minimize", "objectiveMetricName": "loss", "additionalObjectives": further}
    return Objective.model_validate(first | fields)


def trial(number: int, state: TrialState = TrialState.SUCCEEDED, **values: float) -> Trial:
    metrics = {name: Metric.single(value) for name, value in values.items()}
    return Trial(number, {"x": number}, state, metrics)


NUMBERS = st.integers(0, 3).map(float) | st.sampled_from([math.nan, math.inf])
TRIALS = st.lists(
    st.tuples(st.sampled_from(TrialState), st.lists(NUMBERS, min_size=0, max_size=4)), max_size=12
)


def made(drawn: list[tuple[TrialState, list[float]]]) -> list[Trial]:
    names = ("loss", "accuracy", "latency", "memory")
    return [
        trial(n, state, **dict(zip(names, values, strict=False)))
        for n, (state, values) in enumerate(drawn)
    ]


@given(TRIALS, st.booleans())
def test_the_front_is_what_no_feasible_trial_dominates(drawn, bounded):
    fields = {"constraints": [{"name": "memory", "max": 1}]} if bounded else {}
    goal = objective(**fields)
    trials = made(drawn)

    def as_losses(one: Trial) -> tuple[float, float, float]:
        values = objective_values(goal, one)
        assert values is not None
        return values[0], -values[1], values[2]

    allowed = [
        one
        for one in trials
        if one.state in (TrialState.SUCCEEDED, TrialState.EARLY_STOPPED)
        and objective_values(goal, one) is not None
        and (not bounded or ("memory" in one.metrics and one.metrics["memory"].latest <= 1))
    ]
    expected = {
        one.number
        for one in allowed
        if not any(
            as_losses(other) != as_losses(one)
            and all(a <= b for a, b in zip(as_losses(other), as_losses(one), strict=True))
            for other in allowed
        )
    }
    front = pareto_front(goal, trials)
    assert {one.number for one in front} == expected
    best = optimal_trial(goal, reversed(trials))
    assert best == (front[0] if front else None)
    if best is not None:
        first = min(as_losses(one)[0] for one in allowed)
        assert as_losses(best)[0] == first


def test_each_objective_counts_in_its_own_direction():
    goal = objective(constraints=[{"name": "memory", "max": 4}, {"name": "latency", "max": 9}])
    assert {name: goal.strategy(name).value for name in goal.metric_names} == {
        "loss": "min",
        "accuracy": "max",
        "latency": "min",
        "memory": "latest",
    }
    given = goal.model_copy(
        update={
            "metric_strategies": objective(
                metricStrategies=[{"name": "memory", "value": "max"}]
            ).metric_strategies
        }
    )
    assert given.strategy("memory") is MetricStrategyType.MAX


def test_a_constraint_is_broken_by_so_much():
    goal = Objective.model_validate(
        {
            "type": "minimize",
            "objectiveMetricName": "loss",
            "constraints": [{"name": "memory", "max": 4}, {"name": "recall", "min": 0.5}],
        }
    )
    assert violations(goal, trial(0, loss=1, memory=4, recall=0.5)) == (0, 0)
    assert violations(goal, trial(0, loss=1, memory=6, recall=0.25)) == (2, 0.25)
    assert violations(goal, trial(0, loss=1, memory=math.nan)) == (math.inf, math.inf)
    good, cheap = trial(0, loss=1, memory=5, recall=1), trial(1, loss=2, memory=3, recall=1)
    assert optimal_trial(goal, [good, cheap]) is cheap
    assert optimal_trial(goal, [good]) is None


SPACE = {"min": "0", "max": "1"}


def experiment(**fields: Any) -> ExperimentDocument:
    goal = {"type": "minimize", "objectiveMetricName": "loss", **fields}
    return ExperimentDocument.model_validate(
        {
            "metadata": {"name": "several"},
            "spec": {
                "objective": goal,
                "algorithm": {"algorithmName": "tpe"},
                "parameters": [{"name": "x", "parameterType": "double", "feasibleSpace": SPACE}],
            },
        }
    )


def further(*names: str) -> list[dict[str, str]]:
    return [{"type": "maximize", "objectiveMetricName": name} for name in names]


@pytest.mark.parametrize(
    ("fields", "where", "message"),
    [
        (
            {"additionalObjectives": further("loss")},
            "additionalObjectives[0].objectiveMetricName",
            "'loss' is an objective already",
        ),
        (
            {"additionalObjectives": further("a", "b", "a")},
            "additionalObjectives[2].objectiveMetricName",
            "'a' is an objective already",
        ),
        (
            {"additionalObjectives": further("a"), "additionalMetricNames": ["a"]},
            "additionalObjectives[0].objectiveMetricName",
            "in additionalMetricNames as well",
        ),
        (
            {"additionalObjectives": further("")},
            "additionalObjectives[0].objectiveMetricName",
            "is empty",
        ),
        ({"constraints": [{"name": "m"}]}, "constraints[0]", "has no bounds"),
        (
            {"constraints": [{"name": "m", "min": 2, "max": 1}]},
            "constraints[0].min",
            "is 2; must not be above max, 1",
        ),
        (
            {"constraints": [{"name": "m", "max": math.inf}]},
            "constraints[0].max",
            "must be a finite number",
        ),
        ({"constraints": [{"name": "", "max": 1}]}, "constraints[0].name", "is empty"),
        (
            {"constraints": [{"name": "m", "max": 1}, {"name": "m", "min": 0}]},
            "constraints",
            "'m' has more than one constraint",
        ),
        (
            {
                "additionalObjectives": further("accuracy"),
                "metricStrategies": [{"name": "acuracy", "value": "max"}],
            },
            "metricStrategies[0].name",
            "did you mean 'accuracy'?",
        ),
    ],
)
def test_what_does_not_fit_is_refused(fields, where, message):
    (problem,) = experiment_problems(experiment(**fields))
    assert problem.where == f"spec.objective.{where}"
    assert message in problem.message


BOTH = {
    "additionalObjectives": further("accuracy"),
    "constraints": [{"name": "memory", "max": 4}],
}


def test_they_are_part_of_what_an_experiment_is():
    one, other = experiment().spec, experiment(**BOTH).spec
    assert identity(one) != identity(other)
    assert {path.partition("[")[0] for path, _ in differences(one, other)} == {
        "spec.objective.additionalObjectives",
        "spec.objective.constraints",
    }


def test_katib_gets_the_first_objective_and_goes_on_recording_the_others():
    document, warnings = to_katib(experiment(**BOTH))
    assert document["spec"]["objective"] == {
        "type": "minimize",
        "objectiveMetricName": "loss",
        "additionalMetricNames": ["accuracy", "memory"],
        "metricStrategies": [
            {"name": "loss", "value": "min"},
            {"name": "accuracy", "value": "max"},
            {"name": "memory", "value": "latest"},
        ],
    }
    dropped = {problem.where for problem in warnings if "is dropped" in problem.message}
    assert dropped == {"spec.objective.additionalObjectives", "spec.objective.constraints"}


def test_the_status_lists_the_front():
    trials = [
        trial(0, loss=1, accuracy=0.5, memory=1),
        trial(1, loss=2, accuracy=0.9, memory=1),
        trial(2, loss=3, accuracy=0.8, memory=1),
        trial(3, loss=0, accuracy=1, memory=9),
    ]
    status = experiment_status(experiment(**BOTH), (), trials, now=0.0)
    assert [one["bestTrialName"] for one in status["paretoFront"]] == ["several-0", "several-1"]
    assert status["currentOptimalTrial"] == status["paretoFront"][0]
    single = experiment_status(experiment(), (), trials, now=0.0)
    assert "paretoFront" not in single
    assert single["currentOptimalTrial"]["bestTrialName"] == "several-3"
