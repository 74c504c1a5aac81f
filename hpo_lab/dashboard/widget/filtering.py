"""Which of many trials a table shows: a filter in words, an order, and a page of it."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from hpo_lab.dashboard.marks import trial_word
from hpo_lab.dashboard.words import number
from hpo_lab.experiment.trial import TrialState
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["OTHER_NAMES", "Filter", "Order", "Page", "arranged", "paged", "parse_filter"]

OTHER_NAMES: Final = {"trial": "number", "time": "seconds"}
"""What columns are called in the head of the table, and what they are called here."""

_TERM = re.compile(
    r"""\s*(?:(?P<name>"[^"]*"|[^\s"<>=!~:]+)\s*(?P<sign><=|>=|==|!=|<|>|=|~|:)\s*"""
    r"""(?P<value>"[^"]*"|[^\s"]+)?|(?P<word>"[^"]*"|\S+))\s*"""
)
_COMPARISONS: Final = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class TableRow(Protocol):
    """The values of a trial by column."""

    def __getitem__(self, column: str) -> Any:
        """The value in *column*, None where there is none."""


Condition = Callable[[TableRow], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """The conditions that a trial must all meet."""

    conditions: tuple[Condition, ...] = ()

    def __call__(self, row: TableRow) -> bool:
        """Whether the trial of *row* is shown."""
        return all(condition(row) for condition in self.conditions)


def parse_filter(text: str, columns: Collection[str]) -> Filter:
    """Read a filter such as `state:failed lr < 0.01 "out of memory"`.

    A condition is `NAME < VALUE`, with `<`, `<=`, `>`, `>=`, `=`, `!=`, or with `:` or `~` for
    a part of a text. A number alone is that of a trial; another word alone is searched for in
    messages, states and texts of parameters. Names and texts with spaces are quoted. A trial
    without a value meets `!=` alone.

    Args:
        text: The filter; an empty one shows all.
        columns: The names of the columns.

    Raises:
        InvalidInput: with every condition that cannot be read.
    """
    conditions, problems = [], []
    end = 0
    while text[end:].strip():
        term = _TERM.match(text, end)
        assert term is not None
        end = term.end()
        try:
            if term["word"] is not None:
                conditions.append(_search(_bare(term["word"]), columns))
            else:
                value = None if term["value"] is None else _bare(term["value"])
                conditions.append(_condition(_bare(term["name"]), term["sign"], value, columns))
        except ValueError as error:
            problems.append(Problem(term[0].strip(), str(error)))
    if problems:
        raise InvalidInput(problems)
    return Filter(tuple(conditions))


def _bare(text: str) -> str:
    return text.strip('"')


def _search(word: str, columns: Collection[str]) -> Condition:
    if word.isascii() and word.isdigit():
        return lambda row: row["number"] == int(word)
    folded = word.casefold()

    def contains(row: TableRow) -> bool:
        if _is_state(row["state"], folded):
            return True
        values = (row[column] for column in columns)
        return any(isinstance(value, str) and folded in value.casefold() for value in values)

    return contains


def _condition(name: str, sign: str, value: str | None, columns: Collection[str]) -> Condition:
    column = name if name in columns else OTHER_NAMES.get(name.casefold(), name)
    if column not in columns:
        raise ValueError(f"there is no column {name}{nearest(name, list(columns))}")
    if value is None:
        raise ValueError(f"a value is needed after {sign}")
    if sign in _COMPARISONS:
        return _comparison(column, sign, value)
    folded = value.casefold()
    if sign in (":", "~"):
        if column == "state":
            return lambda row: any(_is_state(row[column], part) for part in folded.split(","))
        return lambda row: folded in _text(row[column]).casefold()
    equal = _equal(column, value)
    return equal if sign in ("=", "==") else lambda row: not equal(row)


def _comparison(column: str, sign: str, value: str) -> Condition:
    try:
        bound = float(value)
    except ValueError:
        raise ValueError(f"{value!r} is no number; {sign} compares numbers") from None
    compare = _COMPARISONS[sign]

    def holds(row: TableRow) -> bool:
        there = row[column]
        return _is_number(there) and compare(there, bound)

    return holds


def _equal(column: str, value: str) -> Condition:
    """Equality with the value, or with what a table shows of it."""
    folded = value.casefold()
    try:
        wanted: float | None = float(value)
    except ValueError:
        wanted = None

    def equals(row: TableRow) -> bool:
        there = row[column]
        if there is None:
            return False
        if column == "state":
            return _is_state(there, folded)
        if _is_number(there) and wanted is not None:
            return bool(there == wanted) or number(float(there)) == number(wanted)
        return _text(there).casefold() == folded

    return equals


def _is_state(state: str, begin: str) -> bool:
    """Whether *begin* is how the name of *state*, or its word, begins."""
    _, word = trial_word(TrialState(state))
    plain = begin.replace(" ", "").replace("-", "")
    names = (state.casefold(), word.casefold().replace(" ", ""))
    return bool(plain) and any(name.startswith(plain) for name in names)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: object) -> str:
    if value is None:
        return ""
    return number(value) if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Order:
    """By which column rows are arranged, and which end is first."""

    column: str
    descending: bool = False


def arranged(numbers: Iterable[int], rows: Callable[[int], TableRow], order: Order) -> list[int]:
    """The *numbers* of trials in *order*; trials without a value are last in any order."""
    valued, empty = [], []
    for each in numbers:
        value = rows(each)[order.column]
        if value is None or value == "":
            empty.append(each)
        else:
            valued.append((_place(value), each))
    # Trials with the same value stay in the order that they have.
    valued.sort(key=lambda pair: pair[0], reverse=order.descending)
    return [*(each for _, each in valued), *empty]


def _place(value: Any) -> tuple[int, float, str]:
    if _is_number(value):
        return 0, value, ""
    return 1, 0.0, str(value).casefold()


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list.

    Attributes:
        numbers: What is on it.
        start: The place of the first of them, counted from 0.
        total: How many the list has.
        size: How many a page has at most.
    """

    numbers: Sequence[int]
    start: int
    total: int
    size: int

    @property
    def is_first(self) -> bool:
        """Whether nothing is before it."""
        return self.start == 0

    @property
    def is_last(self) -> bool:
        """Whether nothing is behind it."""
        return self.start + self.size >= self.total


def paged(numbers: Sequence[int], start: int, size: int) -> Page:
    """The page of *numbers* with place *start*, or the last page where there is no such place."""
    last = max(0, len(numbers) - 1)
    start = min(max(0, start), last) // size * size
    return Page(numbers[start : start + size], start, len(numbers), size)
