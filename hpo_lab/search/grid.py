"""Grid search: every assignment once, in the order of the parameters, the last fastest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from hpo_lab.experiment.model import ExperimentSpec, ParameterType
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import RANDOM_STATE, Algorithm, Ask, Setting
from hpo_lab.search.space import Assignment, Space

__all__ = ["Grid"]


class Grid(Algorithm):
    """Trial `n` gets the assignment number `n` of the space, until there is none left."""

    name = "grid"
    # Katib's manifests may set it; a grid in order has no use for it.
    settings: ClassVar[Mapping[str, Setting]] = {"random_state": RANDOM_STATE}
    uses_history = False

    def suggest(self, ask: Ask) -> Assignment | None:
        """The next assignment of the grid; None behind the last."""
        space = Space.of(ask.spec.parameters)
        total = space.cardinality
        if total is None:
            raise ValueError("a continuous parameter has no grid; give it a step")
        index = ask.index
        return space.assignment_at(index) if index < total else None

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """A problem for each continuous parameter without a step."""
        return [
            Problem(
                f"spec.parameters[{index}].feasibleSpace.step",
                f"is missing; grid search needs a step for {parameter.name!r}, "
                "which is of type double",
            )
            for index, parameter in enumerate(spec.parameters)
            if parameter.parameter_type is ParameterType.DOUBLE
            and not parameter.feasible_space.step
            and parameter.feasible_space.min != parameter.feasible_space.max
        ]
