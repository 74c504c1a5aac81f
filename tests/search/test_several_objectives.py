"""Algorithms with several objectives and with constraints."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.experiment.model import ExperimentSpec, FeasibleSpace, Parameter, Value
from hpo_lab.experiment.trial import Metric, Trial, TrialState, losses, optimal_trial, pareto_front
from hpo_lab.search.algorithm import algorithms, search_problems
from hpo_lab.search.space import Space

from .asking import suggest
from .test_ask import RESULTS, spaces

GUIDED = ("bayesianoptimization", "multivariate-tpe", "nsga2", "tpe")
ALL = (*GUIDED, "grid", "halton", "random", "sobol")
# So that a short history is one that they model.
EARLY = {"bayesianoptimization": "n_initial_points", "nsga2": "population_size"} | dict.fromkeys(
    ("tpe", "multivariate-tpe"), "n_startup_trials"
)


def unit(*names: str) -> tuple[Parameter, ...]:
    space = FeasibleSpace(min=0, max=1)
    return tuple(Parameter(name=n, parameter_type="double", feasible_space=space) for n in names)


def experiment(
    parameters: tuple[Parameter, ...],
    algorithm: str,
    given: Mapping[str, Any] | None = None,
    *,
    several: bool = True,
    **objective: Any,
) -> ExperimentSpec:
    further = [{"type": "maximize", "objectiveMetricName": "second"}] if several else []
    setting = [{"name": name, "value": str(value)} for name, value in (given or {}).items()]
    return ExperimentSpec.model_validate(
        {
            "parameters": parameters,
            "objective": {
                "type": "minimize",
                "objectiveMetricName": "first",
                "additionalObjectives": further,
                **objective,
            },
            "algorithm": {"algorithmName": algorithm, "algorithmSettings": setting},
        }
    )


@pytest.mark.parametrize("algorithm", GUIDED)
@settings(max_examples=10)
@given(
    parameters=spaces(),
    results=st.lists(st.tuples(RESULTS, st.floats(-9, 9), st.floats(0, 9)), max_size=12),
    shuffle=st.randoms(use_true_random=False),
)
def test_any_history_is_answered_the_same_and_inside_the_space(
    algorithm: str, parameters: tuple[Parameter, ...], results: list[Any], shuffle: Any
) -> None:
    constraints = [{"name": "memory", "max": 4}]
    spec = experiment(parameters, algorithm, {EARLY[algorithm]: 3}, constraints=constraints)
    assert search_problems(spec) == []
    trials: list[Trial] = []
    for (state, first), second, memory in results:
        found = suggest(spec, len(trials), trials)
        if found is None:
            break
        values = {"first": first, "second": second, "memory": memory}
        metrics = {name: Metric.single(v) for name, v in values.items() if v is not None}
        trials.append(Trial(len(trials), found, state, metrics))
    space = Space(parameters)
    assert all(space.violation(one.assignments) is None for one in trials)
    later = trials[:]
    shuffle.shuffle(later)
    for asked in trials[:1] + trials[-1:]:
        assert suggest(spec, asked.number, later) == asked.assignments


def run(
    spec: ExperimentSpec, count: int, evaluate: Callable[[Mapping[str, Value]], dict[str, float]]
) -> list[Trial]:
    trials: list[Trial] = []
    for number in range(count):
        found = suggest(spec, number, trials)
        assert found is not None
        metrics = {name: Metric.single(value) for name, value in evaluate(found).items()}
        trials.append(Trial(number, found, TrialState.SUCCEEDED, metrics))
    return trials


def zdt1(assignment: Mapping[str, Value]) -> dict[str, float]:
    """Zitzler, Deb and Thiele's first function, the second objective turned upside down."""
    first, *others = (float(value or 0) for value in assignment.values())
    g = 1 + 9 * sum(others) / len(others)
    return {"first": first, "second": -g * (1 - math.sqrt(first / g))}


def hypervolume(spec: ExperimentSpec, trials: list[Trial]) -> float:
    """What the front dominates, up to the point (1.1, 6)."""
    total, height = 0.0, 6.0
    for one in pareto_front(spec.objective, trials):
        x, y = losses(spec.objective, one) or (math.inf, math.inf)
        if x < 1.1 and y < height:
            total += (1.1 - x) * (height - y)
            height = y
    return total


@pytest.mark.parametrize(
    ("algorithm", "count", "gain"),
    [("nsga2", 100, 0.3), ("tpe", 60, 0.6), ("bayesianoptimization", 30, 0.9)],
)
def test_the_front_comes_nearer_than_by_chance(algorithm: str, count: int, gain: float) -> None:
    space = unit("a", "b", "c", "d")

    def quality(name: str, seed: int) -> float:
        spec = experiment(space, name, {"random_state": seed})
        return hypervolume(spec, run(spec, count, zdt1))

    found = median(quality(algorithm, seed) for seed in range(3))
    chance = median(quality("random", seed) for seed in range(3))
    assert found > chance + gain


@pytest.mark.parametrize("algorithm", ["nsga2", "tpe"])
def test_a_constraint_leads_away_from_what_breaks_it(algorithm: str) -> None:
    def evaluate(assignment: Mapping[str, Value]) -> dict[str, float]:
        a, b = float(assignment["a"] or 0), float(assignment["b"] or 0)
        # The best values are where the constraint, b <= 0.3, is broken most.
        return {"first": a - b, "memory": b}

    bound = [{"name": "memory", "max": 0.3}]
    settings = {"random_state": 0}
    spec = experiment(unit("a", "b"), algorithm, settings, several=False, constraints=bound)
    free = experiment(unit("a", "b"), algorithm, settings, several=False)
    late = run(spec, 80, evaluate)[40:]
    kept = sum(float(one.assignments["b"] or 0) <= 0.3 for one in late)
    unbound = sum(float(t.assignments["b"] or 0) <= 0.3 for t in run(free, 80, evaluate)[40:])
    assert kept > 18 > 8 > unbound
    best = optimal_trial(spec.objective, late)
    assert best is not None and best.metrics["first"].latest < -0.2


def test_the_front_of_thousands_of_trials_is_not_forgotten() -> None:
    spec = experiment(unit("a", "b"), "tpe", {"random_state": 0})
    trials = []
    for number in range(1200):
        # The front is that of the first hundred trials.
        place, worse = number % 100 / 100, number >= 100
        metrics = {
            "first": Metric.single(place + 5 * worse),
            "second": Metric.single(place - 5 * worse),
        }
        values: dict[str, Value] = {"a": 0.9 if worse else 0.1, "b": (number * 0.618) % 1}
        trials.append(Trial(number, values, TrialState.SUCCEEDED, metrics))
    answers = [suggest(spec, number, trials) for number in range(1200, 1206)]
    assert median(float((one or {})["a"] or 0) for one in answers) < 0.4


@pytest.mark.parametrize("algorithm", ALL)
def test_these_have_several_objectives(algorithm: str) -> None:
    whole = Parameter(name="n", parameter_type="int", feasible_space=FeasibleSpace(min=1, max=9))
    assert search_problems(experiment((whole,), algorithm)) == []


def test_an_algorithm_with_one_says_which_have_several() -> None:
    (problem,) = search_problems(experiment(unit("a", "b"), "cmaes"))
    assert problem.where == "spec.objective.additionalObjectives"
    listed = problem.message.partition("those with several are ")[2].split(", ")
    assert "cmaes" not in listed and {*ALL} <= {*listed} <= {*algorithms()}
