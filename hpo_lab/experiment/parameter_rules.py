"""Rules for the feasible space of a parameter."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from hpo_lab.experiment.parameter import Parameter, ParameterType

__all__ = ["parameter_problems"]

_RANGES = (ParameterType.DOUBLE, ParameterType.INT)

FieldProblem = tuple[str, str]


def parameter_problems(parameter: Parameter) -> list[FieldProblem]:
    """Every problem of *parameter*, as pairs of field and message."""
    problems = list(_range(parameter) if parameter.parameter_type in _RANGES else _list(parameter))
    if not parameter.name:
        problems.insert(0, ("name", "is empty; a parameter needs a name"))
    return problems


def _range(parameter: Parameter) -> Iterator[FieldProblem]:
    space = parameter.feasible_space
    kind = parameter.parameter_type.value
    if space.list is not None:
        yield "feasibleSpace.list", f"is not allowed for a parameter of type {kind}"
    bounds = {"min": space.min, "max": space.max}
    for field, bound in bounds.items():
        if bound is None:
            yield f"feasibleSpace.{field}", f"is missing; a parameter of type {kind} needs one"
        elif not _is_finite(bound):
            yield f"feasibleSpace.{field}", f"is {_shown(bound)}; must be a finite number"
        elif parameter.parameter_type is ParameterType.INT and bound != int(bound):
            yield f"feasibleSpace.{field}", f"is {bound}; a parameter of type int needs an integer"
    if space.min is None or space.max is None:
        return
    if not (_is_finite(space.min) and _is_finite(space.max)):
        return
    if space.min > space.max:
        yield "feasibleSpace.min", f"is {space.min}; must not be above max, {space.max}"
    if parameter.distribution.is_log and space.min <= 0:
        yield (
            "feasibleSpace.min",
            f"is {space.min}; a {parameter.distribution.value} distribution needs a number above 0",
        )
    yield from _step(parameter)


def _step(parameter: Parameter) -> Iterator[FieldProblem]:
    step = parameter.feasible_space.step
    if step is None:
        return
    if not (_is_finite(step) and step > 0):
        yield "feasibleSpace.step", f"is {_shown(step)}; must be a number above 0"
    elif parameter.parameter_type is ParameterType.INT and step != int(step):
        yield (
            "feasibleSpace.step",
            f"is {step}; a parameter of type int needs an integer: write {max(1, round(step))}, "
            "or parameterType: double",
        )


def _list(parameter: Parameter) -> Iterator[FieldProblem]:
    space = parameter.feasible_space
    kind = parameter.parameter_type.value
    for field in ("min", "max", "step"):
        if getattr(space, field) is not None:
            yield f"feasibleSpace.{field}", f"is not allowed for a parameter of type {kind}"
    if not space.list:
        yield "feasibleSpace.list", f"is empty; a parameter of type {kind} needs at least one value"
        return
    try:
        choices = parameter.choices
    except ValueError:
        choices = space.list
    for value in choices:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if parameter.parameter_type is ParameterType.DISCRETE and not number:
            yield "feasibleSpace.list", f"contains {value!r}; a discrete list holds numbers"
        elif isinstance(value, int | float) and not _is_finite(value):
            yield "feasibleSpace.list", f"contains {_shown(value)}; must be finite numbers"
    # 1 and True are different choices, 0.0 and -0.0 are not.
    for (_, value), count in Counter((isinstance(v, bool), v) for v in choices).items():
        if count > 1:
            yield "feasibleSpace.list", f"contains {value!r} more than once"


def _is_finite(number: int | float) -> bool:
    """Whether *number* is one that a float can hold."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _shown(number: int | float) -> str:
    if isinstance(number, int):
        digits = len(str(abs(number)))
        return repr(number) if digits < 40 else f"a number of {digits} digits"
    return repr(number)
