"""The vocabulary of search spaces: `uniform`, `loguniform`, `int`, `choice` and the rest.

The same names serve the annotations of a notebook cell and the Python API::

    space = {"lr": loguniform(1e-4, 1e-1), "opt": choice("adam", "sgd")}

In Python `int` is also called `integer`, so that nothing stands before the builtin.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from hpo_lab.experiment.choices import plain_value, read_choices
from hpo_lab.experiment.model import (
    Distribution,
    FeasibleSpace,
    Parameter,
    ParameterType,
    Value,
)
from hpo_lab.problems import InvalidInput, Problem

__all__ = [
    "DOMAINS",
    "Domain",
    "choice",
    "contains",
    "has_word",
    "int",
    "integer",
    "logint",
    "lognormal",
    "loguniform",
    "normal",
    "same",
    "space_text",
    "uniform",
]

Real = float
_Int = int
_GRID_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Domain:
    """The values a parameter may take, before it has a name.

    Attributes:
        parameter_type, feasible_space: As in a parameter.
        condition: Where it is searched alone.
        objects: What the choices that are names stand for, by name.
    """

    parameter_type: ParameterType
    feasible_space: FeasibleSpace
    condition: str | None = None
    objects: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __repr__(self) -> str:
        text = _written(self.named(""), self.objects)
        # What is imported under this name hides no builtin.
        text = f"integer{text.removeprefix('int')}" if text.startswith("int(") else text
        return f"{text}.when({self.condition!r})" if self.condition else text

    def when(self, condition: str) -> Domain:
        """This domain, searched only where *condition* holds, e.g. `'opt == "sgd"'`."""
        return replace(self, condition=condition)

    def named(self, name: str, when: str | None = None) -> Parameter:
        """The parameter *name* over this domain."""
        return Parameter(
            name=name,
            parameter_type=self.parameter_type,
            feasible_space=self.feasible_space,
            when=when if when is not None else self.condition,
        )


def _range(
    kind: ParameterType,
    low: Real,
    high: Real,
    step: Real | None = None,
    distribution: Distribution | None = None,
) -> Domain:
    named = {"low": low, "high": high, "step": step}
    bounds = {name: plain_value(bound) for name, bound in named.items()}
    problems = [
        Problem(name, f"found {named[name]!r}; a number is needed")
        for name, bound in bounds.items()
        if isinstance(bound, bool)
        or (not isinstance(bound, _Int | float) and not (name == "step" and bound is None))
    ]
    if problems:
        raise InvalidInput(problems)
    space = FeasibleSpace(
        min=bounds["low"], max=bounds["high"], step=bounds["step"], distribution=distribution
    )
    return Domain(kind, space)


def uniform(low: Real, high: Real, *, step: Real | None = None) -> Domain:
    """A float from *low* to *high*, both included; with *step*, of the form `low + k*step`."""
    return _range(ParameterType.DOUBLE, low, high, step)


def loguniform(low: Real, high: Real, *, step: Real | None = None) -> Domain:
    """A float from *low* (above 0) to *high* whose logarithm is uniform."""
    return _range(ParameterType.DOUBLE, low, high, step, Distribution.LOG_UNIFORM)


def normal(low: Real, high: Real, *, step: Real | None = None) -> Domain:
    """A float from a normal distribution truncated to its bounds, as Katib has it.

    The mean is the middle of *low* and *high*, the standard deviation a sixth of their
    distance.
    """
    return _range(ParameterType.DOUBLE, low, high, step, Distribution.NORMAL)


def lognormal(low: Real, high: Real, *, step: Real | None = None) -> Domain:
    """A float (above 0) whose logarithm has the `normal` distribution between the logarithms."""
    return _range(ParameterType.DOUBLE, low, high, step, Distribution.LOG_NORMAL)


def int(low: _Int, high: _Int, *, step: _Int | None = None) -> Domain:
    """An integer from *low* to *high*, both included; with *step*, of the form `low + k*step`."""
    return _range(ParameterType.INT, low, high, step)


def logint(low: _Int, high: _Int) -> Domain:
    """An integer from *low* (at least 1) to *high* whose logarithm is uniform."""
    return _range(ParameterType.INT, low, high, None, Distribution.LOG_UNIFORM)


integer = int


def choice(*values: Any) -> Domain:
    """A choice among *values*; numbers keep their order, which model-based algorithms use.

    Args:
        *values: Numbers, texts, truth values and None, NumPy's too; `choice([1, 2, 3])` is
            `choice(1, 2, 3)`. Anything else, such as a tuple or a class, gets a name, by which
            it is recorded and shown, and a trial of a function gets the object. The name is
            what Python writes, `(64, 64)`, or that of a function or class; a mapping gives
            names of your own: `choice({"small": (64,), "large": (512, 512)})`.

    Raises:
        InvalidInput: An object has no name.
    """
    items, objects = read_choices(values)
    numeric = all(isinstance(v, _Int | float) and not isinstance(v, bool) for v in items)
    kind = ParameterType.DISCRETE if numeric and items else ParameterType.CATEGORICAL
    return Domain(kind, FeasibleSpace(list=items), objects=objects)


_WORDS = {
    (ParameterType.DOUBLE, Distribution.UNIFORM): "uniform",
    (ParameterType.DOUBLE, Distribution.LOG_UNIFORM): "loguniform",
    (ParameterType.DOUBLE, Distribution.NORMAL): "normal",
    (ParameterType.DOUBLE, Distribution.LOG_NORMAL): "lognormal",
    (ParameterType.INT, Distribution.UNIFORM): "int",
    (ParameterType.INT, Distribution.LOG_UNIFORM): "logint",
}


def has_word(parameter: Parameter) -> bool:
    """Whether a word of the vocabulary is for the space of *parameter*."""
    is_range = parameter.parameter_type in (ParameterType.DOUBLE, ParameterType.INT)
    return not is_range or (parameter.parameter_type, parameter.distribution) in _WORDS


def space_text(parameter: Parameter) -> str:
    """The space of *parameter* as an author writes it: `int(1, 9) when kind == "a"`."""
    text = _written(parameter)
    return f"{text} when {parameter.when}" if parameter.when else text


def _written(parameter: Parameter, objects: Mapping[str, Any] = MappingProxyType({})) -> str:
    """The same without the condition; the names of *objects* are written without quotes."""
    kind, space = parameter.parameter_type, parameter.feasible_space
    if kind in (ParameterType.DISCRETE, ParameterType.CATEGORICAL):
        choices = (each if each in objects else _literal(each) for each in parameter.choices)
        return f"choice({', '.join(map(str, choices))})"
    word = _WORDS.get((kind, parameter.distribution)) or f"{kind} {parameter.distribution}"
    step = "" if space.step is None else f", step={space.step!r}"
    return f"{word}({space.min!r}, {space.max!r}{step})"


def _literal(value: Value) -> str:
    """*value* as Python writes it, a text in double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


DOMAINS: dict[str, Callable[..., Domain]] = {
    "uniform": uniform,
    "loguniform": loguniform,
    "int": int,
    "logint": logint,
    "choice": choice,
    "normal": normal,
    "lognormal": lognormal,
}


def same(value: Value, allowed: Value) -> bool:
    """Whether the values are equal; `True` and `1` are not."""
    return value == allowed and isinstance(value, bool) == isinstance(allowed, bool)


def contains(parameter: Parameter, value: Value) -> bool:
    """Whether *value* lies in the feasible space of *parameter* and on its grid.

    An int is a valid value of a `double`; a float is no valid value of an `int`.
    """
    if parameter.parameter_type in (ParameterType.DISCRETE, ParameterType.CATEGORICAL):
        return any(same(value, allowed) for allowed in parameter.choices)
    if isinstance(value, bool) or not isinstance(value, _Int | float):
        return False
    if parameter.parameter_type is ParameterType.INT and not isinstance(value, _Int):
        return False
    space = parameter.feasible_space
    try:
        is_finite = math.isfinite(value)
    except OverflowError:
        # An integer without a float is beyond every bound.
        is_finite = False
    if not is_finite or space.min is None or space.max is None:
        return False
    if not space.min <= value <= space.max:
        return False
    if not space.step:
        return True
    steps = (value - space.min) / space.step
    # Far from 0 the floats themselves lie wide apart.
    spacing = 2 * math.ulp(max(abs(value), abs(space.min))) / space.step
    return abs(steps - round(steps)) <= _GRID_TOLERANCE * max(1.0, abs(steps)) + spacing
