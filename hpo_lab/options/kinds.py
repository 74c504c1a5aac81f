"""What the values of options may be: read from text, written as text, taken from Python.

`read` and `accept` raise ValueError with what is allowed. `read` takes whatever `write` gives
for a value that `read` or `accept` has given.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

from hpo_lab.experiment.model import (
    AlgorithmSetting,
    EarlyStopping,
    MetricConstraint,
    MetricStrategy,
    MetricStrategyType,
)
from hpo_lab.problems import nearest

__all__ = [
    "Bound",
    "Choice",
    "Count",
    "ExperimentName",
    "Kind",
    "Memory",
    "Number",
    "Rule",
    "Seconds",
    "Strategy",
    "Text",
    "TextSetting",
]


class Kind(ABC):
    """What one value of an option may be."""

    @abstractmethod
    def read(self, text: str) -> Any:
        """The value that *text* stands for."""

    def write(self, value: Any) -> str:
        """The text that stands for *value*."""
        return str(value)

    def accept(self, value: object) -> Any:
        """*value*, a Python argument or a part of a document, as a value of this kind."""
        if not isinstance(value, str):
            raise ValueError(f"found {value!r}; text is needed")
        return self.read(value)

    def parts(self, values: Sequence[Any]) -> Sequence[Any]:
        """What stands in a document for the *values* of an option that may be repeated."""
        return values

    def values(self, parts: Iterable[Any]) -> list[Any]:
        """The values that the *parts* of a document stand for."""
        return [self.accept(part) for part in parts]


class Text(Kind):
    """Any text."""

    def read(self, text: str) -> str:
        """*text* as it is."""
        return text


_EXPERIMENT_NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")


class ExperimentName(Kind):
    """The name of an experiment."""

    def read(self, text: str) -> str:
        """*text*, when it is such a name."""
        if not _EXPERIMENT_NAME.fullmatch(text):
            hint = "; a namespace is said by a manifest alone" if "/" in text else ""
            raise ValueError(
                f"{text!r} is no valid name; allowed are at most 40 lower-case letters, digits "
                f"and '-', starting with a letter and not ending with '-'{hint}"
            )
        return text


class Choice(Kind):
    """One of several words."""

    def __init__(self, *words: str) -> None:
        """Allow these *words*."""
        self.words = words

    def read(self, text: str) -> str:
        """*text*, when it is one of the words."""
        if text not in self.words:
            allowed = ", ".join(self.words)
            hint = nearest(text, self.words)
            raise ValueError(f"{text!r} is not allowed; allowed are {allowed}{hint}")
        return text


@dataclass(frozen=True, slots=True)
class Count(Kind):
    """A whole number of at least `least`."""

    least: int

    def read(self, text: str) -> int:
        """The number that *text* says."""
        try:
            value = int(text)
        except ValueError:
            raise ValueError(self._refusal(repr(text))) from None
        return self.accept(value)

    def accept(self, value: object) -> int:
        """*value*, an integer of Python or NumPy."""
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise ValueError(self._refusal(repr(value)))
        if value < self.least:
            raise ValueError(f"{value} is too small; allowed are {self.least} and up")
        return int(value)

    def _refusal(self, value: str) -> str:
        return f"{value} is no whole number; allowed are {self.least} and up"


class Number(Kind):
    """A finite number."""

    def read(self, text: str) -> float:
        """The number that *text* says."""
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{text!r} is no number") from None
        return _finite(value, text)

    def write(self, value: float) -> str:
        """The shortest text for *value*."""
        return repr(value).removesuffix(".0")

    def accept(self, value: object) -> float:
        """*value*, a number of Python or NumPy."""
        number = _as_float(value)
        if number is None:
            raise ValueError(f"{value!r} is no number")
        return _finite(number, value)


_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Seconds(Kind):
    """A time span above 0, in seconds: `90`, `90s`, `10m`, `2h`, `1d`."""

    def read(self, text: str) -> float:
        """The seconds that *text* says."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text)
        return self._positive(float(match[1]) * _UNITS[match[2]] if match else 0.0, text)

    def write(self, value: float) -> str:
        """The seconds, without an exponent."""
        return format(Decimal(repr(value)), "f").removesuffix(".0")

    def accept(self, value: object) -> float:
        """*value*, a number of seconds or such a text."""
        if isinstance(value, str):
            return self.read(value)
        return self._positive(_as_float(value) or 0.0, value)

    def _positive(self, value: float, source: object) -> float:
        if not (value > 0 and math.isfinite(value)):
            allowed = "allowed are seconds above 0, or 90s, 10m, 2h, 1d"
            raise ValueError(f"{source!r} is no time; {allowed}")
        return value


_BYTES = {"t": 2**40, "g": 2**30, "m": 2**20, "k": 2**10, "": 1}


class Memory(Kind):
    """An amount of memory of at least one byte: `512M`, `2G`."""

    def read(self, text: str) -> int:
        """The bytes that *text* says."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", text.casefold())
        amount = int(Fraction(match[1]) * _BYTES[match[2]]) if match else 0
        return self._positive(amount, text)

    def write(self, value: int) -> str:
        """The amount in the largest unit of which it is a multiple."""
        unit = next(unit for unit, size in _BYTES.items() if value % size == 0)
        return f"{value // _BYTES[unit]}{unit.upper()}"

    def accept(self, value: object) -> int:
        """*value*, a number of bytes or such a text."""
        if isinstance(value, str):
            return self.read(value)
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        return self._positive(int(value) if whole else 0, value)  # type: ignore[call-overload]

    def _positive(self, value: int, source: object) -> int:
        if value < 1:
            allowed = "allowed are bytes above 0, or 512M, 2G"
            raise ValueError(f"{source!r} is no amount of memory; {allowed}")
        return value


class Rule(Kind):
    """A rule of early stopping: `medianstop`, `medianstop:start_step=3,...`."""

    def read(self, text: str) -> EarlyStopping:
        """The rule that *text* names, with its settings."""
        name, colon, written = text.partition(":")
        if not name or (colon and not written):
            raise ValueError(f"{text!r} is no rule; write it as NAME or NAME:setting=value,...")
        pairs = [_pair(part) for part in written.split(",")] if written else []
        settings = tuple(AlgorithmSetting(name=name, value=value) for name, value in pairs)
        return EarlyStopping(algorithm_name=name, algorithm_settings=settings)

    def write(self, value: EarlyStopping) -> str:
        """The rule's name and settings."""
        settings = ",".join(
            f"{setting.name}={setting.value}" for setting in value.algorithm_settings
        )
        return f"{value.algorithm_name}:{settings}" if settings else value.algorithm_name

    def accept(self, value: object) -> EarlyStopping:
        """*value*, a rule or such a text."""
        return value if isinstance(value, EarlyStopping) else super().accept(value)


_BOUND = re.compile(r"\s*([^<>=\s]+)\s*(<=|>=)\s*(\S+)\s*")


class Bound(Kind):
    """A bound of a metric: `memory<=8`, `recall>=0.5`.

    Both bounds of a metric are one part of a document, and two values.
    """

    def read(self, text: str) -> MetricConstraint:
        """The bound that *text* says."""
        match = _BOUND.fullmatch(text)
        if match is None:
            allowed = "write it as METRIC<=VALUE or METRIC>=VALUE"
            raise ValueError(f"{text!r} is no constraint; {allowed}")
        bound = Number().read(match[3])
        if match[2] == "<=":
            return MetricConstraint(name=match[1], max=bound)
        return MetricConstraint(name=match[1], min=bound)

    def write(self, value: MetricConstraint) -> str:
        """The only bound of *value*."""
        if value.max is not None:
            return f"{value.name}<={Number().write(value.max)}"
        return "" if value.min is None else f"{value.name}>={Number().write(value.min)}"

    def parts(self, values: Sequence[MetricConstraint]) -> Sequence[MetricConstraint]:
        """The *values* with a lower and an upper bound of a metric as one constraint."""
        merged: list[MetricConstraint] = []
        for value in values:
            bound = "min" if value.max is None else "max"
            for place, other in enumerate(merged):
                if other.name == value.name and getattr(other, bound) is None:
                    merged[place] = other.model_copy(update={bound: getattr(value, bound)})
                    break
            else:
                merged.append(value)
        return merged

    def values(self, parts: Iterable[MetricConstraint]) -> list[MetricConstraint]:
        """The lower and the upper bound of each constraint."""
        bounds = [(part.name, {"min": part.min, "max": part.max}) for part in parts]
        return [
            MetricConstraint(name=name, **{side: limit})
            for name, limits in bounds
            for side, limit in limits.items()
            if limit is not None
        ]


class _Pair(Kind):
    """A name and a value: `name=value`."""

    def write(self, value: tuple[str, str]) -> str:
        """`name=value`."""
        return "=".join(value)

    def accept(self, value: object) -> tuple[str, str]:
        """*value*, an item of a mapping, a part of a document or such a text."""
        match value:
            case AlgorithmSetting() | MetricStrategy():
                return value.name, str(value.value)
            case (str(name), setting):
                return self.check(name, str(setting))
        text: str = super().accept(value)
        return self.read(text)

    def read(self, text: str) -> tuple[str, str]:
        """The name and the value that *text* says."""
        return self.check(*_pair(text))

    def check(self, name: str, value: str) -> tuple[str, str]:
        """Both, when *value* is allowed."""
        return name, value


class TextSetting(_Pair):
    """A setting of the algorithm: `gamma=0.1`."""

    def parts(self, values: Sequence[tuple[str, str]]) -> Sequence[AlgorithmSetting]:
        """The settings."""
        return [AlgorithmSetting(name=name, value=value) for name, value in values]


class Strategy(_Pair):
    """A metric and which of its values counts: `loss=latest`."""

    def check(self, name: str, value: str) -> tuple[str, str]:
        """Both, when *value* is a strategy."""
        allowed = [kind.value for kind in MetricStrategyType]
        if value not in allowed:
            hint = nearest(value, allowed)
            raise ValueError(f"{value!r} is no strategy; allowed are {', '.join(allowed)}{hint}")
        return name, value

    def parts(self, values: Sequence[tuple[str, str]]) -> Sequence[MetricStrategy]:
        """The strategies."""
        return [
            MetricStrategy(name=name, value=MetricStrategyType(value)) for name, value in values
        ]


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ValueError(f"{text!r} is no setting; write it as name=value")
    return name, value


def _as_float(value: object) -> float | None:
    """*value* when it is a number, infinite where it is too large for a float."""
    # NumPy registers its own numbers with `numbers`.
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _finite(value: float, source: object) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{source!r} is not finite; a finite number is needed")
    return value
