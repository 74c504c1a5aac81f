"""Trials of another experiment, as a search over this one's space can learn from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.experiment.trial import MEASURED, Trial, objective_values
from hpo_lab.search.axis import Axis
from hpo_lab.search.space import Assignment, Space

__all__ = ["transferred"]


def transferred(spec: ExperimentSpec, trials: Sequence[Trial]) -> list[Trial]:
    """Those of the *trials* of another experiment that *spec* can learn from.

    A trial counts when it has a value of each objective and lies in the space. Parameters
    that the space does not have are dropped. One that the trial did not have gets its only
    value where there is just one, else that of the first initial point, which for a notebook
    is what the cell itself assigns; without either the trial is left out, and so is one that
    shares no parameter with the space.
    """
    return [
        replace(trial, assignments=assignment, parent=None, labels={})
        for trial, assignment in _placed(spec, trials)
        if trial.state in MEASURED and objective_values(spec.objective, trial) is not None
    ]


def _placed(spec: ExperimentSpec, trials: Sequence[Trial]) -> Iterator[tuple[Trial, Assignment]]:
    space = Space.of(spec.parameters)
    usual = {axis.parameter.name: axis.level(0) for axis in space.axes if axis.size == 1}
    if spec.initial_points:
        usual |= spec.initial_points[0]
    names = {parameter.name for parameter in spec.parameters}
    for trial in trials:
        if names.isdisjoint(trial.assignments):
            continue
        try:
            assignment = space.assign(partial(_value, {**usual, **trial.assignments}))
        except KeyError:
            continue
        if space.violation(assignment) is None:
            yield trial, assignment


def _value(values: Mapping[str, Value], axis: Axis) -> Value:
    return values[axis.parameter.name]
