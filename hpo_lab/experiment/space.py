"""The vocabulary of search spaces: `uniform`, `loguniform`, `int`, `choice` and the rest.

The same names serve the annotations of a notebook cell and the Python API::

    space = {"lr": loguniform(1e-4, 1e-1), "opt": choice("adam", "sgd")}
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from hpo_lab.experiment.model import (
    Distribution,
    FeasibleSpace,
    Parameter,
    ParameterType,
    Value,
)

__all__ = [
    "DOMAINS",
    "Domain",
    "choice",
    "contains",
    "int",
    "logint",
    "lognormal",
    "loguniform",
    "normal",
    "same",
    "uniform",
]

Real = float
_Int = int
_GRID_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Domain:
    """The values a parameter may take, before it has a name."""

    parameter_type: ParameterType
    feasible_space: FeasibleSpace
    condition: str | None = None

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
    space = FeasibleSpace(min=low, max=high, step=step, distribution=distribution)
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


def choice(*values: Value) -> Domain:
    """A choice among *values*; numbers keep their order, which model-based algorithms use."""
    numeric = all(isinstance(v, _Int | float) and not isinstance(v, bool) for v in values)
    kind = ParameterType.DISCRETE if numeric and values else ParameterType.CATEGORICAL
    return Domain(kind, FeasibleSpace(list=values))


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
    if not math.isfinite(value) or space.min is None or space.max is None:
        return False
    if not space.min <= value <= space.max:
        return False
    if not space.step:
        return True
    steps = (value - space.min) / space.step
    return abs(steps - round(steps)) <= _GRID_TOLERANCE * max(1.0, abs(steps))
