r"""GJSON paths over plain data: the part of GJSON that conditions of trial templates need.

Follows the syntax of GJSON (https://github.com/tidwall/gjson/blob/master/SYNTAX.md): keys
with the wildcards `*` and `?` and the escape `\`, array indexes, `#`, the queries `#(...)`
and `#(...)#`, the separators `.` and `|`, multipaths `[...]` and `{...}`, and the modifiers
`@this`, `@reverse`, `@keys` and `@values`. Other modifiers, modifier arguments, literals
(`!`) and the `~` of queries are refused.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final

__all__ = ["MISSING", "Path", "select"]


class _Missing(Enum):
    MISSING = "missing"


MISSING: Final = _Missing.MISSING
"""The result of a path that leads nowhere; JSON's null is None."""

_MODIFIERS: dict[str, Callable[[Any], Any]] = {
    "@this": lambda value: value,
    "@reverse": lambda value: value[::-1] if isinstance(value, list) else value,
    "@keys": lambda value: list(value) if isinstance(value, dict) else [],
    "@values": lambda value: list(value.values()) if isinstance(value, dict) else [value],
}
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COMPARISON = re.compile(r"==|!=|!%|<=|>=|=|<|>|%")
_OPEN, _CLOSE = "([{", ")]}"


def select(value: Any, path: str) -> Any:
    """The part of *value* that *path* selects; `MISSING` where it leads nowhere.

    Raises:
        ValueError: *path* is malformed or uses syntax that is not supported.
    """
    return Path.parse(path).of(value)


@dataclass(frozen=True)
class Path:
    """A parsed path."""

    steps: tuple[_Step, ...]

    @staticmethod
    @lru_cache(maxsize=256)
    def parse(text: str) -> Path:
        """Parse *text*.

        Raises:
            ValueError: *text* is malformed or uses syntax that is not supported.
        """
        if not text.strip():
            raise ValueError("the path is empty")
        try:
            return Path(tuple(_step(part, piped) for part, piped in _split(text, ".|")))
        except RecursionError:
            raise ValueError("the path is nested too deeply") from None

    def of(self, value: Any) -> Any:
        """The part of *value* that the path selects; `MISSING` where it leads nowhere."""
        return _walk(value, self.steps)


@dataclass(frozen=True)
class _Step:
    """A component of a path, and whether `|` stands before it."""

    piped: bool


@dataclass(frozen=True)
class _Key(_Step):
    text: str
    pattern: re.Pattern[str]

    def of(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            items = (item for key, item in value.items() if self.pattern.fullmatch(str(key)))
            return next(items, MISSING)
        if isinstance(value, list) and self.text.isdecimal() and int(self.text) < len(value):
            return value[int(self.text)]
        return MISSING


@dataclass(frozen=True)
class _Modifier(_Step):
    name: str

    def of(self, value: Any) -> Any:
        return _MODIFIERS[self.name](value)


@dataclass(frozen=True)
class _Multipath(_Step):
    """`[a,b]` makes an array of the members that exist, `{a,"k":b}` an object."""

    members: tuple[tuple[str, Path], ...]
    is_object: bool

    def of(self, value: Any) -> Any:
        selected = [(name, path.of(value)) for name, path in self.members]
        existing = [(name, member) for name, member in selected if member is not MISSING]
        return dict(existing) if self.is_object else [member for _, member in existing]


@dataclass(frozen=True)
class _Each(_Step):
    """`#`: the length of an array at the end of a path, else each of its elements."""


@dataclass(frozen=True)
class _Query(_Step):
    path: Path | None
    comparison: str
    literal: str
    every: bool

    def matches(self, element: Any) -> bool:
        value = element if self.path is None else self.path.of(element)
        if value is MISSING:
            return False
        return not self.comparison or _compare(value, self.comparison, self.literal)


def _walk(value: Any, steps: tuple[_Step, ...]) -> Any:
    if not steps or value is MISSING:
        return value
    step, rest = steps[0], steps[1:]
    match step:
        case _Key() | _Modifier() | _Multipath():
            return _walk(step.of(value), rest)
        case _ if not isinstance(value, list):
            return MISSING
        case _Query(every=False):
            return _walk(next(filter(step.matches, value), MISSING), rest)
        case _Query():
            return _map(list(filter(step.matches, value)), rest)
        case _:
            if not rest or rest[0].piped:
                return _walk(len(value), rest)
            return _map(value, rest)


def _map(elements: list[Any], steps: tuple[_Step, ...]) -> Any:
    """Take *steps* up to the next `|` in each element, and the later steps in the result."""
    end = next((index for index, step in enumerate(steps) if step.piped), len(steps))
    values = [_walk(element, steps[:end]) for element in elements]
    return _walk([value for value in values if value is not MISSING], steps[end:])


def _compare(value: Any, comparison: str, literal: str) -> bool:
    """Compare as GJSON does: the type of the value decides how the literal is read."""
    if isinstance(value, str):
        if comparison.endswith("%"):
            return bool(_wildcards(literal).fullmatch(value)) is (comparison == "%")
        return _ORDERS[comparison](value, literal)
    if comparison.endswith("%"):
        return False
    if isinstance(value, bool):
        is_boolean = literal in ("true", "false")
        return _ORDERS[comparison](value, literal == "true") if is_boolean else comparison == "!="
    if isinstance(value, int | float):
        try:
            return _ORDERS[comparison](value, float(literal))
        except ValueError:
            return comparison == "!="
    return False


def _step(text: str, piped: bool) -> _Step:
    if text == "#":
        return _Each(piped)
    if text.startswith("#("):
        every = text.endswith("#")
        inside = text[2 : -2 if every else -1]
        if not text.rstrip("#").endswith(")") or not inside.strip():
            raise ValueError(f'{text!r} is no query; write #(name=="value")')
        return _query(inside.strip(), every, piped)
    if text.startswith("@"):
        if text not in _MODIFIERS:
            modifiers = ", ".join(_MODIFIERS)
            raise ValueError(f"the modifier {text!r} is not supported; supported are {modifiers}")
        return _Modifier(piped, text)
    if text.startswith(("[", "{")):
        if text[-1] != _CLOSE[_OPEN.index(text[0])]:
            raise ValueError(f"{text!r} is no multipath")
        members = (_member(part) for part, _ in _split(text[1:-1], ","))
        return _Multipath(piped, tuple(members), is_object=text[0] == "{")
    if not text or text.startswith(("!", "#")):
        raise ValueError(f"{text!r} is no path component that is supported")
    return _Key(piped, text, _wildcards(text))


def _member(text: str) -> tuple[str, Path]:
    named = re.match(r'\s*"((?:[^"\\]|\\.)*)"\s*:(.*)', text, re.DOTALL)
    if named:
        return _unescaped(named[1]), Path.parse(named[2].strip())
    path = Path.parse(text.strip())
    last = path.steps[-1]
    return last.text if isinstance(last, _Key) else "_", path


def _query(text: str, every: bool, piped: bool) -> _Query:
    for index, depth in _outside_quotes(text):
        comparison = _COMPARISON.match(text, index) if depth == 0 else None
        if comparison:
            path, literal = text[:index].strip(), text[comparison.end() :].strip()
            if literal.startswith("~"):
                raise ValueError(f"{literal!r} in a query is not supported")
            if len(literal) > 1 and literal[0] == literal[-1] == '"':
                literal = _unescaped(literal[1:-1])
            return _Query(piped, Path.parse(path) if path else None, comparison[0], literal, every)
    return _Query(piped, Path.parse(text), "", "", every)


def _split(text: str, separators: str) -> Iterator[tuple[str, bool]]:
    """Parts of *text* between separators outside of brackets; with whether `|` precedes."""
    start, piped, depth = 0, False, 0
    for index, depth in _outside_quotes(text):
        if depth == 0 and text[index] in separators:
            yield text[start:index], piped
            start, piped = index + 1, text[index] == "|"
    if depth:
        raise ValueError(f"a bracket in {text!r} is not closed")
    yield text[start:], piped


def _outside_quotes(text: str) -> Iterator[tuple[int, int]]:
    """Every index of *text* that is not quoted or escaped, with its depth in brackets."""
    depth, index, quoted = 0, 0, False
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 2
            continue
        if char == '"':
            quoted = not quoted
        elif not quoted:
            depth += (char in _OPEN) - (char in _CLOSE)
            if depth < 0:
                raise ValueError(f"a bracket in {text!r} was never opened")
            yield index, depth
        index += 1
    if quoted:
        raise ValueError(f"a quotation mark in {text!r} is not closed")


def _wildcards(text: str) -> re.Pattern[str]:
    r"""A pattern in which `*` and `?` are wildcards unless escaped by `\`."""
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(part) or re.escape(part[-1]) for part in parts), re.DOTALL)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
