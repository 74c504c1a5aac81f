"""From an `OptimizationJob` of Kubeflow Trainer to the document, and problems in its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import ValidationError

from hpo_lab.experiment.collector import Collector, CollectorKind, MetricsCollector
from hpo_lab.experiment.job_structure import structure_problems as job_problems
from hpo_lab.experiment.job_structure import structure_warnings
from hpo_lab.experiment.model import (
    AlgorithmSpec,
    Distribution,
    ExperimentDocument,
    ExperimentSpec,
    FeasibleSpace,
    MetricStrategy,
    MetricStrategyType,
    Objective,
    ObjectiveType,
    Parameter,
    ParameterType,
    TrialTemplate,
)
from hpo_lab.experiment.optimization_job import (
    PREFIX,
    TRAINER_API_VERSION,
    OptimizationJob,
    OptimizationParameter,
    TrainJobTemplate,
    relation_problems,
)
from hpo_lab.experiment.structure import structure_problems
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["DEADLINE", "experiment_of", "optimization_words", "read_optimization_job"]

DEADLINE: Final = "activeDeadlineSeconds"
"""The time limit of a TrainJob; in the document it is `trialActiveDeadlineSeconds`."""

_TEMPLATE: Final = "spec.trainJobTemplate"
_FIELDS: Final = {
    "spec.trialTemplate.trialSpec": _TEMPLATE,
    "spec.trialTemplate": _TEMPLATE,
    "spec.trialActiveDeadlineSeconds": f"{_TEMPLATE}.spec.{DEADLINE}",
    "spec.maxTrialCount": "spec.numTrials",
    "spec.parallelTrialCount": "spec.parallelTrials",
    "spec.objective.objectiveMetricName": "spec.objectives[0].metric",
    "spec.objective.type": "spec.objectives[0].direction",
    "spec.objective": "spec.objectives[0]",
    "spec.algorithm.algorithmName": "spec.searchAlgorithm",
    "spec.algorithm": "spec.searchAlgorithm",
    "spec.seed": "spec.searchAlgorithm.random.seed",
}
_FIELD: Final = re.compile(rf"(?:{'|'.join(map(re.escape, _FIELDS))})\b")
_SPACE: Final = re.compile(r"(spec\.parameters\[(\d+)\])\.feasibleSpace\.(min|max|list)(\[\d+\])?")


def read_optimization_job(
    document: Mapping[str, Any],
    rules: Callable[[ExperimentDocument], list[Problem]],
    source: str = "",
) -> tuple[ExperimentDocument, tuple[Problem, ...]]:
    """The experiment that *document*, plain data of an OptimizationJob, describes.

    Args:
        document: The data.
        rules: Checks the experiment once every rule of the OptimizationJob is kept.
        source: Names the data in messages.

    Returns:
        The experiment, and a warning for each field that Kubernetes does not know.

    Raises:
        InvalidInput: with every problem, in the words of an OptimizationJob.
    """
    spec = document.get("spec")
    template = spec.get("trainJobTemplate") if isinstance(spec, Mapping) else None
    problems: list[Problem] = []
    try:
        job = OptimizationJob.model_validate(document)
    except ValidationError as error:
        problems, _ = structure_problems(error, OptimizationJob)
    problems += relation_problems(document)
    train_job: Mapping[str, Any] = {}
    if isinstance(template, Mapping) and isinstance(template.get("spec"), Mapping):
        train_job = {**template, "apiVersion": TRAINER_API_VERSION, "kind": "TrainJob"}
        problems += job_problems(train_job, _TEMPLATE)
    if problems:
        raise InvalidInput(problems, source)
    experiment = experiment_of(job)
    if problems := [optimization_words(each, experiment.spec) for each in rules(experiment)]:
        raise InvalidInput(problems, source)
    return experiment, tuple(structure_warnings(train_job, _TEMPLATE))


def experiment_of(job: OptimizationJob) -> ExperimentDocument:
    """The experiment that *job*, a sound OptimizationJob, describes.

    The latest value of a trial counts, since Trainer keeps no other in the status of a TrainJob.
    """
    objective = job.spec.objectives[0]
    latest = MetricStrategy(name=objective.metric, value=MetricStrategyType.LATEST)
    algorithm = job.spec.search_algorithm
    train_job, deadline = _train_job(job.spec.train_job_template)
    spec = ExperimentSpec(
        parameters=tuple(map(_parameter, job.spec.parameters)),
        objective=Objective(
            type=ObjectiveType(objective.direction.lower()),
            objective_metric_name=objective.metric,
            metric_strategies=(latest,),
        ),
        algorithm=AlgorithmSpec(algorithm_name="random" if algorithm.grid is None else "grid"),
        seed=algorithm.random.seed if algorithm.random else None,
        max_trial_count=job.spec.num_trials,
        parallel_trial_count=job.spec.parallel_trials,
        trial_active_deadline_seconds=deadline,
        metrics_collector_spec=MetricsCollector(collector=Collector(kind=CollectorKind.PUSH)),
        trial_template=TrialTemplate(trial_spec=train_job, environment_prefix=PREFIX),
    )
    return ExperimentDocument(metadata=job.metadata, spec=spec)


def optimization_words(problem: Problem, spec: ExperimentSpec) -> Problem:
    """*problem* of an experiment that was read from an OptimizationJob, told by its fields.

    Args:
        problem: A problem with a path of the document.
        spec: The experiment's.
    """

    def space(match: re.Match[str]) -> str:
        path, index, field, entry = match.groups("")
        if field == "list":
            return f"{path}.searchSpace.categorical.choices{entry}"
        is_log = (
            int(index) < len(spec.parameters) and spec.parameters[int(index)].distribution.is_log
        )
        return f"{path}.searchSpace.{'logUniform' if is_log else 'uniform'}.{field}"

    where, message = (
        _SPACE.sub(space, _FIELD.sub(lambda match: _FIELDS[match[0]], text))
        for text in (problem.where, problem.message)
    )
    return Problem(where, message)


def _train_job(template: TrainJobTemplate) -> tuple[dict[str, Any], float | None]:
    """The object that a trial runs, and its time limit in seconds."""
    spec = dict(template.spec)
    deadline = spec.pop(DEADLINE, None)
    metadata = {"metadata": template.metadata} if template.metadata else {}
    job = {"apiVersion": TRAINER_API_VERSION, "kind": "TrainJob", **metadata, "spec": spec}
    return job, deadline


def _parameter(parameter: OptimizationParameter) -> Parameter:
    space = parameter.search_space
    if space.categorical is not None:
        choices = FeasibleSpace(list=space.categorical.choices)
        return Parameter(
            name=parameter.name, parameter_type=ParameterType.CATEGORICAL, feasible_space=choices
        )
    numbers = space.uniform or space.log_uniform
    assert numbers is not None
    return Parameter(
        name=parameter.name,
        parameter_type=ParameterType.INT if numbers.type == "Int" else ParameterType.DOUBLE,
        feasible_space=FeasibleSpace.model_validate(
            {
                "min": numbers.min,
                "max": numbers.max,
                "distribution": Distribution.LOG_UNIFORM if space.log_uniform else None,
            }
        ),
    )
