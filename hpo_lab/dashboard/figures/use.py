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
_RULES = ("asha", "hyperband")


def is_of_use(name: str, data: ExperimentData) -> bool:
    """Whether the figure *name* says more of the experiment than why it is empty.

    A figure of another package is taken to be of use.
    """
    match name:
        case "rungs" | "lineage":
            rule = data.spec.early_stopping.algorithm_name if data.spec.early_stopping else ""
            has_rungs = name == "rungs" and rule in _RULES
            return has_rungs or data.spec.algorithm.algorithm_name in _ALGORITHMS[name]
        case "pareto":
            return bool(data.objective.additional_objectives)
        case "constraints":
            return bool(data.objective.constraints)
        case "curves":
            # To read what was reported takes long where there are very many trials.
            metrics = (trial.metrics.get(data.metric) for trial in data.trials)
            may_be = any(metric is not None and metric.count > 1 for metric in metrics)
            return may_be and any(len(steps) > 1 for steps in data.curves.values())
        case "contour":
            return len(data.parameters) > 1
        case "importances":
            ended = (row for row in data.valued if row.trial.state is TrialState.SUCCEEDED)
            return len(data.parameters) > 1 and sum(1 for _ in islice(ended, LEAST)) == LEAST
    return True
