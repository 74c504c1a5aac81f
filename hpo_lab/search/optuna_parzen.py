"""An adapter to Optuna: one question to its tree-structured Parzen estimator.

Optuna is imported with this module, which takes longer than all else of a short experiment.
"""

from __future__ import annotations

import copy
import logging
import math
import threading
import warnings
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, partial
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
from hpo_lab.search.samples import Remembered, SampleOutcome, outcome_of
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
    objective = ask.spec.objective
    recent = ask.history.index(_Recent, space, objective)
    told = _told_once(space, objective)
    study = _study(ask, options(recent.finished))
    for number in recent.numbers():
        study.add_trial(told(ask.history[number]))
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


class _Recent:
    """The index of the trials that a study is made of: the best, the running and the latest.

    Args:
        space: Trials outside it do not count.
        objective: Ranks them.
    """

    def __init__(self, space: Space, objective: Objective) -> None:
        self._space = space
        self._objective = objective
        # By number, in order. All ranks by number, and with their numbers sorted by rank.
        self._usable: dict[int, SampleOutcome] = {}
        self._running: set[int] = set()
        self._ranks: dict[int, _Rank] = {}
        self._ranked: list[tuple[_Rank, int]] = []
        self._finished: list[int] = []

    @property
    def finished(self) -> int:
        """The number of trials that have finished with a value."""
        return len(self._finished)

    def put(self, trial: Trial, before: Trial | None) -> None:
        """Take in a trial."""
        number = trial.number
        if before is None and self._space.violation(trial.assignments) is not None:
            return
        if before is not None and number not in self._usable:
            return
        outcome = _outcome(self._objective, trial)
        self._usable[number] = outcome
        self._running.discard(number)
        if number in self._ranks:
            entry = self._ranks.pop(number), number
            del self._ranked[bisect_left(self._ranked, entry)]
            del self._finished[bisect_left(self._finished, number)]
        if outcome is SampleOutcome.PENDING:
            self._running.add(number)
        loss = losses(self._objective, trial)
        if loss is not None and outcome in (SampleOutcome.MEASURED, SampleOutcome.STOPPED):
            rank = _Rank(sum(violations(self._objective, trial)), outcome.value, loss)
            self._ranks[number] = rank
            insort(self._ranked, (rank, number))
            insort(self._finished, number)

    def numbers(self) -> Sequence[int]:
        """The numbers of the best, the running and the latest trials, sorted."""
        if len(self._finished) <= HISTORY:
            return list(self._usable)
        latest = self._finished[_MOST_GOOD - HISTORY :]
        return sorted({*self._best(), *latest, *self._running})

    def _best(self) -> Sequence[int]:
        """Those that an estimator of the good trials may use.

        With several objectives these are the Pareto front, evenly thinned out where it is
        large.
        """
        first, _ = self._ranked[0]
        if len(first.losses) == 1:
            return [number for _, number in self._ranked[:_MOST_GOOD]]
        least = [rank.losses for rank, _ in self._ranked if rank.broken == first.broken]
        (front,) = fronts(least, 1)
        return [self._ranked[place][1] for place in front[:: math.ceil(len(front) / _MOST_FRONT)]]


def _outcome(objective: Objective, trial: Trial) -> SampleOutcome:
    """The outcome of *trial*: with several objectives an early stopped one is measured."""
    values = objective_values(objective, trial)
    outcome = outcome_of(trial, None if values is None else values[0])
    if outcome is SampleOutcome.STOPPED and objective.additional_objectives:
        return SampleOutcome.MEASURED
    return outcome


_STATES = {
    SampleOutcome.MEASURED: OptunaState.COMPLETE,
    SampleOutcome.STOPPED: OptunaState.PRUNED,
    SampleOutcome.FAILED: OptunaState.FAIL,
    SampleOutcome.PENDING: OptunaState.RUNNING,
}


@lru_cache(maxsize=8)
def _told_once(space: Space, objective: Objective) -> Remembered[FrozenTrial]:
    dimensions = {axis.parameter.name: _distribution(axis) for axis in space.axes}
    return Remembered(partial(_told, objective, space, dimensions))


def _told(
    objective: Objective, space: Space, dimensions: Mapping[str, BaseDistribution], trial: Trial
) -> FrozenTrial:
    """*trial* as Optuna is told of it.

    A trial that was stopped early is PRUNED after as many steps as it reported: ranked
    below those that finished, and by its value among its like. With several objectives it
    counts as finished.
    """
    values, state = objective_values(objective, trial), _STATES[_outcome(objective, trial)]
    steps: dict[int, float] = {}
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
        for constraint, amount in zip(
            objective.constraints, violations(objective, trial), strict=True
        ):
            told.set_constraint(constraint.name, amount)
    return told
