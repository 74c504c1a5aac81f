"""The parameters of a search space as a tree of conditions, each in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hpo_lab.dashboard.figures.axes import ParameterAxis
from hpo_lab.dashboard.figures.wording import amount, counted, value_text
from hpo_lab.experiment.condition import ParameterCondition
from hpo_lab.experiment.model import Distribution, Parameter, ParameterType, Value

__all__ = ["Branch", "bound_in_words", "kind_in_words", "range_in_words", "tree"]

_EDGE = 0.01
"""So near to the end of its range, as a share of it, a value is at a bound."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A parameter with its place in the tree of conditions."""

    parameter: Parameter
    depth: int
    parent: int | None


def tree(parameters: Sequence[Parameter]) -> Iterator[Branch]:
    """The parameters in their order, each behind the last that its condition reads."""
    names = {parameter.name: place for place, parameter in enumerate(parameters)}
    children: dict[str | None, list[Parameter]] = {}
    for parameter in parameters:
        children.setdefault(_parent(parameter, names), []).append(parameter)
    placed: set[str] = set()
    rows: dict[str, int] = {}

    def below(name: str | None, depth: int) -> Iterator[Branch]:
        for parameter in children.get(name, []):
            if parameter.name in placed:
                continue
            placed.add(parameter.name)
            rows[parameter.name] = len(rows)
            yield Branch(parameter, depth, rows.get(name) if name is not None else None)
            yield from below(parameter.name, depth + 1)

    yield from below(None, 0)
    # Conditions in a cycle are refused before; here they are drawn at least.
    for parameter in parameters:
        if parameter.name not in placed:
            placed.add(parameter.name)
            rows[parameter.name] = len(rows)
            yield Branch(parameter, 0, None)
            yield from below(parameter.name, 1)


def _parent(parameter: Parameter, names: Mapping[str, int]) -> str | None:
    if not parameter.when:
        return None
    try:
        read = ParameterCondition.parse(parameter.when).names
    except ValueError:
        return None
    parents = [name for name in read if name in names and name != parameter.name]
    return max(parents, key=lambda name: names[name], default=None)


def bound_in_words(parameter: Parameter, value: Value) -> str:
    """Whether a value lies at the end of its range, where a wider one may be better."""
    space = parameter.feasible_space
    if parameter.parameter_type not in (ParameterType.DOUBLE, ParameterType.INT):
        return ""
    if space.min is None or space.max is None or space.min == space.max:
        return ""
    unit = ParameterAxis(parameter).unit(value)
    if unit is None or _EDGE < unit < 1 - _EDGE:
        return ""
    if parameter.parameter_type is ParameterType.INT and value not in (space.min, space.max):
        return ""
    return "at lower bound" if unit < 0.5 else "at upper bound"


def kind_in_words(parameter: Parameter) -> str:
    """`float, log scale`, `choice of 3`."""
    names = {
        Distribution.UNIFORM: "",
        Distribution.LOG_UNIFORM: ", log scale",
        Distribution.NORMAL: ", normal",
        Distribution.LOG_NORMAL: ", normal on a log scale",
    }
    match parameter.parameter_type:
        case ParameterType.DOUBLE:
            return f"float{names[parameter.distribution]}"
        case ParameterType.INT:
            return f"integer{names[parameter.distribution]}"
        case ParameterType.DISCRETE:
            return f"one of {counted(len(parameter.choices), 'number')}"
    return f"choice of {amount(len(parameter.choices))}"


def range_in_words(parameter: Parameter) -> str:
    """`0.0001 … 0.1`, `adam · sgd`."""
    space = parameter.feasible_space
    if parameter.parameter_type in (ParameterType.DISCRETE, ParameterType.CATEGORICAL):
        return " · ".join(value_text(value) for value in parameter.choices)
    step = f", step {value_text(space.step)}" if space.step else ""
    return f"{value_text(space.min)} … {value_text(space.max)}{step}"
