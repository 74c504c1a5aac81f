"""Points that a person gives: assignments that may leave parameters open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hpo_lab.experiment.condition import ParameterCondition
from hpo_lab.experiment.document import as_text
from hpo_lab.experiment.model import Parameter, ParameterType, Value
from hpo_lab.experiment.parameter_rules import parameter_problems
from hpo_lab.experiment.space import contains
from hpo_lab.problems import Problem, nearest

__all__ = ["point_problems", "read_point", "value_problems"]


def read_point(parameters: Sequence[Parameter], texts: Mapping[str, str]) -> dict[str, Value]:
    """The point that *texts* describe by name.

    A text that is no value of its parameter stays as it is, for `point_problems` to report.
    """
    by_name = {parameter.name: parameter for parameter in parameters}
    return {
        name: _read(by_name[name], text) if name in by_name else text
        for name, text in texts.items()
    }


def value_problems(
    parameters: Sequence[Parameter], point: Mapping[str, Value], path: str
) -> Iterator[Problem]:
    """The names in *point* that are no parameters, and the values outside the search space.

    Args:
        parameters: The search space.
        point: Values by parameter name.
        path: Where *point* stands in the document.
    """
    by_name = {parameter.name: parameter for parameter in parameters}
    for name, value in point.items():
        if name not in by_name:
            names = f"there are {', '.join(by_name)}{nearest(name, list(by_name))}"
            yield Problem(f"{path}.{name}", f"is no parameter; {names}")
        elif not parameter_problems(by_name[name]) and not contains(by_name[name], value):
            yield Problem(f"{path}.{name}", f"is {value!r}; {_allowed(by_name[name], value)}")


def point_problems(
    parameters: Sequence[Parameter], point: Mapping[str, Value], path: str
) -> Iterator[Problem]:
    """The problems of `value_problems`, and every value whose parameter would be inactive."""
    yield from value_problems(parameters, point, path)
    for parameter in parameters:
        if parameter.when is None or parameter.name not in point:
            continue
        try:
            condition = ParameterCondition.parse(parameter.when)
        except ValueError:
            continue  # The rules of the search space report a malformed condition.
        if not condition.holds(point):
            missing = sorted(condition.names - point.keys())
            advice = f"give {', '.join(missing)} as well" if missing else "leave it out"
            message = f"takes part only where {parameter.when}; {advice}"
            yield Problem(f"{path}.{parameter.name}", message)


def _read(parameter: Parameter, text: str) -> Value:
    number = _number(text)
    if parameter.parameter_type in (ParameterType.DISCRETE, ParameterType.CATEGORICAL):
        for choice in parameter.choices:
            if text in (as_text(choice), str(choice)):
                return choice
        for choice in parameter.choices:
            if number is not None and not isinstance(choice, bool) and choice == number:
                return choice
        return text
    if number is None:
        return text
    whole = parameter.parameter_type is ParameterType.INT and number == int(number)
    return int(number) if whole else number


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        return number if abs(number) < float("inf") else None
    return None


def _allowed(parameter: Parameter, value: Value) -> str:
    space = parameter.feasible_space
    if parameter.parameter_type in (ParameterType.DISCRETE, ParameterType.CATEGORICAL):
        texts = [as_text(choice) for choice in parameter.choices]
        return f"allowed are {', '.join(texts)}{nearest(as_text(value), texts)}"
    kind = "integers" if parameter.parameter_type is ParameterType.INT else "numbers"
    step = f" in steps of {space.step}" if space.step else ""
    return f"allowed are {kind} from {space.min} to {space.max}{step}"
