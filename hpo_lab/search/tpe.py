"""The tree-structured Parzen estimator, computed by Optuna.

Optuna is asked afresh for every trial, on a study in memory made of the trials before it;
it keeps nothing between two questions. Beyond `HISTORY` trials the study holds the best,
the running and the latest ones: the estimator of the good trials uses no more than the 25
best, and that of the others weighs old ones little. Parameters are told as indices of
their values where these are few and equally likely, else by their place in the unit
interval, so that every distribution is the estimator's prior.

Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011; Watanabe,
"Tree-Structured Parzen Estimator", arXiv:2304.11127, for the multivariate form.
"""

from __future__ import annotations

import copy
import heapq
import logging
import math
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, partial
from operator import attrgetter, itemgetter
from typing import Any, ClassVar, NamedTuple

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from hpo_lab.experiment.model import ExperimentSpec, Objective, ParameterType, Value
from hpo_lab.experiment.pareto import fronts
from hpo_lab.experiment.trial import Trial, losses, objective_values, violations
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import RANDOM_STATE, Ask, Setting
from hpo_lab.search.axis import Axis
from hpo_lab.search.history import Outcome, TrialMemo, outcome_of
from hpo_lab.search.space import Assignment, Space

__all__ = ["HISTORY", "TPE", "MultivariateTPE"]

HISTORY = 500
"""The most finished trials that a study is made of."""

_CANDIDATES = ("n_ei_candidates", "n_EI_candidates")
_MOST_GOOD = 25
_MOST_FRONT = HISTORY // 2
_MOST_LEVELS = 100
_EPOCH = datetime(1970, 1, 1)


class TPE:
    """Draws where good trials are dense and others are not.

    Running trials count as bad ones, so that trials asked for together keep apart.
    """

    name = "tpe"
    settings: ClassVar[Mapping[str, Setting]] = {
        "n_startup_trials": Setting(
            int, "Random trials before the first estimate.", default=10, minimum=0
        ),
        "n_ei_candidates": Setting(
            int, "Candidates per trial, of which the best is taken; 24.", minimum=1
        ),
        "n_EI_candidates": Setting(int, "Hyperopt's spelling of n_ei_candidates.", minimum=1),
        "gamma": Setting(
            float,
            "The best gamma * sqrt(n) of n trials, at most 25, count as good; "
            "without it n / 10 do.",
            minimum=0,
            maximum=1,
            exclusive=True,
        ),
        "prior_weight": Setting(
            float,
            "Weight of the parameters' distributions beside one trial; 1.",
            minimum=0,
            exclusive=True,
        ),
        "multivariate": Setting(
            bool, "Whether dependencies between parameters are modelled.", default=True
        ),
        "random_state": RANDOM_STATE,
    }
    uses_history = True
    several_objectives = True

    def suggest(self, ask: Ask) -> Assignment | None:
        """The most promising of the candidates."""
        space = Space.of(ask.spec.parameters)
        told = _memo(space, ask.spec.objective)(ask.trials)
        usable = [one for one in told if one is not None]
        finished = sum(one.rank is not None for one in usable)
        study = _study(ask, _sampler_options(ask, space, finished))
        for one in _recent(usable):
            study.add_trial(one.trial)
        asked = study.ask()
        return space.assign(lambda axis: _draw(asked, axis))

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """A problem where one setting is given in both of its spellings."""
        given = [setting.name for setting in spec.algorithm.algorithm_settings]
        if not set(_CANDIDATES) <= set(given):
            return []
        where = max(given.index(name) for name in _CANDIDATES)
        return [
            Problem(
                f"spec.algorithm.algorithmSettings[{where}].name",
                f"{given[where]!r} repeats a setting; give one of {' and '.join(_CANDIDATES)}",
            )
        ]


class MultivariateTPE(TPE):
    """`TPE` under the name, and with the settings, that Katib has for its multivariate form."""

    name = "multivariate-tpe"
    settings: ClassVar[Mapping[str, Setting]] = {
        name: TPE.settings[name] for name in ("n_startup_trials", "n_ei_candidates", "random_state")
    }


def _sampler_options(ask: Ask, space: Space, finished: int) -> dict[str, Any]:
    settings = dict.fromkeys(TPE.settings) | {"multivariate": True} | dict(ask.settings)
    candidates = [settings[name] for name in _CANDIDATES if settings[name] is not None]
    options: dict[str, Any] = {
        "seed": ask.seed,
        "n_startup_trials": settings["n_startup_trials"],
        "n_ei_candidates": candidates[0] if candidates else 24,
        "multivariate": settings["multivariate"],
        "group": settings["multivariate"] and space.is_conditional,
        "constant_liar": True,
    }
    if (gamma := settings["gamma"]) is not None:
        good = min(math.ceil(float(gamma) * math.sqrt(finished)), _MOST_GOOD)
        options["gamma"] = lambda _: good
    if (prior_weight := settings["prior_weight"]) is not None:
        options["prior_weight"] = prior_weight
    return options


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
