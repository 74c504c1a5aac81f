"""One dimension of a search space, laid on the unit interval.

Drawing `u` uniformly from [0, 1) and taking the value at `u` draws from the parameter's
distribution. A value of a stepped range stands for the cell of one step that begins at
it, so that the first and the last value are as likely as their neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist

from hpo_lab.experiment.model import Distribution, Parameter, ParameterType, Value

__all__ = ["Axis"]

_LISTS = (ParameterType.DISCRETE, ParameterType.CATEGORICAL)
_BELOW_ONE = math.nextafter(1.0, 0.0)


class Axis:
    """The values of one parameter, which has to satisfy `experiment.rules`.

    Attributes:
        parameter: The parameter.
        size: The number of its values; None where they are a continuum.
        is_even: Whether all values are equally likely and countable.
    """

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        self._choices = parameter.choices
        self._warp: _Warp | None = None
        if parameter.parameter_type in _LISTS:
            self.size: int | None = len(self._choices)
            self.is_even = True
            # A list may hold both 1 and True, which are equal.
            self._index = {(type(c), c): index for index, c in enumerate(self._choices)}
            return
        space = parameter.feasible_space
        low, high, step = space.min or 0, space.max or 0, space.step
        if step is None and parameter.parameter_type is ParameterType.INT:
            step = 1
        # Fractions of the decimal notation: 0.1 + 2*0.1 is 0.3, and 0.3 is on that grid.
        self._low = Fraction(str(low))
        self._step = Fraction(str(step)) if step else Fraction(0)
        number = int if parameter.parameter_type is ParameterType.INT else float
        self._origin, self._pace = number(low), number(step or 0)
        if step:
            self.size = int((Fraction(str(high)) - self._low) // self._step) + 1
        else:
            self.size = 1 if low == high else None
        self.is_even = self.size == 1 or (
            self.size is not None and parameter.distribution is Distribution.UNIFORM
        )
        if not self.is_even:
            end = float(self._low + self.size * self._step) if self.size else float(high)
            self._warp = _Warp.of(parameter.distribution, float(low), float(high), end)

    def level(self, index: int) -> Value:
        """The value at *index*, from 0 to `size - 1`, in the order of the range or list."""
        if self._choices:
            return self._choices[index]
        value = self._low + index * self._step
        return int(value) if self.parameter.parameter_type is ParameterType.INT else float(value)

    def level_of(self, value: Value) -> int:
        """The index of *value*, the nearest one in a stepped range.

        Raises:
            ValueError: *value* is not in the list, or no number.
        """
        if self._choices:
            exact = self._index.get((type(value), value))
            return self._choices.index(value) if exact is None else exact
        assert self.size is not None
        if not self._pace:
            return 0
        ahead = _number(value) - self._origin
        if isinstance(ahead, int) and isinstance(self._pace, int):
            # Exact, where a float has no room for the integer.
            return min(max((ahead + self._pace // 2) // self._pace, 0), self.size - 1)
        steps = ahead / self._pace
        return min(max(round(steps), 0), self.size - 1)

    def value_at(self, unit: float) -> Value:
        """The value at *unit*, in [0, 1)."""
        unit = min(max(unit, 0.0), _BELOW_ONE)
        if self._warp is None:
            assert self.size is not None
            return self.level(min(int(unit * self.size), self.size - 1))
        value = self._warp.quantile(unit)
        if self.size is None:
            space = self.parameter.feasible_space
            return min(max(value, float(space.min or 0)), float(space.max or 0))
        index = int((value - self._origin) / self._pace)
        return self.level(min(max(index, 0), self.size - 1))

    def unit_of(self, value: Value) -> float:
        """Where *value* lies in [0, 1): the middle of its cell, if it has one.

        Raises:
            ValueError: *value* is not in the list, or no number.
        """
        if self._warp is None:
            assert self.size is not None
            return (self.level_of(value) + 0.5) / self.size
        if self.size is None:
            return min(self._warp.cdf(_number(value)), _BELOW_ONE)
        begin = self._low + self.level_of(value) * self._step
        ends = self._warp.cdf(float(begin)), self._warp.cdf(float(begin + self._step))
        return min(sum(ends) / 2, _BELOW_ONE)


def _number(value: Value) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    return value


@dataclass(frozen=True, slots=True)
class _Warp:
    """A continuous distribution on an interval, by its distribution function.

    `low` and `high` are the ends of the interval on the scale that is warped: that of the
    logarithm where `log`.
    """

    low: float
    high: float
    log: bool
    normal: NormalDist | None

    @classmethod
    def of(cls, distribution: Distribution, low: float, high: float, end: float) -> _Warp:
        """The *distribution* of a parameter from *low* to *high*, on [*low*, *end*]."""
        log = distribution.is_log
        if log:
            low, high, end = math.log(low), math.log(high), math.log(end)
        spread = high / 6 - low / 6
        bell = distribution in (Distribution.NORMAL, Distribution.LOG_NORMAL) and spread > 0
        return cls(low, end, log, NormalDist(low / 2 + end / 2, spread) if bell else None)

    def quantile(self, unit: float) -> float:
        if self.normal is None:
            value = self.low * (1 - unit) + self.high * unit
        else:
            below, upto = self.normal.cdf(self.low), self.normal.cdf(self.high)
            value = self.normal.inv_cdf(below + unit * (upto - below))
        return math.exp(value) if self.log else value

    def cdf(self, value: float) -> float:
        if self.log:
            value = math.log(value) if value > 0 else -math.inf
        value = min(max(value, self.low), self.high)
        if self.low == self.high:
            return 0.5
        if self.normal is None:
            half = self.high / 2 - self.low / 2
            return (value / 2 - self.low / 2) / half
        below, upto = self.normal.cdf(self.low), self.normal.cdf(self.high)
        return (self.normal.cdf(value) - below) / (upto - below)
