"""What a search learns from the trials of other experiments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from hpo_lab.engine.asking import SearchMemory
from hpo_lab.experiment import space as domains
from hpo_lab.experiment.model import (
    AdditionalObjective,
    AlgorithmSpec,
    ExperimentSpec,
    Objective,
    ObjectiveType,
    Value,
)
from hpo_lab.experiment.space import Domain, choice, uniform
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.transfer import transferred

PLANE = {"x": uniform(-5, 5), "y": uniform(-5, 5)}


def spec(
    space: Mapping[str, Domain] = PLANE,
    algorithm: str = "tpe",
    seed: int | None = 0,
    **fields: Any,
) -> ExperimentSpec:
    return ExperimentSpec.model_validate(
        {
            "parameters": [domain.named(name) for name, domain in space.items()],
            "objective": Objective(type=ObjectiveType.MINIMIZE, objective_metric_name="loss"),
            "algorithm": AlgorithmSpec(algorithm_name=algorithm),
            "parallel_trial_count": 1,
            "seed": seed,
            **fields,
        }
    )


def trial(number: int = 0, loss: float = 1.0, **assignments: Value) -> Trial:
    metrics = {"loss": Metric.single(loss)}
    return Trial(number, assignments, TrialState.SUCCEEDED, metrics)


def kept(space: Mapping[str, Domain], one: Trial, **fields: Any) -> Mapping[str, Value] | None:
    found = transferred(spec(space, **fields), [one])
    return found[0].assignments if found else None


def test_shared_parameters_are_kept_and_unknown_ones_dropped() -> None:
    assert kept({"x": uniform(0, 1)}, trial(x=0.5, z="old")) == {"x": 0.5}
    assert kept({"x": uniform(0, 0.4)}, trial(x=0.5)) is None
    assert kept({"x": uniform(0, 1, step=0.2)}, trial(x=0.5)) is None
    assert kept({"x": domains.int(0, 1)}, trial(x=0.5)) is None


def test_a_trial_that_shares_no_parameter_is_left_out() -> None:
    point = {"x": 0.5, "y": 0.5}
    assert kept(PLANE, trial(z=1.0), initial_points=(point,)) is None
    assert kept(PLANE, trial(x=1.0), initial_points=(point,)) == {"x": 1.0, "y": 0.5}


def test_a_missing_parameter_gets_its_only_or_its_usual_value() -> None:
    space = {"x": uniform(0, 1), "n": domains.int(1, 4)}
    assert kept(space, trial(x=0.5)) is None
    assert kept({**space, "n": domains.int(3, 3)}, trial(x=0.5)) == {"x": 0.5, "n": 3}
    points = [{"x": 0.1, "n": 2}, {"n": 4}]
    assert kept(space, trial(x=0.5), initial_points=points) == {"x": 0.5, "n": 2}


def test_conditions_of_the_new_space_hold() -> None:
    space = {"opt": choice("adam", "sgd"), "m": uniform(0, 1).when('opt == "sgd"')}
    assert kept(space, trial(opt="adam", m=0.5)) == {"opt": "adam"}
    assert kept(space, trial(opt="sgd", m=0.5)) == {"opt": "sgd", "m": 0.5}
    assert kept(space, trial(opt="sgd")) is None


def test_only_measured_trials_count() -> None:
    unmeasured = replace(trial(x=0, y=0), metrics={"loss": Metric.single(float("nan"))})
    failed = replace(trial(x=0, y=0), state=TrialState.FAILED)
    killed = replace(trial(x=0, y=0), state=TrialState.KILLED)
    stopped = replace(trial(x=0, y=0), state=TrialState.EARLY_STOPPED, labels={"rung": "1"})
    (found,) = transferred(spec(), [unmeasured, failed, killed, stopped])
    assert found.state is TrialState.EARLY_STOPPED and found.labels == {}
    further = AdditionalObjective(type=ObjectiveType.MINIMIZE, objective_metric_name="time")
    objective = spec().objective.model_copy(update={"additional_objectives": (further,)})
    assert transferred(spec(objective=objective), [stopped]) == []


def quadratic(x: float, y: float) -> float:
    return (x - 1.7) ** 2 + 3 * (y + 2.3) ** 2


def nearby(x: float, y: float) -> float:
    return quadratic(x - 0.3, y + 0.3)


def searched(
    spec: ExperimentSpec,
    loss: Callable[..., float],
    trials: int,
    prior: Sequence[Trial] = (),
) -> list[Trial]:
    memory = SearchMemory(prior)
    ended: list[Trial] = []
    for number in range(trials):
        asked = memory.new_trial(spec, number, uid="u")
        assert isinstance(asked, Trial)
        ended.append(trial(number, loss(**asked.assignments), **asked.assignments))
        memory.put(ended[-1])
    return ended


@pytest.fixture(scope="module")
def prior() -> list[Trial]:
    """Thirty trials of a random search over a function with its minimum nearby."""
    earlier = transferred(spec(), searched(spec(algorithm="random", seed=9), nearby, 30))
    return [replace(each, number=index - 30) for index, each in enumerate(earlier)]


@pytest.mark.parametrize("algorithm", ["tpe", "multivariate-tpe", "bayesianoptimization", "cmaes"])
def test_a_warm_start_is_better_from_the_beginning(algorithm: str, prior: list[Trial]) -> None:
    def losses(taken: Sequence[Trial]) -> list[float]:
        ten = searched(spec(algorithm=algorithm), quadratic, 10, taken)
        return sorted(each.metrics["loss"].latest for each in ten)

    cold, warm = losses(()), losses(prior)
    assert warm[0] < cold[0]
    assert warm[5] < cold[5] / 2


@pytest.mark.parametrize("algorithm", ["random", "sobol", "halton", "grid"])
def test_what_does_not_learn_is_the_same_with_and_without(
    algorithm: str, prior: list[Trial]
) -> None:
    stepped = {name: uniform(-5, 5, step=2.5) for name in PLANE}
    asked = spec(stepped if algorithm == "grid" else PLANE, algorithm)
    assert searched(asked, quadratic, 6, prior) == searched(asked, quadratic, 6)
