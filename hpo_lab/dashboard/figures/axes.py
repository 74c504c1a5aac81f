"""Axes: the range and scale of values, and where the values of a parameter lie."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hpo_lab.dashboard.figures.wording import plain, short_choices, value_text
from hpo_lab.experiment.model import Parameter, ParameterType, Value

__all__ = ["ParameterAxis", "ValueAxis", "is_finite", "log_ticks", "rounded", "ticks"]

_WIDE = 1e3
"""From this ratio of the largest to the smallest value on, all above 0, the axis is logarithmic."""
_MOST = 8e307
"""The largest width that is counted with."""
_END = 1.79e308
"""No range goes further."""
_DRAWN = 1e300
"""No further does a linear axis go: plotly draws nothing beyond 1.8e304."""
_FEW = 6
_DEEP = 1e24
"""Values that are so many times smaller than the largest are at 0 of a symmetric axis."""
_TICKS = 11
"""So many ticks a symmetric axis has at most."""
_DIGITS = 7

_LISTS = (ParameterType.DISCRETE, ParameterType.CATEGORICAL)


def is_finite(value: object) -> bool:
    """Whether *value* is a number that has a place on an axis."""
    # It is asked of every value of every trial, and nearly all of them are floats.
    if type(value) is not float and (isinstance(value, bool) or not isinstance(value, int | float)):
        return False
    return -1.7e308 < value < 1.7e308


def rounded(value: float) -> float:
    """*value* with as many digits as can be seen in a picture."""
    return value if isinstance(value, int) else float(f"{value:.{_DIGITS}g}")


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """The axis of an objective or a metric.

    Attributes:
        low, high: Its ends.
        is_log: Whether it is logarithmic.
        cut: On which side there may be values beyond its end: -1 below, 1 above, 0 none.
        is_empty: Whether there are no values; then it has no ticks.
        bend: Of a symmetric logarithmic axis, the value above 0 up to which it is nearly linear;
            0 of others.
    """

    low: float
    high: float
    is_log: bool = False
    cut: int = 0
    is_empty: bool = False
    bend: float = 0.0

    @classmethod
    def of(
        cls,
        values: Iterable[float],
        smaller_is_better: bool | None = None,
        goal: float | None = None,
        *,
        may_bend: bool = False,
    ) -> ValueAxis:
        """The axis for *values*, from which the worst quarter may be cut off.

        Args:
            values: Finite numbers.
            smaller_is_better: Which of them are good; None where all have to be in the range.
            goal: A value that is in the range, too, unless it is far away.
            may_bend: Whether the figure draws values where `at` says, and so can have a symmetric
                logarithmic axis.
        """
        ordered = sorted(values)
        if not ordered:
            return cls(0.0, 1.0, is_empty=True)
        low, high = ordered[0], ordered[-1]
        if low > 0 and (high / low >= _WIDE or high > _DRAWN):
            near = low / _WIDE <= (goal or 0) <= high * _WIDE
            ends = [low, high, goal] if goal is not None and near else [low, high]
            room = max(1.1, max(ends) ** 0.06 / min(ends) ** 0.06)
            return cls(max(min(ends) / room, 1e-307), min(max(ends) * room, _END), is_log=True)
        cut = 0
        if smaller_is_better is not None and len(ordered) >= _FEW:
            quarter = len(ordered) // 4
            if smaller_is_better:
                kept = ordered[-1 - quarter]
                if _span(low, high) > 1.5 * _span(low, kept):
                    cut, high = 1, kept
            else:
                kept = ordered[quarter]
                if _span(low, high) > 1.5 * _span(kept, high):
                    cut, low = -1, kept
        largest = max(abs(low), abs(high))
        bend = _bend(ordered, largest) if may_bend else 0.0
        if may_bend and largest > _DRAWN:
            bend = bend or largest / _WIDE
            ordered = [min(ordered[0], 0.0), max(ordered[-1], 0.0)]
        if bend:
            return cls._bent(ordered[0], ordered[-1], goal, bend)
        if goal is not None:
            span = _span(low, high)
            low, high = (
                (min(low, goal) if low - goal <= span else low),
                (max(high, goal) if goal - high <= span else high),
            )
        if _span(low, high) <= 1e-12 * max(abs(low), abs(high)):
            room = abs(high) * 0.1 or 1.0
        else:
            room = 0.08 * _span(low, high)
        low, high = max(low - room, -_DRAWN), min(high + room, _DRAWN)
        # All of the values may be beyond.
        return cls(low, high if high > low else 0.0, cut=cut)

    @classmethod
    def _bent(cls, low: float, high: float, goal: float | None, bend: float) -> ValueAxis:
        largest = max(abs(low), abs(high))
        if goal is not None and abs(goal) <= largest * _WIDE:
            low, high = min(low, goal), max(high, goal)
        ends = math.asinh(low / bend), math.asinh(high / bend)
        room = 0.06 * (ends[1] - ends[0])
        low, high = bend * math.sinh(ends[0] - room), bend * math.sinh(ends[1] + room)
        return cls(max(low, -_END), min(high, _END), bend=bend)

    @property
    def words(self) -> str:
        """What a person must know of the scale to read it; empty where that is nothing."""
        return "symmetric log scale" if self.bend else ""

    def at(self, value: float) -> float:
        """Where a trace or a line has *value*."""
        return rounded(math.asinh(value / self.bend) if self.bend else value)

    def along(self, value: float) -> float:
        """Where the range or an annotation has *value*."""
        if self.bend:
            return math.asinh(value / self.bend)
        return math.log10(value) if self.is_log else value

    def value(self, place: float) -> float:
        """The value that is at a *place* as `along` says it; infinite where that is no float."""
        try:
            if self.bend:
                return self.bend * math.sinh(place)
            return 10**place if self.is_log else place
        except OverflowError:
            return math.copysign(math.inf, place)

    def is_beyond(self, value: float) -> bool:
        """Whether *value* lies beyond the end that is cut."""
        return self.cut * value > self.cut * (self.low if self.cut < 0 else self.high)

    @property
    def edge(self) -> float:
        """Where what is beyond is shown: just inside the end that is cut."""
        inside = 0.025 * (self.high / 2 - self.low / 2) * 2
        return self.low + inside if self.cut < 0 else self.high - inside

    def layout(self) -> dict[str, Any]:
        """As an axis of plotly."""
        if self.is_log:
            return {"type": "log", "range": [math.log10(self.low), math.log10(self.high)]}
        if self.bend:
            places = _bent_ticks(self.low, self.high, self.bend)
            return {
                "type": "linear",
                "range": [self.along(self.low), self.along(self.high)],
                "tickvals": [self.at(place) for place in places],
                "ticktext": [tick_text(place) for place in places],
                "zeroline": False,
            }
        empty = {"showticklabels": False, "showgrid": False} if self.is_empty else {}
        return {"type": "linear", "range": [self.low, self.high], **empty}


def _bend(ordered: Sequence[float], largest: float) -> float:
    """Where an axis of these values has to bend; 0 where a linear one shows them.

    A linear one does not where half of the values are within a thousandth of the *largest*
    that is in its range.
    """
    sizes = sorted(abs(value) for value in ordered if value)
    if len(sizes) < 3 or sizes[(len(sizes) - 1) // 2] * _WIDE > largest:
        return 0.0
    # Of the smallest a few may be noise about 0, for which half of the picture would be lost.
    least = max(sizes[len(sizes) // 20], sizes[-1] / _DEEP, 1e-300)
    return float(f"1e{math.floor(math.log10(least))}")


def _bent_ticks(low: float, high: float, bend: float) -> list[float]:
    """0 and powers of ten to both sides of it, as many as have room."""
    first, last = round(math.log10(bend)), math.floor(math.log10(max(-low, high)))
    places: list[float] = []
    for step in (1, 2, 3, 6, 12, 24):
        powers = range(-(-first // step) * step, last + 1, step)
        sizes = [float(f"1e{power}") for power in powers]
        # Those next to 0 would lie on its word.
        sizes = [size for size in sizes if size >= 3 * bend]
        both = [*(-size for size in reversed(sizes)), 0.0, *sizes]
        places = [place for place in both if low <= place <= high]
        if len(places) <= _TICKS:
            break
    return places


def _span(low: float, high: float) -> float:
    """The width of a range; half a float's largest where it has none."""
    return min(high - low, _MOST)


class ParameterAxis:
    """Where the values of a parameter lie: on a line of numbers, or at a place of a list.

    Attributes:
        name: The parameter.
        choices: Its values where it is a list; None for a range.
        is_log: Whether its distribution is that of the logarithm.
        low, high: The ends of its range, widened by values outside it.
        is_whole: Whether its values are whole numbers.
    """

    def __init__(self, parameter: Parameter, values: Iterable[Value] = ()) -> None:
        """The axis of *parameter*, on which *values* have a place, too."""
        self.name = parameter.name
        self.choices: list[Value] | None = None
        self.is_log = False
        self.low, self.high = 0.0, 1.0
        self.is_whole = parameter.parameter_type is ParameterType.INT
        if parameter.parameter_type in _LISTS:
            self.choices = list(parameter.choices)
            self._index = {_key(value): place for place, value in enumerate(self.choices)}
            for value in values:
                if _key(value) not in self._index:
                    self._index[_key(value)] = len(self.choices)
                    self.choices.append(value)
            return
        space = parameter.feasible_space
        bounds = [space.min, space.max, *values]
        numbers = [float(value) for value in bounds if is_finite(value)]  # type: ignore[arg-type]
        self.is_log = parameter.distribution.is_log
        if self.is_log:
            numbers = [value for value in numbers if value > 0]
        self.low, self.high = min(numbers, default=1.0), max(numbers, default=2.0)

    def place(self, value: Value) -> float | None:
        """Where *value* is drawn, in the axis's own units; None where it has no place."""
        if self.choices is not None:
            return self._index.get(_key(value))
        return rounded(value) if self.holds(value) else None  # type: ignore[arg-type]

    def holds(self, value: Value) -> bool:
        """Whether *value* has a place."""
        if self.choices is not None:
            return _key(value) in self._index
        return is_finite(value) and (value > 0 or not self.is_log)  # type: ignore[operator]

    def unit(self, value: Value) -> float | None:
        """Where *value* lies from 0, the lower end, to 1."""
        if not self.holds(value):
            return None
        if self.choices is not None:
            place = self._index[_key(value)]
            return place / (len(self.choices) - 1) if len(self.choices) > 1 else 0.5
        if self.low == self.high:
            return 0.5
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)  # type: ignore[operator]
        return (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)  # type: ignore[operator]

    def parts(self, values: Iterable[Value], count: int) -> list[int]:
        """How many of *values* lie in each of *count* equal parts of the axis."""
        if self.choices is not None or self.low == self.high:
            units = (unit for value in values if (unit := self.unit(value)) is not None)
            places = [int(unit * count) for unit in units]
        else:
            # As `unit` says, in a third of the time: there are values of all trials.
            numbers: Iterable[float] = [value for value in values if self.holds(value)]  # type: ignore[misc]
            low, high = self.low, self.high
            if self.is_log:
                low, high, numbers = math.log(low), math.log(high), map(math.log, numbers)
            wide = (high / 2 - low / 2) / count
            places = [int((number / 2 - low / 2) / wide) for number in numbers]
        # What is at the upper end is in the last part.
        tally = Counter(min(place, count - 1) for place in places)
        return [tally[place] for place in range(count)]

    def layout(self, room: int = 12) -> dict[str, Any]:
        """As an axis of plotly; each of its words takes at most *room* characters."""
        if self.choices is not None:
            ticks, words = thinned_choices(self.choices, room)
            return {
                "type": "linear",
                "range": [-0.6, len(self.choices) - 0.4],
                "tickvals": ticks,
                "ticktext": words,
                "tickangle": 0,
            }
        if self.is_log:
            room_ = 0.04 * math.log10(self.high / self.low) or 0.5
            ends = math.log10(self.low) - room_, math.log10(self.high) + room_
            places = log_ticks(self.low, self.high, 4)
            return {
                "type": "log",
                "range": list(ends),
                "tickvals": places,
                "ticktext": [tick_text(place) for place in places],
            }
        width = self.high / 2 - self.low / 2
        room_ = 0.08 * width or abs(self.high) * 0.1 or 1.0
        places = self._ticks(3)
        places = places[::2] if len(places) > 4 else places
        return {
            "tickangle": 0,
            "type": "linear",
            "range": [self.low - room_, self.high + room_],
            "tickvals": places,
            "ticktext": [tick_text(place) for place in places],
        }

    def _ticks(self, count: int) -> list[float]:
        """Round numbers on the axis, whole ones where its values are."""
        if self.is_log:
            return log_ticks(self.low, self.high, count)
        if self.is_whole and self.high - self.low <= 2 * count:
            return [float(place) for place in range(round(self.low), round(self.high) + 1)]
        return ticks(self.low, self.high, count)

    def unit_ticks(self) -> list[tuple[float, str]]:
        """Places from 0 to 1 and what to write there."""
        if self.choices is not None:
            values: Sequence[Value] = self.choices
            words = short_choices([value_text(value) for value in values], 16)
        else:
            places = self._ticks(5)
            values = places
            words = [tick_text(place) for place in places]
        pairs = [(self.unit(value), word) for value, word in zip(values, words, strict=True)]
        return [(unit, plain(word)) for unit, word in pairs if unit is not None]


def thinned_choices(choices: Sequence[Value], room: int) -> tuple[list[float], list[str]]:
    """Ticks for *choices*: all of them where there are few, else evenly spread ones."""
    every = max(1, math.ceil(len(choices) / 8))
    places = list(range(0, len(choices), every))
    words = short_choices([value_text(choices[place]) for place in places], room)
    return [*map(float, places)], [plain(word) for word in words]


def tick_text(value: float) -> str:
    """The number at a tick, as short as it can be: `0.1`, `1e-4`, `2e6`."""
    text = f"{value:.6g}"
    if value and (abs(value) < 1e-3 or abs(value) >= 1e5):
        mantissa, exponent = f"{value:.5e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return text


def ticks(low: float, high: float, count: int) -> list[float]:
    """About *count* round numbers from *low* to *high*; both ends where these are too near."""
    width = high / count - low / count
    if not (width > 0 and math.isfinite(width)) or width < 1e-300:
        return [low]
    size = 10.0 ** math.floor(math.log10(width))
    step = min((factor * size for factor in (1, 2, 2.5, 5, 10)), key=lambda each: abs(each - width))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    if not 0 <= last - first <= 5 * count:
        return [low, high]
    # Through the decimal notation, so that 3 * 0.1 is 0.3.
    return [float(f"{place * step:.12g}") for place in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int) -> list[float]:
    """About *count* powers of ten from *low* to *high*, or round numbers where there are few."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    decades = last - first + 1
    if decades < 2:
        finer = [
            factor * 10.0**power for power in range(first - 1, last + 1) for factor in (1, 2, 5)
        ]
        inside = [float(f"{each:.3g}") for each in finer if low * 0.999 <= each <= high * 1.001]
        return inside if len(inside) > 1 else [low, high] if low < high else [low]
    every = max(1, math.ceil(decades / (count + 1)))
    return [float(f"1e{power}") for power in range(first, last + 1, every)]


def _key(value: Value) -> tuple[type, Value]:
    """What tells `1` and `True` apart; an int and the float that equals it are the same."""
    return (float, float(value)) if is_finite(value) else (type(value), value)  # type: ignore[arg-type]
