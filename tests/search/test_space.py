from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.condition import ParameterCondition
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


def test_a_condition_on_a_wide_integer_is_counted_without_its_values() -> None:
    steps = parameter("steps", "int", min=0, max=10**30)
    schedule = parameter("schedule", "categorical", "steps > 0", list=("a", "b"))
    deep = parameter("deep", "categorical", "10 <= steps < 20 or steps in (3, 4)", list=(1, 2, 3))
    space = Space([steps, schedule, deep])

    assert space.cardinality == 1 + 2 * (10**30 - 12) + 6 * 12
    for index in (0, 1, 7, 10**6, 10**30 + 5, space.cardinality - 1):
        assert space.index_of(space.assignment_at(index)) == index
    other = parameter("other", "categorical", "steps > depth", list=("a", "b"))
    depth = parameter("depth", "int", min=0, max=10**30)
    # Each pair of values would have to be looked at.
    assert cardinality([steps, depth, other]) is None


_COMPARISONS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in"])
_NUMBERS = st.sampled_from([-1, 0, 0.5, 1, 2, 2.5, 3, 7, True, "'a'", None])


@st.composite
def _condition(draw: st.DrawFn) -> str:
    parts = []
    for _ in range(draw(st.integers(1, 2))):
        sign = draw(_COMPARISONS)
        number = draw(_NUMBERS)
        right = f"({number}, 2)" if sign.endswith("in") else f"{number}"
        parts.append(draw(st.sampled_from([f"a {sign} {right}", "a", "not a", "a < b < 3"])))
    return draw(st.sampled_from([" and ", " or "])).join(parts)


@given(_condition(), _condition(), st.sampled_from([None, 0.25]))
def test_counting_in_runs_is_counting_each(first: str, second: str, step: float | None) -> None:
    kind = "int" if step is None else "double"
    parameters = [
        parameter("a", kind, min=-1, max=5, step=step),
        parameter("b", "discrete", list=(0, 2)),
        parameter("c", "categorical", first, list=("x", "y", "z")),
        parameter("d", "categorical", second, list=(True, False)),
    ]
    space = Space(parameters)
    conditions = [ParameterCondition.parse(text) for text in (first, second)]
    levels = [space.axes[0].level(index) for index in range(space.axes[0].size or 0)]
    expected = [
        (a, b, c, d)
        for a in levels
        for b in (0, 2)
        for c in (("x", "y", "z") if conditions[0].holds({"a": a, "b": b}) else (None,))
        for d in ((True, False) if conditions[1].holds({"a": a, "b": b}) else (None,))
    ]

    assignments = [space.assignment_at(index) for index in range(space.cardinality or 0)]

    assert [tuple(map(each.get, "abcd")) for each in assignments] == expected
    assert [space.index_of(each) for each in assignments] == [*range(len(expected))]


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
