"""Experiments to and from studies in an Optuna storage, for those who use its tools.

The store stays the record: a study is a copy, made once.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as StudyTrialState

from hpo_lab.experiment.model import (
    AlgorithmSpec,
    Distribution,
    ExperimentDocument,
    ExperimentSpec,
    FeasibleSpace,
    Metadata,
    Objective,
    ObjectiveType,
    Parameter,
    ParameterType,
    Value,
)
from hpo_lab.experiment.trial import Trial, TrialState, objective_values, trial_name, violations
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["copy_to_study", "experiment_of_study", "study_of"]

_STATES = {
    TrialState.SUCCEEDED: StudyTrialState.COMPLETE,
    TrialState.EARLY_STOPPED: StudyTrialState.PRUNED,
    TrialState.RUNNING: StudyTrialState.RUNNING,
}


def study_of(
    experiment: ExperimentDocument,
    trials: Iterable[Trial],
    curves: Mapping[int, Mapping[int, float]],
    storage: str | None = None,
) -> optuna.Study:
    """A new study with the *trials* that have started, called as the experiment.

    Args:
        experiment: The experiment.
        trials: Its trials.
        curves: What they reported of the first objective, by trial and step.
        storage: URL of an Optuna storage; by default the study is in memory, and only there
            may a trial still run.
    """
    objective = experiment.spec.objective
    verbosity = optuna.logging.get_verbosity()
    # It would tell that a study was created.
    optuna.logging.set_verbosity(max(verbosity, optuna.logging.WARNING))
    try:
        study = optuna.create_study(
            storage=storage,
            study_name=experiment.name,
            directions=[type.value for _, type in objective.objectives],
        )
    finally:
        optuna.logging.set_verbosity(verbosity)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([name for name, _ in objective.objectives])
        study.add_trials(
            _frozen(experiment, trial, curves.get(trial.number, {}))
            for trial in sorted(trials, key=lambda trial: trial.number)
            if trial.is_final or (storage is None and trial.state is TrialState.RUNNING)
        )
    return study


def copy_to_study(
    experiment: ExperimentDocument,
    trials: Iterable[Trial],
    storage: str,
    curves: Mapping[int, Mapping[int, float]] | None = None,
) -> int:
    """Write the ended *trials* into a new study, called as the experiment.

    Args:
        experiment: The experiment.
        trials: Its trials.
        storage: URL of the Optuna storage.
        curves: What they reported of the first objective, by trial and step.

    Returns:
        How many trials were written.

    Raises:
        InvalidInput: The storage has a study of that name, or cannot be used.
    """
    try:
        study = study_of(experiment, trials, curves or {}, storage)
    except optuna.exceptions.DuplicatedStudyError:
        message = f"has a study called {experiment.name!r} already"
        raise InvalidInput([Problem("--storage", message)]) from None
    except Exception as error:
        raise InvalidInput([Problem("--storage", _first_line(error))]) from None
    return len(study.trials)


def experiment_of_study(storage: str, name: str) -> ExperimentDocument:
    """The search that a study made, as an experiment without a trial template.

    The parameters are those its trials have; its best assignment is the first one to be
    tried.

    Args:
        storage: URL of the Optuna storage.
        name: The study.

    Raises:
        InvalidInput: There is no such study, or it has several objectives or no trials.
    """
    try:
        names = optuna.get_all_study_names(storage)
    except Exception as error:
        raise InvalidInput([Problem("--storage", _first_line(error))]) from None
    if name not in names:
        message = f"no such study; known are {', '.join(names) or 'none'}{nearest(name, names)}"
        raise InvalidInput([Problem(name, message)])
    study = optuna.load_study(study_name=name, storage=storage)
    if len(study.directions) != 1:
        raise InvalidInput([Problem(name, "has several objectives; one is needed")])
    distributions: dict[str, BaseDistribution] = {}
    for trial in study.trials:
        distributions |= trial.distributions
    if not distributions:
        raise InvalidInput([Problem(name, "has no trials that tell its parameters")])
    done = [trial for trial in study.trials if trial.state is StudyTrialState.COMPLETE]
    # A trial without one of the parameters is no assignment of this space.
    whole = [trial for trial in done if trial.params.keys() == distributions.keys()]
    sign = -1.0 if study.direction is optuna.study.StudyDirection.MAXIMIZE else 1.0
    best = min(whole, key=lambda trial: sign * (trial.value or 0.0), default=None)
    return ExperimentDocument(
        metadata=Metadata(name=name),
        spec=ExperimentSpec(
            objective=Objective(
                type=ObjectiveType(study.direction.name.lower()),
                objective_metric_name=(study.metric_names or ["objective"])[0],
            ),
            algorithm=AlgorithmSpec(algorithm_name="tpe"),
            parameters=tuple(_parameter(key, value) for key, value in distributions.items()),
            initial_points=(best.params,) if best else (),
            max_trial_count=len(study.trials),
        ),
    )


def _frozen(
    experiment: ExperimentDocument, trial: Trial, curve: Mapping[int, float]
) -> FrozenTrial:
    state = _STATES.get(trial.state, StudyTrialState.FAIL)
    objective = experiment.spec.objective
    values = objective_values(objective, trial) if state is not StudyTrialState.RUNNING else None
    if values is None and state is StudyTrialState.COMPLETE:
        state = StudyTrialState.FAIL
    spaces = {parameter.name: parameter for parameter in experiment.spec.parameters}
    made = optuna.trial.create_trial(
        state=state,
        values=None if state is StudyTrialState.FAIL else values,
        params=dict(trial.assignments),
        distributions={name: _distribution(spaces[name]) for name in trial.assignments},
        intermediate_values=dict(curve),
        user_attrs={
            "trial": trial_name(experiment.name, trial.number),
            **trial.labels,
            **_lineage(experiment.name, trial),
            **{
                name: metric.text or metric.latest
                for name, metric in trial.metrics.items()
                if metric.text or math.isfinite(metric.latest)
            },
        },
    )
    if state is StudyTrialState.COMPLETE or values is not None:
        broken = zip(objective.constraints, violations(objective, trial), strict=True)
        for constraint, amount in broken:
            made.set_constraint(constraint.name, amount)
    made.datetime_start = _moment(trial.started_at)
    if trial.is_final:
        made.datetime_complete = _moment(trial.completed_at)
    return made


def _lineage(name: str, trial: Trial) -> dict[str, str]:
    return {} if trial.parent is None else {"parent": trial_name(name, trial.parent)}


def _moment(seconds: float | None) -> datetime:
    return datetime.fromtimestamp(seconds or 0.0)


def _distribution(parameter: Parameter) -> BaseDistribution:
    space = parameter.feasible_space
    low, high = space.min or 0, space.max or 0
    log = parameter.distribution.is_log
    match parameter.parameter_type:
        case ParameterType.DOUBLE:
            step = None if log or space.step is None else float(space.step)
            last = float(high) if step is None else float(_last(low, high, space.step))
            return FloatDistribution(float(low), last, log=log, step=step)
        case ParameterType.INT:
            pace = 1 if log else int(space.step or 1)
            return IntDistribution(int(low), int(_last(low, high, pace)), log=log, step=pace)
        case _:
            return CategoricalDistribution(parameter.choices)


def _last(low: float, high: float, step: float | None) -> Decimal:
    """The last value of a grid, whose range need not be a multiple of *step*."""
    first, pace = Decimal(str(low)), Decimal(str(step))
    return first + (Decimal(str(high)) - first) // pace * pace


def _parameter(name: str, distribution: BaseDistribution) -> Parameter:
    pace: float | None
    match distribution:
        case CategoricalDistribution(choices=choices):
            values: tuple[Value, ...] = tuple(choices)
            space = FeasibleSpace(list=values)
            return Parameter(
                name=name, parameter_type=ParameterType.CATEGORICAL, feasible_space=space
            )
        case IntDistribution(low=low, high=high, step=step, log=log):
            kind, pace = ParameterType.INT, None if step == 1 else step
        case FloatDistribution(low=low, high=high, step=step, log=log):
            kind, pace = ParameterType.DOUBLE, step
        case _:
            raise InvalidInput([Problem(name, f"{type(distribution).__name__} is not supported")])
    shape = Distribution.LOG_UNIFORM if log else None
    return Parameter(
        name=name,
        parameter_type=kind,
        feasible_space=FeasibleSpace(min=low, max=high, step=pace, distribution=shape),
    )


def _first_line(error: Exception) -> str:
    return f"cannot be used: {str(error).splitlines()[0] if str(error) else error!r}"
