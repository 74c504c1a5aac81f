"""Questions to early stopping rules, from plain lists of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import TrialState
from hpo_lab.stopping.curve import Curve
from hpo_lab.stopping.rule import EarlyStoppingRule, Progress, Question, get_rule, settings_of

Values = Sequence[float] | Sequence[tuple[int | None, float]]


def experiment(
    rule: str, type: str = "maximize", strategy: str | None = None, **settings: Any
) -> ExperimentSpec:
    given = [{"name": name, "value": str(value)} for name, value in settings.items()]
    objective: dict[str, Any] = {"type": type, "objectiveMetricName": "score"}
    if strategy is not None:
        objective["metricStrategies"] = [{"name": "score", "value": strategy}]
    space = {"min": "0", "max": "1"}
    return ExperimentSpec.model_validate(
        {
            "objective": objective,
            "algorithm": {"algorithmName": "random"},
            "earlyStopping": {"algorithmName": rule, "algorithmSettings": given},
            "parameters": [{"name": "x", "parameterType": "double", "feasibleSpace": space}],
        }
    )


def progress(spec: ExperimentSpec, values: Values, state: TrialState) -> Progress:
    points = [one if isinstance(one, tuple) else (None, one) for one in values]
    curve = Curve(spec.objective.strategy("score")).then(points)
    return Progress(spec, settings_of(rule_of(spec), spec), 0, state, curve)


def rule_of(spec: ExperimentSpec) -> EarlyStoppingRule:
    assert spec.early_stopping is not None
    return get_rule(spec.early_stopping.algorithm_name)


def reason(
    spec: ExperimentSpec,
    values: Values,
    others: Sequence[Values] | Mapping[int, Progress] = (),
    *,
    number: int | None = None,
) -> str | None:
    """Why a running trial with *values* is stopped, where the *others* have succeeded."""
    known = dict(others) if isinstance(others, Mapping) else {}
    if not isinstance(others, Mapping):
        known = {n: progress(spec, v, TrialState.SUCCEEDED) for n, v in enumerate(others)}
    mine = len(known) if number is None else number
    rule = rule_of(spec)
    for other, one in known.items():
        if one.state.is_final:
            rule.tell(replace(one, number=other))
    running = {n: one.curve for n, one in known.items() if one.state is TrialState.RUNNING}
    asked = progress(spec, values, TrialState.RUNNING)
    return rule.should_stop(Question(spec, asked.settings, mine, asked.state, asked.curve, running))
