"""What the tree-structured Parzen estimator makes of the trials: one question to Optuna.

Optuna is imported with this module, which takes longer than all else of a short experiment.
"""

from __future__ import annotations

import copy
import heapq
import logging
import math
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, partial
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from hpo_lab.experiment.model import Objective, ParameterType, Value
from hpo_lab.experiment.pareto import fronts
from hpo_lab.experiment.trial import Trial, losses, objective_values, violations
from hpo_lab.search.algorithm import Ask
from hpo_lab.search.axis import Axis
from hpo_lab.search.history import Outcome, TrialMemo, outcome_of
from hpo_lab.search.space import Assignment, Space

__all__ = ["HISTORY", "most_promising"]

HISTORY = 500
"""The most finished trials that a study is made of."""

_MOST_GOOD = 25
_MOST_FRONT = HISTORY // 2
_MOST_LEVELS = 100
_EPOCH = datetime(1970, 1, 1)


def most_promising(
    ask: Ask, space: Space, options: Callable[[int], Mapping[str, Any]]
) -> Assignment:
    """The most promising of the candidates.

    Args:
        ask: The question.
        space: Its space.
        options: Those of Optuna's sampler, by the number of finished trials.
    """
    told = _memo(space, ask.spec.objective)(ask.trials)
    usable = [one for one in told if one is not None]
    study = _study(ask, options(sum(one.rank is not None for one in usable)))
    for one in _recent(usable):
        study.add_trial(one.trial)
    asked = study.ask()
    return space.assign(lambda axis: _draw(asked, axis))


def _study(ask: Ask, options: Mapping[str, Any]) -> optuna.Study:
    with _quiet():
        return optuna.create_study(
            storage=optuna.storages.InMemoryStorage(),
            sampler=optuna.samplers.TPESampler(**options),
            directions=[type.value for _, type in ask.spec.objective.objectives],
        )


_quiet_lock = threading.Lock()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep from the user what Optuna says of options and studies they did not make.

    Warning filters and log levels belong to the process: they are held for the moment a
    sampler is made, by one thread at a time, and given back.
    """
    log = logging.getLogger("optuna.storages._in_memory")
    with _quiet_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.simplefilter("ignore", FutureWarning)
        level = log.level
        log.setLevel(logging.WARNING)
        try:
            yield
        finally:
            log.setLevel(level)


def _is_indexed(axis: Axis) -> bool:
    """Whether the axis is told by the index of a value, not by the place on its interval.

    The estimator's kernels are never narrower than a hundredth of a range, so that steps
    finer than that make no difference but cost time.
    """
    if axis.parameter.parameter_type is ParameterType.CATEGORICAL:
        return True
    return axis.is_even and axis.size is not None and axis.size <= _MOST_LEVELS


def _distribution(axis: Axis) -> BaseDistribution:
    if not _is_indexed(axis):
        return FloatDistribution(0.0, 1.0)
    assert axis.size is not None
    if axis.parameter.parameter_type is ParameterType.CATEGORICAL:
        return CategoricalDistribution(range(axis.size))
    return IntDistribution(0, axis.size - 1)


def _draw(asked: optuna.Trial, axis: Axis) -> Value:
    name = axis.parameter.name
    match _distribution(axis):
        case CategoricalDistribution():
            return axis.level(asked.suggest_categorical(name, range(axis.size or 0)))
        case IntDistribution(low=low, high=high):
            return axis.level(asked.suggest_int(name, low, high))
        case _:
            return axis.value_at(asked.suggest_float(name, 0.0, 1.0))


def _coordinate(axis: Axis, value: Value) -> int | float:
    return axis.level_of(value) if _is_indexed(axis) else axis.unit_of(value)


class _Told(FrozenTrial):
    """A trial made once for many studies, each of which numbers a shallow copy of its own.

    Checking it and copying it deeply would take most of the time of a question.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> _Told:
        return copy.copy(self)

    def _validate(self) -> None:
        pass


class _Rank(NamedTuple):
    """What finished trials are sorted by, the best first."""

    broken: float
    outcome: int
    losses: tuple[float, ...]


class _Known(NamedTuple):
    """A trial, its number, and its rank where it has finished with a value."""

    number: int
    trial: FrozenTrial
    rank: _Rank | None


@lru_cache(maxsize=8)
def _memo(space: Space, objective: Objective) -> TrialMemo[_Known | None]:
    dimensions = {axis.parameter.name: _distribution(axis) for axis in space.axes}
    return TrialMemo(partial(_told, objective, space, dimensions))


def _recent(told: Sequence[_Known]) -> Sequence[_Known]:
    """The best, the running and the latest of the trials *told*, in their order."""
    ranked = [(one.rank, one) for one in told if one.rank is not None]
    if len(ranked) <= HISTORY:
        return told
    good = [one for _, one in _best(ranked)]
    running = [one for one in told if one.trial.state is OptunaState.RUNNING]
    latest = [one for _, one in ranked[_MOST_GOOD - HISTORY :]]
    chosen = {one.number: one for one in (*good, *latest, *running)}
    return sorted(chosen.values(), key=attrgetter("number"))


def _best(ranked: Sequence[tuple[_Rank, _Known]]) -> Sequence[tuple[_Rank, _Known]]:
    """Those of the trials that an estimator of the good ones may use.

    With several objectives these are the Pareto front, evenly thinned out where it is large.
    """
    if len(ranked[0][0].losses) == 1:
        return heapq.nsmallest(_MOST_GOOD, ranked, key=itemgetter(0))
    known = sorted(ranked, key=itemgetter(0))
    least = [rank.losses for rank, _ in known if rank.broken == known[0][0].broken]
    (front,) = fronts(least, 1)
    return [known[place] for place in front[:: math.ceil(len(front) / _MOST_FRONT)]]


_STATES = {
    Outcome.MEASURED: OptunaState.COMPLETE,
    Outcome.STOPPED: OptunaState.PRUNED,
    Outcome.FAILED: OptunaState.FAIL,
    Outcome.PENDING: OptunaState.RUNNING,
}


def _told(
    objective: Objective,
    space: Space,
    dimensions: Mapping[str, BaseDistribution],
    trial: Trial,
) -> _Known | None:
    """*trial* as Optuna knows it.

    A trial that was stopped early is PRUNED after as many steps as it reported: ranked
    below those that finished, and by its value among its like. With several objectives it
    counts as finished.
    """
    if space.violation(trial.assignments) is not None:
        return None
    values, loss = objective_values(objective, trial), losses(objective, trial)
    broken = violations(objective, trial)
    steps: dict[int, float] = {}
    outcome = outcome_of(trial, None if values is None else values[0])
    if outcome is Outcome.STOPPED and objective.additional_objectives:
        outcome = Outcome.MEASURED
    state = _STATES[outcome]
    rank = None
    if loss is not None and outcome in (Outcome.MEASURED, Outcome.STOPPED):
        rank = _Rank(sum(broken), outcome.value, loss)
    if state is OptunaState.PRUNED and values is not None:
        steps = {trial.metrics[objective.objective_metric_name].count: values[0]}
    axes = [axis for axis in space.axes if axis.parameter.name in trial.assignments]
    told = _Told(
        number=trial.number,
        state=state,
        value=None,
        values=values if state is OptunaState.COMPLETE else None,
        datetime_start=_EPOCH,
        datetime_complete=_EPOCH if state.is_finished() else None,
        params={
            axis.parameter.name: _coordinate(axis, trial.assignments[axis.parameter.name])
            for axis in axes
        },
        distributions={axis.parameter.name: dimensions[axis.parameter.name] for axis in axes},
        user_attrs={},
        system_attrs={},
        intermediate_values=steps,
        trial_id=0,
    )
    if state.is_finished():
        for constraint, amount in zip(objective.constraints, broken, strict=True):
            told.set_constraint(constraint.name, amount)
    return _Known(trial.number, told, rank)
