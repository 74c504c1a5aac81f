from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.dashboard.widget.filtering import Order, arranged, paged, parse_filter
from hpo_lab.problems import InvalidInput


class Row(dict[str, Any]):
    def __missing__(self, column: str) -> None:
        return None


def _row(number: int, state: str, **values: Any) -> Row:
    return Row({"number": number, "state": state, **values})


ROWS = [
    _row(0, "Succeeded", lr=0.1, opt="sgd", seconds=2.0, accuracy=0.5, bias=True),
    _row(1, "Failed", lr=0.05, opt="Adam W", message="ValueError: out of memory"),
    _row(2, "EarlyStopped", lr=0.0013123, opt="adam", seconds=1.0, accuracy=0.75),
    _row(3, "MetricsUnavailable", lr=1e-5, opt="adam"),
    _row(12, "Running", lr=0.02, opt="sgd", accuracy=0.9),
]
COLUMNS = {"number", "state", "lr", "opt", "seconds", "accuracy", "bias", "message"}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [0, 1, 2, 3, 12]),
        ("   ", [0, 1, 2, 3, 12]),
        ("state:failed", [1]),
        ("state:early", [2]),
        ("state = early-stopped", [2]),
        ('state:"no metric"', [3]),
        ("state:running,failed", [1, 12]),
        ("state != failed", [0, 2, 3, 12]),
        ("lr < 0.01", [2, 3]),
        ("lr<0.01 lr>=1e-4", [2]),
        ("lr = .1", [0]),
        # As a table shows it.
        ("lr == 0.001312", [2]),
        ("lr > 0.01 accuracy > 0", [0, 12]),
        # A trial without a value meets `!=` alone.
        ("accuracy != 0.5", [1, 2, 3, 12]),
        ("opt = ADAM", [2, 3]),
        ("opt:adam", [1, 2, 3]),
        ('opt = "adam w"', [1]),
        ("opt ~ ADAM state:failed", [1]),
        ("bias = true", [0]),
        ("bias > 0", []),
        ("12", [12]),
        ("trial = 12", [12]),
        ("Trial <= 1", [0, 1]),
        ("time < 2", [2]),
        ('"out of memory"', [1]),
        ("memory", [1]),
        ("running", [12]),
        ("nothing", []),
    ],
)
def test_a_filter_keeps_the_trials_that_it_describes(text: str, numbers: list[int]) -> None:
    keeps = parse_filter(text, COLUMNS)
    assert [row["number"] for row in ROWS if keeps(row)] == numbers


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("acuracy > 0.7", ["acuracy > 0.7: there is no column acuracy; did you mean 'accuracy'?"]),
        ("lr <", ["lr <: a value is needed after <"]),
        ("lr < small", ["lr < small: 'small' is no number; < compares numbers"]),
        ("x=1 lr<", ["x=1: there is no column x", "lr<: a value is needed after <"]),
    ],
)
def test_what_cannot_be_read_is_told_at_once(text: str, problems: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_filter(text, COLUMNS)
    assert [str(problem) for problem in caught.value.problems] == problems


@given(st.text(st.sampled_from('lropt <>=!~:"1. \n\u00e9'), max_size=30))
def test_any_text_is_a_filter_or_has_problems(text: str) -> None:
    try:
        keeps = parse_filter(text, COLUMNS)
    except InvalidInput as error:
        assert error.problems
    else:
        assert {keeps(row) for row in ROWS} <= {True, False}


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())


@given(st.dictionaries(st.integers(0, 50), VALUES), st.booleans())
def test_an_order_keeps_every_trial_and_has_those_without_a_value_last(
    values: Mapping[int, Any], descending: bool
) -> None:
    rows = {number: Row(x=value) for number, value in values.items()}
    numbers = arranged(rows, rows.__getitem__, Order("x", descending))
    assert sorted(numbers) == sorted(rows)
    is_empty = [values[number] in (None, "") for number in numbers]
    assert is_empty == sorted(is_empty)
    present = [
        values[number]
        for number in numbers
        if isinstance(values[number], int | float) and not isinstance(values[number], bool)
    ]
    assert present == sorted(present, reverse=descending)


@given(st.lists(st.integers(), max_size=60), st.integers(-5, 90), st.integers(1, 25))
def test_pages_are_whole_and_follow_each_other(numbers: list[int], start: int, size: int) -> None:
    page = paged(numbers, start, size)
    assert page.total == len(numbers)
    assert page.start % size == 0
    assert list(page.numbers) == numbers[page.start : page.start + size]
    assert bool(page.numbers) == bool(numbers)
    if not page.is_last:
        assert paged(numbers, page.start + size, size).start == page.start + size
