"""Where a value lies in the range of its parameter."""

from __future__ import annotations

import math

from hpo_lab.experiment.model import Parameter, Value
from hpo_lab.experiment.parameter import ParameterType

__all__ = ["position"]


def position(parameter: Parameter, value: Value | None) -> float | None:
    """Where *value* lies in its range, 0 to 1 on the scale of the parameter.

    None where that says nothing: of choices, of a range without width, of what is no number.
    """
    space = parameter.feasible_space
    is_range = parameter.parameter_type in (ParameterType.DOUBLE, ParameterType.INT)
    if not is_range or space.min is None or space.max is None:
        return None
    if isinstance(value, str | bool) or value is None:
        return None
    numbers = [float(value), float(space.min), float(space.max)]
    if parameter.distribution.is_log:
        if min(numbers) <= 0:
            return None
        numbers = [math.log(each) for each in numbers]
    at, low, high = numbers
    # Halves, since a range may be wider than the largest float.
    width = high / 2 - low / 2
    return (at / 2 - low / 2) / width if width > 0 and math.isfinite(at) else None
