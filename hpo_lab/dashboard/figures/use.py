"""Which figures have something to say of an experiment."""

from __future__ import annotations

from itertools import islice
from typing import Final

from hpo_lab.dashboard.figures.data import ExperimentData
from hpo_lab.dashboard.figures.influence import LEAST
from hpo_lab.experiment.trial import TrialState

__all__ = ["is_of_use"]

_ALGORITHMS: Final = {
    "rungs": ("hyperband", "asha", "bohb", "successivehalving"),
    "lineage": ("pbt",),
}


def is_of_use(name: str, data: ExperimentData) -> bool:
    """Whether the figure *name* says more of the experiment than why it is empty.

    A figure of another package is taken to be of use.
    """
    match name:
        case "rungs" | "lineage":
            return data.spec.algorithm.algorithm_name in _ALGORITHMS[name]
        case "pareto":
            return bool(data.objective.additional_objectives)
        case "constraints":
            return bool(data.objective.constraints)
        case "curves":
            return any(len(steps) > 1 for steps in data.curves.values())
        case "contour":
            return len(data.parameters) > 1
        case "importances":
            ended = (row for row in data.valued if row.trial.state is TrialState.SUCCEEDED)
            return len(data.parameters) > 1 and sum(1 for _ in islice(ended, LEAST)) == LEAST
    return True
