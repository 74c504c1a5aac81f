"""The search space: its assignments, counted and numbered where they are finite.

Assignments are numbered in mixed radix over the parameters, the last one fastest. A
conditional parameter that is inactive takes no part in an assignment and none in the
numbering. Counting goes by branches: only the parameters that conditions read are
enumerated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import pairwise
from operator import le, lt
from typing import Any

from hpo_lab.experiment.condition import ParameterCondition, order
from hpo_lab.experiment.model import Parameter, Value
from hpo_lab.experiment.space import contains
from hpo_lab.problems import nearest
from hpo_lab.search.axis import Axis

__all__ = ["Assignment", "Same", "Space", "assignment_at", "cardinality", "unit_of", "value_at"]

_MOST_RUNS = 100_000

Assignment = dict[str, Value]
"""Values by parameter name; inactive conditional parameters are absent."""


def value_at(parameter: Parameter, unit: float) -> Value:
    """The value of *parameter* at *unit* in [0, 1); uniform units draw its distribution."""
    return Axis(parameter).value_at(unit)


def unit_of(parameter: Parameter, value: Value) -> float:
    """Where *value* lies in [0, 1); `value_at` of it is *value* again."""
    return Axis(parameter).unit_of(value)


def cardinality(parameters: Sequence[Parameter]) -> int | None:
    """The number of distinct assignments, None when infinite."""
    return Space(parameters).cardinality


def assignment_at(parameters: Sequence[Parameter], index: int) -> Assignment:
    """The assignment number *index*, from 0 to below `cardinality`.

    Raises:
        IndexError: *index* is out of range, or the space is infinite.
    """
    return Space(parameters).assignment_at(index)


class Space:
    """The assignments of some parameters, which have to satisfy `experiment.rules`.

    Attributes:
        axes: The parameters, each after those its condition reads.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.axes = tuple(Axis(parameter) for parameter in order(parameters))
        self._conditions = [
            ParameterCondition.parse(axis.parameter.when) if axis.parameter.when else None
            for axis in self.axes
        ]
        read: frozenset[str] = frozenset()
        self._read_from = [read]
        for condition in reversed(self._conditions):
            read |= condition.names if condition else frozenset()
            self._read_from.insert(0, read)
        self._run_cache: dict[int, list[range] | None] = {}
        self._counts: dict[tuple[int, tuple[str, ...]], int | None] = {}

    @classmethod
    def of(cls, parameters: tuple[Parameter, ...]) -> Space:
        """The space of *parameters*, made once while it is in use: the same object again."""
        return _same_space(Same(parameters))

    @property
    def is_conditional(self) -> bool:
        """Whether some parameter has a condition."""
        return any(self._conditions)

    @property
    def cardinality(self) -> int | None:
        """The number of distinct assignments; None when infinite, or too costly to count."""
        return self._count(0, {})

    def assign(self, choose: Callable[[Axis], Value]) -> Assignment:
        """An assignment made by asking *choose* for each active parameter in turn."""
        made: Assignment = {}
        for position, axis in enumerate(self.axes):
            if self._is_active(position, made):
                made[axis.parameter.name] = choose(axis)
        return made

    def violation(self, assignment: Mapping[str, Value]) -> str | None:
        """Why *assignment* is not in the space, None when it is."""
        names = [axis.parameter.name for axis in self.axes]
        for name in assignment:
            if name not in names:
                return f"{name!r} is no parameter{nearest(name, names)}"
        active: Assignment = {}
        for position, axis in enumerate(self.axes):
            name = axis.parameter.name
            if not self._is_active(position, active):
                if name in assignment:
                    return f"{name!r} is assigned although {axis.parameter.when!r} does not hold"
            elif name not in assignment:
                return f"{name!r} is not assigned"
            elif not contains(axis.parameter, assignment[name]):
                return f"{assignment[name]!r} is no value of {name!r}"
            else:
                active[name] = assignment[name]
        return None

    def assignment_at(self, index: int) -> Assignment:
        """The assignment number *index*, from 0 to below `cardinality`.

        Raises:
            IndexError: *index* is out of range, or the space is infinite.
        """
        total = self.cardinality
        if total is None or not 0 <= index < total:
            raise IndexError(f"there is no assignment {index} among {total or 'infinitely many'}")
        made: Assignment = {}
        for position, axis in enumerate(self.axes):
            if not self._is_active(position, made):
                continue
            if not self._decides(position):
                level, index = divmod(index, self._certain(position + 1, made))
            else:
                level = 0
                for levels, count in self._branches(position, made):
                    ways = (levels.stop - levels.start) * count
                    if index < ways:
                        level, index = levels[index // count], index % count
                        break
                    index -= ways
            made[axis.parameter.name] = axis.level(level)
        return made

    def index_of(self, assignment: Mapping[str, Value]) -> int | None:
        """The number of *assignment*; None when it is not in the space."""
        if self.violation(assignment) is not None:
            return None
        index = 0
        made: Assignment = {}
        for position, axis in enumerate(self.axes):
            name = axis.parameter.name
            if name not in assignment:
                continue
            level = axis.level_of(assignment[name])
            if not self._decides(position):
                index += level * self._certain(position + 1, made)
            else:
                for levels, count in self._branches(position, made):
                    index += count * (min(levels.stop, level) - levels.start)
                    if level < levels.stop:
                        break
            made[name] = axis.level(level)
        return index

    def _is_active(self, position: int, made: Mapping[str, Value]) -> bool:
        condition = self._conditions[position]
        return condition is None or condition.holds(made)

    def _decides(self, position: int) -> bool:
        """Whether a later condition reads the parameter at *position*."""
        return self.axes[position].parameter.name in self._read_from[position + 1]

    def _branches(self, position: int, made: Mapping[str, Value]) -> Iterator[tuple[range, int]]:
        """The levels at *position* in runs, and for each the ways to complete the assignment."""
        axis = self.axes[position]
        for levels in self._runs(position) or ():
            value = axis.level(levels.start)
            yield levels, self._certain(position + 1, {**made, axis.parameter.name: value})

    def _runs(self, position: int) -> list[range] | None:
        """The levels at *position* in runs that no later condition tells apart.

        A range may have billions of levels; there are as many runs as conditions have numbers.

        Returns:
            None where there are too many, for conditions compare the parameter with another.
        """
        axis = self.axes[position]
        if position not in self._run_cache:
            self._run_cache[position] = _runs_of(
                axis, [condition for condition in self._conditions[position + 1 :] if condition]
            )
        return self._run_cache[position]

    def _certain(self, position: int, made: Mapping[str, Value]) -> int:
        count = self._count(position, made)
        if count is None:
            raise IndexError("the assignments of an infinite space are not numbered")
        return count

    def _count(self, position: int, made: Mapping[str, Value]) -> int | None:
        """The number of ways to assign the parameters from *position* on."""
        if position == len(self.axes):
            return 1
        # Nothing of what was assigned matters but what the conditions to come read.
        relevant = sorted(self._read_from[position] & made.keys())
        key = position, tuple(f"{name}={made[name]!r}" for name in relevant)
        if key not in self._counts:
            self._counts[key] = self._count_once(position, made)
        return self._counts[key]

    def _count_once(self, position: int, made: Mapping[str, Value]) -> int | None:
        axis = self.axes[position]
        if not self._is_active(position, made):
            return self._count(position + 1, made)
        if axis.size is None:
            return None
        if not self._decides(position):
            rest = self._count(position + 1, made)
            return None if rest is None else axis.size * rest
        runs = self._runs(position)
        if runs is None:
            return None
        total = 0
        for levels in runs:
            value = axis.level(levels.start)
            rest = self._count(position + 1, {**made, axis.parameter.name: value})
            if rest is None:
                return None
            total += rest * (levels.stop - levels.start)
        return total


def _runs_of(axis: Axis, conditions: Sequence[ParameterCondition]) -> list[range] | None:
    size = axis.size or 0
    numbers: set[int | float] | None = set()
    for condition in conditions:
        compared = condition.compared_with(axis.parameter.name)
        numbers = None if numbers is None or compared is None else numbers | {*compared}
    if axis.parameter.choices or numbers is None:
        return [range(level, level + 1) for level in range(size)] if size <= _MOST_RUNS else None
    starts = {0}
    for number in numbers:
        starts.add(_first(axis, partial(le, number)))
        starts.add(_first(axis, partial(lt, number)))
    ordered = [*sorted(start for start in starts if start < size), size]
    return [range(start, end) for start, end in pairwise(ordered)]


def _first(axis: Axis, holds: Callable[[Any], bool]) -> int:
    """The first level whose value *holds*, as all later ones do; the size where none does."""
    low, high = 0, axis.size or 0
    # `bisect` takes no more levels than 64 bits can count.
    while low < high:
        middle = (low + high) // 2
        if holds(axis.level(middle)):
            high = middle
        else:
            low = middle + 1
    return low


@dataclass(frozen=True, slots=True, eq=False)
class Same:
    """Parameters, compared by identity: to describe them takes longer than to draw them."""

    parameters: tuple[Parameter, ...]

    def __hash__(self) -> int:
        return id(self.parameters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.parameters is other.parameters


@lru_cache(maxsize=32)
def _same_space(same: Same) -> Space:
    text = "\n".join(parameter.model_dump_json() for parameter in same.parameters)
    return _space(_Described(text, same.parameters))


@dataclass(frozen=True, slots=True)
class _Described:
    """Parameters, compared by their text: the values 1, 1.0 and True are equal, but differ."""

    text: str
    parameters: tuple[Parameter, ...] = field(compare=False)


@lru_cache(maxsize=32)
def _space(described: _Described) -> Space:
    return Space(described.parameters)
