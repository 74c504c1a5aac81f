"""Which figures have something to say of an experiment."""

from __future__ import annotations

from itertools import islice
from typing import Final

from hpo_lab.dashboard.figures.data import ExperimentData, Row
from hpo_lab.dashboard.figures.influence import LEAST
from hpo_lab.dashboard.figures.marks import thinned
from hpo_lab.experiment.trial import TrialState

__all__ = ["is_of_use"]

_ALGORITHMS: Final = {
    "rungs": ("hyperband", "asha", "bohb", "successivehalving"),
    "lineage": ("pbt",),
}
_RULES = ("asha", "hyperband")
_CURVES = 120
"""So many trials that reported more than once are looked at."""


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
            rows = [row for row in data.rows if _count(row, data.metric) > 1]
            numbers = [row.number for row in thinned(rows, most=_CURVES)]
            curves = data.read_curves(data.metric, numbers) if numbers else {}
            return any(len(curve) > 1 for curve in curves.values())
        case "contour":
            return len(data.parameters) > 1
        case "importances":
            ended = (row for row in data.valued if row.trial.state is TrialState.SUCCEEDED)
            return len(data.parameters) > 1 and sum(1 for _ in islice(ended, LEAST)) == LEAST
    return True


def _count(row: Row, metric: str) -> int:
    """How many values of *metric* a trial has reported."""
    summary = row.trial.metrics.get(metric)
    return 0 if summary is None else summary.count
