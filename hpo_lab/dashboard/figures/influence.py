"""Which parameters matter, for the order of panels: quick, and without Optuna.

The measure is the correlation ratio of ranks: which share of the variation of the trials' ranks
lies between the values of a parameter, in a few classes of equal size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from hpo_lab.dashboard.figures.axes import ParameterAxis, is_finite
from hpo_lab.dashboard.figures.data import ExperimentData, Row
from hpo_lab.dashboard.figures.marks import thinned
from hpo_lab.experiment.model import Parameter

__all__ = ["chosen_parameters", "influence"]

_CLASSES = 6
_TRIALS = 1000
LEAST = 10
"""From so many results on parameters are put in an order."""


def chosen_parameters(data: ExperimentData, most: int) -> list[Parameter]:
    """At most *most* parameters: those that a person named, else those that matter most.

    Before ten results these are the first ones. A parameter that no trial has is left out.
    """
    if data.focus:
        return [data.parameters[name] for name in data.focus if name in data.parameters][:most]
    used: set[str] = set()
    for row in data.rows:
        used.update(row.trial.assignments)
        if used >= data.parameters.keys():
            break
    parameters = [each for each in data.parameters.values() if each.name in used]
    if len(data.valued) >= LEAST:
        rows = thinned(data.valued, most=_TRIALS)
        shares = {parameter.name: influence(rows, parameter) for parameter in parameters}
        # Parameters of one share keep their order.
        parameters.sort(key=lambda parameter: -shares[parameter.name])
    return parameters[:most]


def influence(valued: Sequence[Row], parameter: Parameter) -> float:
    """How much *parameter* explains of the variation of the ranks of *valued*, from 0 to 1."""
    rows = [row for row in valued if parameter.name in row.trial.assignments]
    if len(rows) < 2:
        return 0.0
    order = sorted(range(len(rows)), key=lambda place: rows[place].value or 0.0)
    middle = (len(rows) - 1) / 2
    ranks = [0.0] * len(rows)
    for height, place in enumerate(order):
        ranks[place] = height - middle
    total = sum(rank * rank for rank in ranks)
    classes: dict[object, list[float]] = defaultdict(list)
    for label, rank in zip(_classes(parameter, rows), ranks, strict=True):
        classes[label].append(rank)
    between = sum(sum(group) ** 2 / len(group) for group in classes.values())
    # Chance alone explains as much as there are classes, and often twice that.
    chance = 2 * (len(classes) - 1) / (len(rows) - 1)
    share = max(0.0, between / total - chance) if total else 0.0
    # A parameter that few trials have moves few of them.
    return share * len(rows) / len(valued)


def _classes(parameter: Parameter, rows: Sequence[Row]) -> list[object]:
    """The class of each trial by its value of *parameter*."""
    values = [row.trial.assignments[parameter.name] for row in rows]
    axis = ParameterAxis(parameter, values)
    if axis.choices is not None or not all(map(is_finite, values)):
        return [repr(value) for value in values]
    order = sorted(range(len(values)), key=lambda place: values[place])  # type: ignore[arg-type,return-value]
    labels: list[object] = [0] * len(values)
    for rank, place in enumerate(order):
        labels[place] = rank * _CLASSES // len(values)
    return labels
