"""The resource of multi-fidelity search: the parameter that says how much a trial may use.

Its value is that of the trial's rung; the other parameters are the configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hpo_lab.experiment.condition import ParameterCondition
from hpo_lab.experiment.model import ExperimentSpec, Parameter, ParameterType, Value
from hpo_lab.experiment.parameter_rules import parameter_problems
from hpo_lab.problems import Problem, nearest
from hpo_lab.search.axis import Axis
from hpo_lab.search.rungs import levels
from hpo_lab.search.setting import RANDOM_STATE, Configurable, Setting, read_settings
from hpo_lab.search.space import Same, Space

__all__ = ["FIDELITY_SETTINGS", "Fidelity", "fidelity_problems"]

_SETTINGS_PATH = "spec.algorithm.algorithmSettings"

FIDELITY_SETTINGS: Mapping[str, Setting] = {
    "resource_name": Setting(str, "The parameter that is the resource, such as epochs; required."),
    "r_l": Setting(
        float,
        "The resource of the last rung; the parameter's maximum.",
        minimum=0,
        exclusive=True,
    ),
    "min_resource": Setting(
        float,
        "No rung has less; the parameter's minimum where that is above 0, else 1.",
        minimum=0,
        exclusive=True,
    ),
    "eta": Setting(
        float, "One in so many goes on, with so many times as much.", default=3, minimum=2
    ),
    "resource_type": Setting(
        str, "`int` where only whole numbers make sense.", default="float", choices=("int", "float")
    ),
    "random_state": RANDOM_STATE,
}
"""The settings of all multi-fidelity algorithms; the first ones are Katib's for Hyperband."""


@dataclass(frozen=True)
class Fidelity:
    """The resource and the space of configurations of an experiment.

    Attributes:
        name: The parameter that is the resource.
        resources: Its value at each level, ascending.
        eta: One in so many goes on.
        parameters: The other parameters.
        space: Their space.
    """

    name: str
    resources: tuple[Value, ...]
    eta: float
    parameters: tuple[Parameter, ...]
    space: Space

    @classmethod
    def of(cls, spec: ExperimentSpec, settings: Mapping[str, Value]) -> Fidelity:
        """The fidelity of *spec*, which has to be free of `fidelity_problems`."""
        relevant = tuple((name, settings[name]) for name in FIDELITY_SETTINGS if name in settings)
        return _fidelity(Same(spec.parameters), relevant)


@lru_cache(maxsize=32)
def _fidelity(same: Same, relevant: tuple[tuple[str, Value], ...]) -> Fidelity:
    settings = dict(relevant)
    name = str(settings["resource_name"])
    (parameter,) = (parameter for parameter in same.parameters if parameter.name == name)
    others = tuple(parameter for parameter in same.parameters if parameter.name != name)
    resources = _on_grid(parameter, settings, _levels(parameter, settings))
    return Fidelity(name, resources, _number(settings["eta"]), others, Space.of(others))


def fidelity_problems(algorithm: Configurable, spec: ExperimentSpec) -> list[Problem]:
    """What keeps *spec* from being searched by rungs: its resource, and the room it has."""
    texts = spec.algorithm.settings
    try:
        settings = read_settings(algorithm, texts)
    except ValueError:
        return []  # Said where the settings are checked.
    names = [parameter.name for parameter in spec.parameters]
    if "resource_name" not in texts:
        message = (
            "lacks 'resource_name', the parameter that says how much a trial may use (epochs, "
            f"steps, a share of the data); the parameters are {', '.join(names) or 'none'}"
        )
        return [Problem(_SETTINGS_PATH, message)]
    name = texts["resource_name"]
    if name not in names:
        names_of_settings = [setting.name for setting in spec.algorithm.algorithm_settings]
        where = names_of_settings.index("resource_name")
        message = (
            f"resource_name is {name!r}; must be one of the parameters, which are "
            f"{', '.join(names) or 'none'}{nearest(name, names)}"
        )
        return [Problem(f"{_SETTINGS_PATH}[{where}].value", message)]
    path = f"spec.parameters[{names.index(name)}]"
    parameter = spec.parameters[names.index(name)]
    problems = [*_dependencies(spec.parameters, parameter)]
    if parameter_problems(parameter):
        return problems  # Said where the space is checked.
    if not all(isinstance(bound, int | float) for bound in _bounds(parameter)):
        message = f"is {parameter.parameter_type.value}; the resource must be a number"
        return [*problems, Problem(f"{path}.parameterType", message)]
    return [*problems, *_room(parameter, settings, f"{path}.feasibleSpace")]


def _dependencies(parameters: Sequence[Parameter], resource: Parameter) -> Iterable[Problem]:
    for index, parameter in enumerate(parameters):
        where, when = f"spec.parameters[{index}].when", parameter.when
        if when and parameter is resource:
            yield Problem(where, "is given; the resource must be active in every trial")
        elif when and resource.name in _names_in(when):
            message = f"is {when!r}; a configuration must not depend on the resource"
            yield Problem(where, message)


def _names_in(condition: str) -> frozenset[str]:
    try:
        return ParameterCondition.parse(condition).names
    except ValueError:
        return frozenset()  # Said where the space is checked.


def _room(parameter: Parameter, settings: Mapping[str, Value], path: str) -> Iterable[Problem]:
    """Problems where the rungs do not fit into the feasible space of the resource."""
    low, high = map(_number, _bounds(parameter))
    wanted = _levels(parameter, settings)
    shown = ", ".join(f"{resource:g}" for resource in wanted)
    values = _on_grid(parameter, settings, wanted)
    most, least = settings["r_l"], settings["min_resource"]
    if most is not None and _number(most) > high:
        yield Problem(path, f"reaches up to {high:g}; the last rung needs r_l, which is {most:g}")
    elif least is not None and _number(least) < low:
        message = f"begins at {low:g}; the first rung needs min_resource, which is {least:g}"
        yield Problem(path, message)
    elif len(wanted) < 2:
        least, eta = _least(parameter, settings), _number(settings["eta"])
        message = (
            f"leaves room for one rung only, of {shown}; between the least resource, {least:g}, "
            f"and the most there must be at least a factor of eta, {eta:g}"
        )
        yield Problem(path, message)
    elif len(set(values)) < len(values):
        on_grid = ", ".join(map(str, values))
        yield Problem(path, f"is too coarse for the rungs {shown}: on its grid they are {on_grid}")


def _bounds(parameter: Parameter) -> tuple[Value, Value]:
    """The least and the greatest value; None where it has no numbers."""
    if parameter.parameter_type is ParameterType.CATEGORICAL:
        return None, None
    space = parameter.feasible_space
    if parameter.parameter_type is ParameterType.DISCRETE:
        numbers = [_number(value) for value in parameter.choices]
        return min(numbers), max(numbers)
    return space.min, space.max


def _least(parameter: Parameter, settings: Mapping[str, Value]) -> float:
    if settings["min_resource"] is not None:
        return _number(settings["min_resource"])
    low = _number(_bounds(parameter)[0])
    return low if low > 0 else 1.0


def _levels(parameter: Parameter, settings: Mapping[str, Value]) -> tuple[float, ...]:
    last = settings["r_l"]
    most = _number(_bounds(parameter)[1] if last is None else last)
    return levels(_least(parameter, settings), most, _number(settings["eta"]))


def _on_grid(
    parameter: Parameter, settings: Mapping[str, Value], wanted: Sequence[float]
) -> tuple[Value, ...]:
    """The values of *parameter* nearest to the resources *wanted*."""
    whole = settings["resource_type"] == "int"
    axis = _axis(parameter)

    def nearest_value(resource: float) -> Value:
        if whole:
            resource = round(resource)
        if parameter.parameter_type is ParameterType.DISCRETE:
            return min(parameter.choices, key=lambda value: abs(_number(value) - resource))
        if axis.size is not None:
            return axis.level(axis.level_of(resource))
        low, high = map(_number, _bounds(parameter))
        return min(max(resource, low), high)

    return tuple(nearest_value(resource) for resource in wanted)


@lru_cache(maxsize=32)
def _axis(parameter: Parameter) -> Axis:
    return Axis(parameter)


def _number(value: Value) -> float:
    assert isinstance(value, int | float)
    return value
