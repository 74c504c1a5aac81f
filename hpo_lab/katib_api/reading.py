"""Converts Katib's messages to our own documents and trials."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import count
from typing import Any, Final

from pydantic import ValidationError

from hpo_lab.experiment.model import (
    ExperimentDocument,
    ExperimentSpec,
    Parameter,
    ParameterType,
    Value,
)
from hpo_lab.experiment.resource_range import with_resource_range
from hpo_lab.experiment.space import contains
from hpo_lab.experiment.structure import rules_of_sound_part, structure_problems
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.katib_api import katib_pb
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["LABELS", "NUMBER", "PARENT", "read_spec", "read_trials", "typed"]

LABELS: Final = "hpolab.dev/"
"""The prefix of the labels that identify our trials in Katib's messages."""
NUMBER: Final = f"{LABELS}number"
PARENT: Final = f"{LABELS}parent"

_DIGITS = 6
"""Of the number of a trial."""

_TYPES = {
    number: kind
    for kind, number in (
        (ParameterType.DOUBLE, katib_pb.DOUBLE),
        (ParameterType.INT, katib_pb.INT),
        (ParameterType.DISCRETE, katib_pb.DISCRETE),
        (ParameterType.CATEGORICAL, katib_pb.CATEGORICAL),
    )
}
_DISTRIBUTIONS = {
    katib_pb.UNIFORM: "uniform",
    katib_pb.LOG_UNIFORM: "logUniform",
    katib_pb.NORMAL: "normal",
    katib_pb.LOG_NORMAL: "logNormal",
}
_OBJECTIVES = {katib_pb.MINIMIZE: "minimize", katib_pb.MAXIMIZE: "maximize"}
_STATES = {
    "CREATED": TrialState.CREATED,
    "RUNNING": TrialState.RUNNING,
    "SUCCEEDED": TrialState.SUCCEEDED,
    "KILLED": TrialState.KILLED,
    "FAILED": TrialState.FAILED,
    "METRICSUNAVAILABLE": TrialState.METRICS_UNAVAILABLE,
    "EARLYSTOPPED": TrialState.EARLY_STOPPED,
    # Katib's value for a condition that its interface cannot express; such a trial has ended.
    "UNKNOWN": TrialState.FAILED,
}


def read_spec(
    experiment: katib_pb.Experiment, trials: Iterable[katib_pb.Trial] = ()
) -> ExperimentSpec:
    """The experiment that Katib sends; only its structure is checked.

    Where the message names no objective, the objective of the trials counts.

    Raises:
        InvalidInput: The structure has problems.
    """
    message = experiment.spec
    objectives = [message.objective, *(trial.spec.objective for trial in trials)]
    objective = next(
        (candidate for candidate in objectives if candidate.objective_metric_name),
        message.objective,
    )
    spec: dict[str, Any] = {
        "parameters": [_parameter(parameter) for parameter in message.parameter_specs.parameters],
        "objective": {
            "type": _OBJECTIVES.get(objective.type, "minimize"),
            "objectiveMetricName": objective.objective_metric_name or "objective",
            "additionalMetricNames": list(objective.additional_metric_names),
        },
        "algorithm": _configured(message.algorithm),
        "parallelTrialCount": message.parallel_trial_count or 1,
        "maxTrialCount": message.max_trial_count or None,
    }
    if message.early_stopping.algorithm_name:
        spec["earlyStopping"] = _configured(message.early_stopping)
    if message.HasField("nas_config"):
        spec["nasConfig"] = _architectures(message.nas_config)
    document = {"metadata": {"name": experiment.name or "unnamed"}, "spec": spec}
    try:
        return with_resource_range(ExperimentDocument.model_validate(document).spec)[0]
    except ValidationError as error:
        problems, broken = structure_problems(error, ExperimentDocument)
        raise InvalidInput([*problems, *rules_of_sound_part(document, broken)]) from None


def read_trials(spec: ExperimentSpec, trials: Sequence[katib_pb.Trial]) -> list[Trial]:
    """The trials that Katib sends, by ascending number.

    The label of a trial gives its number. Trials without a label, such as those of another
    service, get the lowest free numbers, in the order of their start and their names.

    Raises:
        InvalidInput: A trial has a number or a condition that there is not.
    """
    labelled: dict[int, katib_pb.Trial] = {}
    unlabelled = []
    for trial in trials:
        number = _number_of(trial)
        if number < 0 or number in labelled:
            unlabelled.append(trial)
        else:
            labelled[number] = trial
    free = (number for number in count() if number not in labelled)
    numbered = dict(zip(free, sorted(unlabelled, key=_age), strict=False))
    return [
        _trial(spec, number, trial) for number, trial in sorted({**labelled, **numbered}.items())
    ]


def typed(parameter: Parameter, text: str) -> Value:
    """The value of *parameter* that is written as *text*.

    Raises:
        ValueError: *text* is no value of the parameter.
    """
    match parameter.parameter_type:
        case ParameterType.INT:
            value: Value = int(text)
        case ParameterType.DOUBLE:
            value = float(text)
        case ParameterType.DISCRETE | ParameterType.CATEGORICAL:
            by_text = {parameter.text_of(choice): choice for choice in parameter.choices}
            if text in by_text:
                return by_text[text]
            if parameter.parameter_type is ParameterType.CATEGORICAL:
                raise ValueError(f"{text!r} is none of {', '.join(by_text)}")
            value = float(text)
    if not contains(parameter, value):
        raise ValueError(f"{text!r} is no value of {parameter.name!r}")
    return value


def _parameter(message: katib_pb.ParameterSpec) -> dict[str, Any]:
    space = message.feasible_space
    fields = {
        "min": space.min or None,
        "max": space.max or None,
        "step": space.step or None,
        "list": list(space.list) or None,
        "distribution": _DISTRIBUTIONS.get(space.distribution),
    }
    if message.parameter_type in (katib_pb.DISCRETE, katib_pb.CATEGORICAL):
        # Katib gives every parameter a distribution.
        del fields["distribution"]
    return {
        "name": message.name,
        "parameterType": _TYPES.get(message.parameter_type, "unknown"),
        "feasibleSpace": {name: value for name, value in fields.items() if value is not None},
    }


def _architectures(message: katib_pb.NasConfig) -> dict[str, Any]:
    graph = message.graph_config
    return {
        "graphConfig": {
            "numLayers": graph.num_layers or None,
            "inputSizes": list(graph.input_sizes),
            "outputSizes": list(graph.output_sizes),
        },
        "operations": [
            {
                "operationType": operation.operation_type,
                "parameters": [
                    _parameter(parameter) for parameter in operation.parameter_specs.parameters
                ],
            }
            for operation in message.operations.operation
        ],
    }


def _configured(message: katib_pb.AlgorithmSpec | katib_pb.EarlyStoppingSpec) -> dict[str, Any]:
    settings = [
        {"name": setting.name, "value": setting.value} for setting in message.algorithm_settings
    ]
    return {"algorithmName": message.algorithm_name, "algorithmSettings": settings}


def _trial(spec: ExperimentSpec, number: int, message: katib_pb.Trial) -> Trial:
    labels, status = message.spec.labels, message.status
    parent = labels.get(PARENT, "")
    own = {
        name.removeprefix(LABELS): value
        for name, value in labels.items()
        if name.startswith(LABELS) and name not in (NUMBER, PARENT)
    }
    texts = {
        assignment.name: assignment.value
        for assignment in message.spec.parameter_assignments.assignments
    }
    conditions = katib_pb.TrialStatus.TrialConditionType
    if status.condition not in conditions.values():
        reason = f"has the condition {status.condition}, which there is not"
        raise InvalidInput([Problem(f"trial {message.name[:100]}", reason)])
    condition = conditions.Name(status.condition)
    return Trial(
        number,
        assignments=_assignments(spec.parameters, texts),
        state=_STATES[condition],
        metrics={
            metric.name: Metric.single(_number(metric.value))
            for metric in status.observation.metrics
        },
        started_at=_seconds(status.start_time),
        completed_at=_seconds(status.completion_time),
        parent=int(parent) if parent.isdecimal() and len(parent) <= _DIGITS else None,
        labels=own,
    )


def _number_of(trial: katib_pb.Trial) -> int:
    """The number by the label of *trial*; -1 for a trial without the label."""
    label = trial.spec.labels.get(NUMBER, "")
    if not label.isdecimal():
        return -1
    if len(label) > _DIGITS:
        message = f"the label {NUMBER} is {label[:20]}; allowed are {_DIGITS} digits"
        raise InvalidInput([Problem(f"trial {trial.name[:100]}", message)])
    return int(label)


def _assignments(parameters: Sequence[Parameter], texts: dict[str, str]) -> dict[str, Value]:
    """The values in the search space; all values, as text, where architectures are searched."""
    if not parameters:
        return {**texts}
    assignments = {}
    for parameter in parameters:
        if parameter.name in texts:
            try:
                assignments[parameter.name] = typed(parameter, texts[parameter.name])
            except ValueError:
                continue
    return assignments


def _age(trial: katib_pb.Trial) -> tuple[float, str]:
    started = _seconds(trial.status.start_time)
    return (math.inf if started is None else started, trial.name)


def _seconds(time: str) -> float | None:
    try:
        return datetime.fromisoformat(time).timestamp()
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
