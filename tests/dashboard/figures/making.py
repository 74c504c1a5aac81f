"""Experiments whose figures are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hpo_lab.dashboard.figures import ExperimentData
from hpo_lab.dashboard.figures.data import Curves
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.trial import Metric, Trial, TrialState

SPACE: Sequence[Mapping[str, Any]] = (
    {
        "name": "lr",
        "parameterType": "double",
        "feasibleSpace": {"min": 1e-4, "max": 0.1, "distribution": "logUniform"},
    },
    {"name": "layers", "parameterType": "int", "feasibleSpace": {"min": 1, "max": 4}},
    {
        "name": "opt",
        "parameterType": "categorical",
        "feasibleSpace": {"list": ["adam", "sgd", True, 1]},
    },
    {
        "name": "momentum",
        "parameterType": "double",
        "when": 'opt == "sgd"',
        "feasibleSpace": {"min": 0.5, "max": 0.9},
    },
)


def data(
    trials: Sequence[Trial],
    *,
    type: str = "minimize",
    parameters: Sequence[Mapping[str, Any]] = SPACE,
    curves: Curves | None = None,
    objective: Mapping[str, Any] | None = None,
    now: float | None = None,
    algorithm: str = "random",
    **spec: Any,
) -> ExperimentData:
    """The data of an experiment with these *trials*, whose objective is a loss."""
    document = ExperimentDocument.model_validate(
        {
            "metadata": {"name": "digits"},
            "spec": {
                "parameters": list(parameters),
                "objective": {"type": type, "objectiveMetricName": "loss", **(objective or {})},
                "algorithm": {"algorithmName": algorithm},
                **spec,
            },
        }
    )
    return ExperimentData(document, trials, lambda metric, numbers: curves or {}, now=now)


def trial(
    number: int,
    value: float | None = None,
    state: TrialState = TrialState.SUCCEEDED,
    *,
    metrics: Mapping[str, float] | None = None,
    assignments: Mapping[str, Any] | None = None,
    **more: Any,
) -> Trial:
    """A trial with *value* as its loss, and beside it *metrics*."""
    values = {**({} if value is None else {"loss": value}), **(metrics or {})}
    return Trial(
        number,
        assignments if assignments is not None else {"lr": 0.01, "layers": 2, "opt": "adam"},
        state,
        {name: Metric.single(each) for name, each in values.items()},
        **more,
    )


def trace(figure: Any, name: str) -> dict[str, Any]:
    """The trace of a figure that has this name."""
    (single,) = [each for each in figure.traces if each.get("name") == name]
    result: dict[str, Any] = single
    return result
