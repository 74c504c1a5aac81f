"""The range of the resource that Katib's Hyperband raises.

Katib gives each trial 1 to `r_l` of the resource and never looks at the parameter's own range,
so that its example has the range 1 to 1. Our search takes values from the range alone.
"""

from __future__ import annotations

from hpo_lab.experiment.document import as_number, as_text
from hpo_lab.experiment.model import ExperimentSpec, Parameter, ParameterType
from hpo_lab.problems import Problem

__all__ = ["with_resource_range"]

_ETA = 3


def with_resource_range(spec: ExperimentSpec) -> tuple[ExperimentSpec, list[Problem]]:
    """*spec*, a Katib's, with a range that holds Hyperband's rungs, and a warning if it changed.

    What is wrong with the settings is left to the algorithm to tell.
    """
    settings = spec.algorithm.settings
    name, most = settings.get("resource_name"), _number(settings.get("r_l"))
    eta = _number(settings.get("eta")) or _ETA
    for index, parameter in enumerate(spec.parameters):
        is_resource = spec.algorithm.algorithm_name == "hyperband" and parameter.name == name
        if is_resource and most is not None and _is_too_narrow(parameter, most, eta):
            low, high = _range(parameter, most, eta)
            before = parameter.feasible_space
            space = before.model_copy(update={"min": low, "max": high, "step": None})
            parameters = list(spec.parameters)
            parameters[index] = parameter.model_copy(update={"feasible_space": space})
            warning = Problem(
                f"spec.parameters[{index}].feasibleSpace",
                f"is {as_text(before.min)} to {as_text(before.max)}; as in Katib, Hyperband gives "
                f"{as_text(low)} to {as_text(high)} {name!r} whatever the range is",
            )
            return spec.model_copy(update={"parameters": tuple(parameters)}), [warning]
    return spec, []


def _is_too_narrow(parameter: Parameter, most: float, eta: float) -> bool:
    low, high = parameter.feasible_space.min, parameter.feasible_space.max
    is_range = parameter.parameter_type in (ParameterType.INT, ParameterType.DOUBLE)
    if not is_range or not isinstance(low, int | float) or not isinstance(high, int | float):
        return False
    return most >= eta > 1 and low <= high and (high < most or low > most / eta)


def _range(parameter: Parameter, most: float, eta: float) -> tuple[float, float]:
    space = parameter.feasible_space
    assert isinstance(space.min, int | float) and isinstance(space.max, int | float)
    low = space.min if 0 < space.min <= most / eta else 1
    high = max(space.max, most)
    return low, int(high) if parameter.parameter_type is ParameterType.INT else high


def _number(text: str | None) -> float | None:
    try:
        number = as_number(text) if text else None
    except ValueError:
        return None
    return number if isinstance(number, int | float) and 0 < number < 2**53 else None
