from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Trial

from .asking import suggest

UNIT = {"min": 0, "max": 1}
ALGORITHMS = ("sobol", "halton")


def experiment(algorithm: str, *parameters: Any, **fields: Any) -> ExperimentSpec:
    return ExperimentSpec.model_validate(
        {
            "parameters": parameters,
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {"algorithmName": algorithm},
        }
        | fields
    )


PLANE = [{"name": name, "parameterType": "double", "feasibleSpace": UNIT} for name in "xy"]


def points(algorithm: str, count: int, seed: int) -> Any:
    spec = experiment(algorithm, *PLANE, seed=seed)
    return np.array([list((suggest(spec, n, []) or {}).values()) for n in range(count)], float)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("seed", [1, 2])
def test_it_fills_the_space_more_evenly_than_chance(algorithm: str, seed: int) -> None:
    for count in (64, 100):
        even = qmc.discrepancy(points(algorithm, count, seed))
        assert even < 0.3 * qmc.discrepancy(points("random", count, seed))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_sequence_is_the_same_wherever_it_is_entered(algorithm: str) -> None:
    spec = experiment(algorithm, *PLANE, seed=5)
    # 63, 64 and 65 lie on both sides of where more of it is computed.
    made = {number: suggest(spec, number, []) for number in (500, 65, 64, 63, 0)}
    again = {number: suggest(spec, number, [Trial(0)]) for number in (0, 63, 64, 65, 500)}
    assert made == again
    assert len({repr(point) for point in made.values()}) == 5
    assert suggest(spec, 0, []) != suggest(experiment(algorithm, *PLANE, seed=6), 0, [])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_axis_keeps_its_own_coordinate(algorithm: str) -> None:
    opt = {"name": "opt", "parameterType": "categorical", "feasibleSpace": {"list": list("abcd")}}
    branch = PLANE[0] | {"name": "z", "when": 'opt == "a"'}
    spec = experiment(algorithm, *PLANE, opt, branch, seed=1)
    made: list[Any] = [suggest(spec, number, []) for number in range(64)]
    counts = [sum(m["opt"] == choice for m in made) for choice in "abcd"]
    assert max(counts) - min(counts) <= 2
    active = sorted(m["z"] for m in made if "z" in m)
    assert len(active) == counts[0] and active[0] < 0.2 and active[-1] > 0.8
    without = experiment(algorithm, *PLANE, opt, branch | {"when": 'opt == "b"'}, seed=1)
    assert [(m["x"], m["y"]) for m in made] == [
        (m["x"], m["y"]) for m in (suggest(without, number, []) or {} for number in range(64))
    ]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_initial_points_do_not_use_up_the_sequence(algorithm: str) -> None:
    plain = experiment(algorithm, *PLANE, seed=1)
    begun = experiment(algorithm, *PLANE, seed=1, initialPoints=[{"x": 0.5}])
    first = Trial(0, {"x": 0.5, "y": 0.1}, labels={"point": "initial-0"})
    assert suggest(begun, 1, [first]) == suggest(plain, 0, [])


def test_a_power_of_two_of_sobol_points_is_balanced() -> None:
    made = points("sobol", 64, 3)
    for axis in made.T:
        assert sorted(math.floor(64 * u) for u in axis) == list(range(64))
