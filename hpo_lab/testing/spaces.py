"""Search spaces and outcomes of trials drawn at random, those that are rare in use included."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

from hpo_lab.experiment.model import (
    Distribution,
    FeasibleSpace,
    Objective,
    Parameter,
    ParameterType,
    Value,
)
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.axis import Axis

__all__ = ["random_outcome", "random_space"]

_VALUES: Sequence[Value] = (0, 1, 1.0, 0.5, -3, True, False, None, "", "a", "b", "True")
_NUMBERS = (math.nan, math.inf, -math.inf, 0.0, 1e300, -1e300)


def random_space(rng: random.Random, *, finite: bool = False) -> tuple[Parameter, ...]:
    """One to three parameters of any type, some of them with a condition.

    Args:
        rng: What draws.
        finite: Whether every parameter has a finite number of values.
    """
    parameters: list[Parameter] = []
    for index in range(rng.randint(1, 3)):
        when = None
        if parameters and rng.random() < 0.5:
            other = rng.choice(parameters)
            value = Axis(other).value_at(rng.random())
            when = f"{other.name} {rng.choice(['==', '!=', '<'])} {value!r}"
        kind = rng.choice(list(ParameterType))
        parameters.append(
            Parameter(
                name=f"p{index}",
                when=when,
                parameter_type=kind,
                feasible_space=_feasible_space(rng, kind, finite=finite),
            )
        )
    rng.shuffle(parameters)
    return tuple(parameters)


def _feasible_space(rng: random.Random, kind: ParameterType, *, finite: bool) -> FeasibleSpace:
    if kind is ParameterType.DISCRETE:
        return FeasibleSpace(list=tuple(rng.sample(range(-9, 10), rng.randint(1, 4))))
    if kind is ParameterType.CATEGORICAL:
        return FeasibleSpace(list=tuple(rng.sample(_VALUES, rng.randint(1, 4))))
    distribution = rng.choice(list(Distribution))
    low: float
    high: float
    step: float | None
    if kind is ParameterType.INT:
        low = rng.randint(1 if distribution.is_log else -9, 9)
        high = low + rng.randint(0, 6)
        step = rng.choice([None, 1, 2, 3])
    else:
        low = rng.choice([1e-5, 0.1, 0.3, 2.0] if distribution.is_log else [-1.5, 0.0, 0.1, 2.0])
        high = low + rng.choice([0.0, 0.7, 1.0, 3.0])
        step = rng.choice([0.1, 0.25, 0.3, 1.0] if finite else [0.1, 0.3, None, None])
    return FeasibleSpace(min=low, max=high, step=step, distribution=distribution)


def random_outcome(rng: random.Random, trial: Trial, objective: Objective) -> Trial:
    """*trial* in any state, with a number, none, NaN or an infinity for each of its metrics."""
    names = dict.fromkeys(
        [*objective.metric_names, *(constraint.name for constraint in objective.constraints)]
    )
    metrics = {
        name: Metric.single(rng.choice([rng.gauss(0, 1), rng.gauss(0, 1), rng.choice(_NUMBERS)]))
        for name in names
        if rng.random() < 0.8
    }
    state = rng.choice([TrialState.SUCCEEDED, rng.choice(list(TrialState))])
    return replace(trial, state=state, metrics={} if state is TrialState.CREATED else metrics)
