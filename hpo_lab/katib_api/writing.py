"""Converts our own documents and trials to Katib's messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hpo_lab.experiment.document import as_text
from hpo_lab.experiment.model import ExperimentSpec, Objective, ObjectiveType, Parameter, Value
from hpo_lab.experiment.parameter import as_texts
from hpo_lab.experiment.status_document import timestamp
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.katib_api import katib_pb

__all__ = ["assigned", "experiment_message", "trial_message"]

_STATES = {
    TrialState.CREATED: "CREATED",
    TrialState.RUNNING: "RUNNING",
    TrialState.SUCCEEDED: "SUCCEEDED",
    TrialState.KILLED: "KILLED",
    TrialState.FAILED: "FAILED",
    TrialState.METRICS_UNAVAILABLE: "METRICSUNAVAILABLE",
    TrialState.EARLY_STOPPED: "EARLYSTOPPED",
}
_DISTRIBUTIONS = {
    "uniform": "UNIFORM",
    "logUniform": "LOG_UNIFORM",
    "normal": "NORMAL",
    "logNormal": "LOG_NORMAL",
}


def experiment_message(
    name: str, spec: ExperimentSpec, algorithm: str, settings: Mapping[str, str]
) -> katib_pb.Experiment:
    """An experiment as Katib's controller sends it.

    Args:
        name: The experiment's name.
        spec: The specification of the experiment.
        algorithm: The algorithm to name in place of the algorithm of *spec*.
        settings: The settings of *algorithm*.
    """
    return katib_pb.Experiment(
        name=name,
        spec=katib_pb.ExperimentSpec(
            parameter_specs={
                "parameters": [_parameter(parameter) for parameter in spec.parameters]
            },
            objective=_objective(spec.objective),
            algorithm={
                "algorithm_name": algorithm,
                "algorithm_settings": [
                    {"name": key, "value": value} for key, value in settings.items()
                ],
            },
            parallel_trial_count=spec.parallel_trial_count,
            max_trial_count=spec.max_trial_count,
        ),
    )


def trial_message(name: str, spec: ExperimentSpec, trial: Trial) -> katib_pb.Trial:
    """A trial as Katib's controller sends it, with the representing value of each metric."""
    objective = spec.objective
    values = {
        metric: value
        for metric, summary in trial.metrics.items()
        if (value := summary.by(objective.strategy(metric))) is not None
    }
    return katib_pb.Trial(
        name=name,
        spec=katib_pb.TrialSpec(
            objective=_objective(objective),
            parameter_assignments={"assignments": assigned(spec, trial.assignments)},
            labels=dict(trial.labels),
        ),
        status=katib_pb.TrialStatus(
            start_time=timestamp(trial.started_at) or "",
            completion_time=timestamp(trial.completed_at) or "",
            condition=_STATES[trial.state],
            observation={
                "metrics": [
                    {"name": metric, "value": as_text(value)} for metric, value in values.items()
                ]
            },
        ),
    )


def assigned(
    spec: ExperimentSpec, assignments: Mapping[str, Value]
) -> Iterable[katib_pb.ParameterAssignment]:
    """The values of *assignments* as text."""
    return [
        katib_pb.ParameterAssignment(name=name, value=text)
        for name, text in as_texts(spec.parameters, assignments).items()
    ]


def _objective(objective: Objective) -> katib_pb.ObjectiveSpec:
    minimize = objective.type is ObjectiveType.MINIMIZE
    return katib_pb.ObjectiveSpec(
        type="MINIMIZE" if minimize else "MAXIMIZE",
        goal=objective.goal,
        objective_metric_name=objective.objective_metric_name,
        additional_metric_names=objective.additional_metric_names,
    )


def _parameter(parameter: Parameter) -> katib_pb.ParameterSpec:
    space = parameter.feasible_space
    bounds = {"min": space.min, "max": space.max, "step": space.step}
    return katib_pb.ParameterSpec(
        name=parameter.name,
        parameter_type=parameter.parameter_type.name,
        feasible_space=katib_pb.FeasibleSpace(
            list=[as_text(value) for value in space.list or ()],
            distribution=_DISTRIBUTIONS[parameter.distribution.value],
            **{field: as_text(bound) for field, bound in bounds.items() if bound is not None},
        ),
    )
