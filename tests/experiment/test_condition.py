from __future__ import annotations

import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.condition import ParameterCondition, order
from hpo_lab.experiment.model import FeasibleSpace, Parameter, ParameterType


def parameter(name: str, when: str | None = None) -> Parameter:
    space = FeasibleSpace(min=0, max=1)
    return Parameter(
        name=name, parameter_type=ParameterType.DOUBLE, feasible_space=space, when=when
    )


@pytest.mark.parametrize(
    ("text", "assignments", "expected"),
    [
        ('opt == "sgd"', {"opt": "sgd"}, True),
        ('opt == "sgd"', {"opt": "adam"}, False),
        ('layers > 1 and opt in ("sgd", "adam")', {"layers": 2, "opt": "adam"}, True),
        ('layers > 1 and opt in ("sgd", "adam")', {"layers": 1, "opt": "adam"}, False),
        ("opt not in ['a', 'b']", {"opt": "c"}, True),
        ("n in {1, -2}", {"n": -2}, True),
        ("not use_bias", {"use_bias": False}, True),
        ("use_bias", {"use_bias": True}, True),
        ("1 < depth <= 4", {"depth": 4}, True),
        ("1 < depth <= 4", {"depth": 1}, False),
        ("x == -1.5", {"x": -1.5}, True),
        ("act != None", {"act": None}, False),
        ("a < b", {"a": 1, "b": 2}, True),
        ("  True ", {}, True),
    ],
)
def test_holds(text: str, assignments: dict[str, Any], expected: bool) -> None:
    assert ParameterCondition.parse(text).holds(assignments) is expected


@pytest.mark.parametrize(
    "text",
    ["depth > 3", "not depth > 3", "depth", "not depth", 'depth != "a"', "depth not in (1, 2)"],
)
def test_a_condition_on_an_inactive_parameter_does_not_hold(text: str) -> None:
    assert not ParameterCondition.parse(text).holds({"other": 1})


def test_an_inactive_parameter_that_does_not_matter_does_no_harm() -> None:
    assert ParameterCondition.parse('depth > 3 or opt == "sgd"').holds({"opt": "sgd"})
    assert ParameterCondition.parse('not (depth > 3 and opt == "sgd")').holds({"opt": "adam"})


def test_values_without_an_order_are_neither_less_nor_not_less() -> None:
    assert not ParameterCondition.parse("x < 1").holds({"x": "a"})
    assert not ParameterCondition.parse("not x < 1").holds({"x": "a"})
    assert not ParameterCondition.parse("x < 1").holds({"x": None})


def test_names_are_those_it_reads() -> None:
    assert ParameterCondition.parse('a == 1 or (not b and c in ("d",))').names == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("__import__('os').system('true')", "`__import__('os').system('true')`"),
        ("lr + 1 > 2", "`lr + 1`"),
        ("opt.name == 1", "`opt.name`"),
        ("x[0] == 1", "`x[0]`"),
        ("opt in names", "`names`"),
        ("opt in 'sgd'", "`'sgd'`"),
        ("x in (1, y)", "`y`"),
        ("x is None", "`x is None`"),
        ("f'{x}' == 'a'", "`f'{x}'`"),
        ("x == b'a'", "`b'a'`"),
        ("-x > 1", "`-x`"),
        ("x if y else z", "`x if y else z`"),
        ("(x := 1) == 1", "`(x := 1)`"),
        ("[x for x in y] == 1", "`[x for x in y]`"),
        ("x = 1", "x = 1"),
        ("", "no condition"),
        ("x == ", "no condition"),
        ("x == '\0'", "no condition"),
    ],
)
def test_anything_else_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(ValueError) as refused:
        ParameterCondition.parse(text)
    assert named in str(refused.value)


def test_depth_is_bounded() -> None:
    with pytest.raises(ValueError, match="too deeply"):
        ParameterCondition.parse("not " * 100_000 + "x")


@given(st.text(max_size=30))
def test_any_text_is_a_condition_or_a_value_error(text: str) -> None:
    try:
        condition = ParameterCondition.parse(text)
    except ValueError:
        return
    assert condition.holds(dict.fromkeys(condition.names, 1)) in (True, False)


@given(
    st.sampled_from(
        [("==", operator.eq), ("!=", operator.ne), ("<", operator.lt), (">=", operator.ge)]
    ),
    st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    st.integers() | st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_comparison_is_that_of_python(sign: Any, left: float, right: float) -> None:
    text, compare = sign
    assert ParameterCondition.parse(f"x {text} {right!r}").holds({"x": left}) is compare(
        left, right
    )


def test_order_puts_a_parameter_behind_those_it_depends_on() -> None:
    given = [parameter("c", "b > 0"), parameter("b", "a > 0"), parameter("d"), parameter("a")]
    assert [p.name for p in order(given)] == ["d", "a", "b", "c"]


def test_order_keeps_what_needs_no_order() -> None:
    given = [parameter("z"), parameter("a"), parameter("m", "z > 0")]
    assert [p.name for p in order(given)] == ["z", "a", "m"]


def test_order_names_the_cycle() -> None:
    given = [parameter("x", "a > 0"), parameter("a", "b > 0"), parameter("b", "a > 0")]
    with pytest.raises(ValueError, match="'a' -> 'b' -> 'a'"):
        order(given)
    with pytest.raises(ValueError, match="'a' -> 'a'"):
        order([parameter("a", "a > 0")])


def test_order_names_the_unknown_parameter() -> None:
    with pytest.raises(ValueError, match="'layrs', which is no parameter; did you mean 'layers'"):
        order([parameter("layers"), parameter("b", "layrs > 0")])
