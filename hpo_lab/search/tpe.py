"""The tree-structured Parzen estimator, computed by Optuna.

Optuna is asked afresh for every trial, on a study in memory made of the trials before it;
it keeps nothing between two questions. Parameters are told as indices of their values
where these are equally likely, else by their place in the unit interval, so that every
distribution is the estimator's prior.

Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011; Watanabe,
"Tree-Structured Parzen Estimator", arXiv:2304.11127, for the multivariate form.
"""

from __future__ import annotations

import logging
import math
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

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
from hpo_lab.experiment.trial import Trial, TrialState, objective_value
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import RANDOM_STATE, Ask, Setting
from hpo_lab.search.axis import Axis
from hpo_lab.search.space import Assignment, Space

__all__ = ["TPE"]

_CANDIDATES = ("n_ei_candidates", "n_EI_candidates")
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

    def suggest(self, ask: Ask) -> Assignment | None:
        """The most promising of the candidates."""
        space = Space(ask.spec.parameters)
        study = _study(ask, _sampler_options(ask, space))
        dimensions = {axis.parameter.name: _distribution(axis) for axis in space.axes}
        for trial in ask.trials:
            if space.violation(trial.assignments) is None:
                study.add_trial(_told(ask.spec.objective, trial, space, dimensions))
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


def _sampler_options(ask: Ask, space: Space) -> dict[str, Any]:
    settings = ask.settings
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
        fraction = float(gamma)
        options["gamma"] = lambda n: min(math.ceil(fraction * math.sqrt(n)), 25)
    if (prior_weight := settings["prior_weight"]) is not None:
        options["prior_weight"] = prior_weight
    return options


def _study(ask: Ask, options: Mapping[str, Any]) -> optuna.Study:
    with _quiet():
        return optuna.create_study(
            storage=optuna.storages.InMemoryStorage(),
            sampler=optuna.samplers.TPESampler(**options),
            direction=ask.spec.objective.type.value,
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


def _distribution(axis: Axis) -> BaseDistribution:
    if not axis.is_even or axis.size is None:
        return FloatDistribution(0.0, 1.0)
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
    return axis.level_of(value) if axis.is_even else axis.unit_of(value)


class _Told(FrozenTrial):
    """A trial made for one study: the storage need not copy it, which dominates the time."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Told:
        return self


def _told(
    objective: Objective,
    trial: Trial,
    space: Space,
    dimensions: Mapping[str, BaseDistribution],
) -> FrozenTrial:
    """*trial* as Optuna knows it.

    A trial that was stopped early is PRUNED after as many steps as it reported: ranked
    below those that finished, and by its value among its like.
    """
    value = objective_value(objective, trial) if trial.is_final else None
    steps: dict[int, float] = {}
    match trial.state:
        case TrialState.SUCCEEDED if value is not None:
            state = OptunaState.COMPLETE
        case TrialState.EARLY_STOPPED if value is not None:
            state = OptunaState.PRUNED
            steps = {trial.metrics[objective.objective_metric_name].count: value}
        case TrialState.CREATED | TrialState.RUNNING:
            state = OptunaState.RUNNING
        case _:
            state = OptunaState.FAIL
    axes = [axis for axis in space.axes if axis.parameter.name in trial.assignments]
    return _Told(
        number=trial.number,
        state=state,
        value=value if state is OptunaState.COMPLETE else None,
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
