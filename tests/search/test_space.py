from __future__ import annotations

import itertools
from typing import Any

import pytest

from hpo_lab.experiment.model import FeasibleSpace, Parameter
from hpo_lab.search.space import Space, assignment_at, cardinality


def parameter(name: str, kind: str, when: str | None = None, **space: Any) -> Parameter:
    return Parameter(
        name=name, parameter_type=kind, feasible_space=FeasibleSpace(**space), when=when
    )


OPT = parameter("opt", "categorical", list=("sgd", "adam"))
MOMENTUM = parameter("momentum", "discrete", 'opt == "sgd"', list=(0.0, 0.9))
NESTEROV = parameter("nesterov", "categorical", "momentum > 0", list=(True, False))
LAYERS = parameter("layers", "int", min=1, max=3)


def test_the_last_parameter_is_the_fastest() -> None:
    made = [assignment_at([OPT, LAYERS], index) for index in range(6)]
    assert made == [
        {"opt": opt, "layers": layers}
        for opt, layers in itertools.product(("sgd", "adam"), range(1, 4))
    ]


def test_branches_are_counted_once() -> None:
    parameters = [NESTEROV, OPT, MOMENTUM, LAYERS]
    # sgd: momentum 0, or 0.9 with or without nesterov; adam: nothing else.
    assert cardinality(parameters) == (3 + 1) * 3
    made = [assignment_at(parameters, index) for index in range(12)]
    assert len({tuple(sorted(m.items())) for m in made}) == 12
    assert {"opt": "adam", "layers": 2} in made
    assert {"opt": "sgd", "momentum": 0.9, "nesterov": False, "layers": 1} in made
    assert all("nesterov" not in m for m in made if m.get("momentum", 0) == 0)


def test_a_space_is_infinite_only_where_a_continuum_can_be_active() -> None:
    lr = parameter("lr", "double", 'opt == "lion"', min=0, max=1)
    assert cardinality([OPT, lr]) == 2
    assert cardinality([OPT, lr.model_copy(update={"when": 'opt == "sgd"'})]) is None


def test_a_large_space_is_counted_without_being_generated() -> None:
    many = [parameter(f"p{i}", "int", min=1, max=1000) for i in range(40)]
    dependent = [parameter(f"q{i}", "int", "p0 > 500", min=1, max=10) for i in range(10)]
    assert cardinality([*many, *dependent]) == 1000**39 * 500 * (10**10 + 1)
    space = Space([*many, *dependent])
    index = 123456789 * 10**110
    assert space.index_of(space.assignment_at(index)) == index


@pytest.mark.parametrize("index", [-1, 6])
def test_there_is_nothing_outside(index: int) -> None:
    with pytest.raises(IndexError):
        assignment_at([OPT, LAYERS], index)


def test_an_infinite_space_has_no_numbers() -> None:
    with pytest.raises(IndexError):
        assignment_at([parameter("lr", "double", min=0, max=1)], 0)


@pytest.mark.parametrize(
    ("assignment", "reason"),
    [
        ({"opt": "adam", "layers": 1}, None),
        ({"opt": "adam", "layers": 1, "momentum": 0.9}, "does not hold"),
        ({"opt": "sgd", "layers": 1}, "'momentum' is not assigned"),
        ({"opt": "adam", "layers": 4}, "4 is no value of 'layers'"),
        ({"opt": "adam", "layer": 4}, "no parameter; did you mean 'layers'"),
    ],
)
def test_violations_are_named(assignment: dict[str, Any], reason: str | None) -> None:
    found = Space([OPT, MOMENTUM, LAYERS]).violation(assignment)
    assert found == reason if reason is None else reason in str(found)
    assert (Space([OPT, MOMENTUM, LAYERS]).index_of(assignment) is None) is (reason is not None)
