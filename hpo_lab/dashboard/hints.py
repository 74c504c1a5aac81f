"""What a person should be told of the trials: a best value at its bound, failures alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hpo_lab.dashboard.html import at_bound
from hpo_lab.dashboard.scale import position
from hpo_lab.dashboard.words import number
from hpo_lab.experiment.model import Parameter, Value
from hpo_lab.experiment.parameter import Distribution, ParameterType
from hpo_lab.experiment.trial import FAILURES, Trial
from hpo_lab.facade.summary import Summary
from hpo_lab.facade.tally import Tally

__all__ = ["AtBound", "FailureGroup", "failure_groups", "in_common", "values_at_bounds"]

_RESULTS = 10
"""So many trials must have a value before the place of the best one says anything."""
_WIDER_BY = 4
_GROUPS = 3
_LATEST = 500
"""Trials that are compared, the latest: what fails now is what a person mends."""
_CHANCE = 0.02
"""How probable it may be at most that trials differ like this for no reason."""


@dataclass(frozen=True, slots=True)
class AtBound:
    """A parameter whose best value is at a bound of its range.

    Attributes:
        name: The parameter.
        value: Its best value.
        bound: `upper` or `lower`.
        wider: An annotation with a wider range; empty where none is known to make sense.
    """

    name: str
    value: Value
    bound: str
    wider: str = ""


def values_at_bounds(summary: Summary, tally: Tally) -> list[AtBound]:
    """The parameters whose best value, that of one objective, is at a bound of the range."""
    best = summary.best
    ended = sum(1 for _, _ in zip(tally.ranked(), range(_RESULTS), strict=False))
    if best is None or summary.front or ended < _RESULTS:
        return []
    hints = []
    for parameter in summary.spec.parameters:
        value = best.parameters.get(parameter.name)
        place = position(parameter, value)
        if place is None or value is None or not at_bound(place) or _is_short(parameter):
            continue
        bound = "upper" if place > 0.5 else "lower"
        hints.append(AtBound(parameter.name, value, bound, _wider(parameter, bound)))
    return hints


def _is_short(parameter: Parameter) -> bool:
    """Whether it has so few values that a bound is an ordinary one."""
    space = parameter.feasible_space
    assert space.min is not None and space.max is not None
    step = space.step or (1 if parameter.parameter_type is ParameterType.INT else 0)
    return bool(step) and (space.max - space.min) / step < 4


def _wider(parameter: Parameter, bound: str) -> str:
    """The annotation of a range that is four times as wide towards *bound*.

    A bound of 0, and one of 1 above 0, are most often those of what there can be: shares and
    probabilities. None is proposed beyond them, nor for a distribution with its mean in the
    middle, which would move.
    """
    space = parameter.feasible_space
    low, high = space.min, space.max
    if low is None or high is None or space.step is not None:
        return ""
    if parameter.distribution not in (Distribution.UNIFORM, Distribution.LOG_UNIFORM):
        return ""
    is_whole = parameter.parameter_type is ParameterType.INT
    if parameter.distribution.is_log:
        low, high = (low, high * _WIDER_BY) if bound == "upper" else (low / _WIDER_BY, high)
    elif (bound == "lower" and low >= 0) or (bound == "upper" and high == 1 and low >= 0):
        return ""
    else:
        more = (_WIDER_BY - 1) * (high - low)
        low, high = (low, high + more) if bound == "upper" else (low - more, high)
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    if is_whole:
        low, high = max(1, round(low)) if parameter.distribution.is_log else round(low), round(high)
    else:
        low, high = float(f"{low:.6g}"), float(f"{high:.6g}")
    if low >= high:
        return ""
    from hpo_lab.notebook.annotation_text import annotation

    wider = space.model_copy(update={"min": low, "max": high})
    return f"# tune: {annotation(parameter.model_copy(update={'feasible_space': wider}))}"


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Trials that failed with the same message.

    Attributes:
        message: Why they failed, in a line.
        numbers: The trials, in order.
        in_common: What they have in common and no successful trial has; empty for nothing.
    """

    message: str
    numbers: tuple[int, ...]
    in_common: str = ""


def failure_groups(summary: Summary, tally: Tally, most: int = _GROUPS) -> list[FailureGroup]:
    """The trials that failed, by message, the largest group first; at most *most* groups."""
    if not summary.failed:
        return []
    failed: dict[str, list[Trial]] = {}
    ended: list[Trial] = []
    for trial in tally.latest(len(tally.trials)):
        if trial.state in FAILURES:
            failed.setdefault(trial.message, []).append(trial)
        elif trial.state.is_final and len(ended) < _LATEST:
            ended.append(trial)
    groups = sorted(failed.items(), key=lambda item: -len(item[1]))[:most]
    return [
        FailureGroup(
            message,
            tuple(trial.number for trial in reversed(trials)),
            in_common(summary.spec.parameters, trials[:_LATEST], ended),
        )
        for message, trials in groups
    ]


def in_common(
    parameters: Sequence[Parameter], failed: Sequence[Trial], ended: Sequence[Trial]
) -> str:
    """The values that all *failed* trials have and none of the *ended* ones, as a condition.

    `learning_rate > 0.06`, `optimizer = adam or rmsprop`; empty where there is none, or where
    so few trials would differ like this by chance.
    """
    few = min(len(failed), len(ended))
    # So many ways there are to mix the two kinds; for each parameter two tell them apart.
    if not few or 2 * len(parameters) / math.comb(len(failed) + len(ended), few) > _CHANCE:
        return ""
    for parameter in parameters:
        bad = [trial.assignments.get(parameter.name) for trial in failed]
        good = [trial.assignments.get(parameter.name) for trial in ended]
        # A parameter that is not active in all of them divides nothing.
        if None not in bad and None not in good:
            condition = _apart(parameter, bad, good)
            if condition:
                return condition
    return ""


def _apart(parameter: Parameter, bad: Sequence[Value | None], good: Sequence[Value | None]) -> str:
    """The condition that all of *bad* fulfil and none of *good*, empty for none."""
    if parameter.parameter_type in (ParameterType.CATEGORICAL, ParameterType.DISCRETE):
        choices = list(dict.fromkeys(bad))
        if set(choices) & set(good):
            return ""
        return f"{parameter.name} = {' or '.join(number(value) for value in choices)}"
    worst = [float(value) for value in bad if isinstance(value, int | float)]
    fine = [float(value) for value in good if isinstance(value, int | float)]
    if min(worst) > max(fine):
        return f"{parameter.name} ≥ {number(min(worst))}"
    return f"{parameter.name} ≤ {number(max(worst))}" if max(worst) < min(fine) else ""
