"""Domains as Python writes them: their text, the numbers of NumPy, and choices of any object."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import numpy
import pytest

import hpo_lab
from hpo_lab import InvalidInput, choice, integer, loguniform, normal, uniform
from hpo_lab.experiment.rules import parameter_problems
from hpo_lab.experiment.space import Domain, contains


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("domain", "text"),
    [
        (uniform(0, 1), "uniform(0, 1)"),
        (uniform(numpy.float32(0), numpy.int64(1), step=0.5), "uniform(0.0, 1, step=0.5)"),
        (loguniform(1e-4, 1e-1), "loguniform(0.0001, 0.1)"),
        (normal(0, 1).when('opt == "sgd"'), "normal(0, 1).when('opt == \"sgd\"')"),
        (integer(numpy.int8(1), 30, step=3), "integer(1, 30, step=3)"),
        (choice("adam", "sgd"), 'choice("adam", "sgd")'),
        (choice([1, 2, 3]), "choice(1, 2, 3)"),
        (choice(numpy.arange(1, 4)), "choice(1, 2, 3)"),
        (choice(numpy.True_, None), "choice(True, None)"),
        (choice((64, 64), (numpy.int64(128),)), "choice((64, 64), (128,))"),
        (choice([64], [len, str]), "choice([64], [len, str])"),
        (choice(Colour.RED, 1), "choice(Colour.RED, 1)"),
    ],
)
def test_a_domain_is_shown_as_it_is_written(domain: Domain, text: str) -> None:
    assert repr(domain) == text


def test_choices_of_numpy_are_those_of_python() -> None:
    domain = choice(*numpy.arange(1, 4))
    assert domain.parameter_type == "discrete"
    assert [type(value) for value in domain.feasible_space.list or ()] == [int, int, int]
    assert choice(numpy.True_, numpy.False_).feasible_space.list == (True, False)


def test_an_object_is_recorded_by_its_name() -> None:
    domain = choice((64, 64), dict, None)
    assert domain.feasible_space.list == ("(64, 64)", "dict", None)
    assert domain.objects == {"(64, 64)": (64, 64), "dict": dict}
    named = choice({"small": (64,), "none": None})
    assert named.feasible_space.list == ("small", "none")
    assert named.objects == {"small": (64,), "none": None}


def test_every_object_without_a_name_is_refused() -> None:
    with pytest.raises(InvalidInput) as error:
        choice(lambda x: x, object(), "named")
    assert len(error.value.problems) == 2
    assert "choice({'name': object, ...})" in str(error.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: uniform("0", 1),  # type: ignore[arg-type]
        lambda: integer(None, 3),  # type: ignore[arg-type]
        lambda: integer(0, True),
    ],
)
def test_a_bound_is_a_number(make: Callable[[], Any]) -> None:
    with pytest.raises(InvalidInput, match="a number is needed"):
        make()


def test_a_bound_that_no_float_holds_is_refused() -> None:
    ((field, message),) = parameter_problems(integer(0, 10**400).named("x"))
    assert (field, message) == (
        "feasibleSpace.max",
        "is a number of 401 digits; must be a finite number",
    )


def test_a_star_import_leaves_the_builtin_alone() -> None:
    namespace: dict[str, Any] = {}
    exec("from hpo_lab import *", namespace)
    assert "int" not in namespace
    assert namespace["integer"] is hpo_lab.int


@pytest.mark.parametrize(
    ("domain", "count"),
    [
        (uniform(60000, 60001, step=0.0001), 10_001),
        (uniform(20, 30, step=1e-6), 1000),
        (uniform(1_000_000_000, 1_000_000_060, step=0.001), 1000),
    ],
)
def test_a_fine_grid_far_from_zero_holds_its_own_values(domain: Domain, count: int) -> None:
    from hpo_lab.search.axis import Axis

    parameter = domain.named("price")
    axis = Axis(parameter)
    assert all(contains(parameter, axis.level(index)) for index in range(count))
    step = float(domain.feasible_space.step or 0)
    assert not contains(parameter, float(axis.level(1) or 0) + step / 3)
