"""From the document to an `OptimizationJob` of Kubeflow Trainer, where its limits allow that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic.alias_generators import to_camel

from hpo_lab.experiment.collector import Collector, CollectorKind, MetricsCollector
from hpo_lab.experiment.document import OPTIMIZATION_JOB, Document, as_text
from hpo_lab.experiment.model import (
    AlgorithmSpec,
    Distribution,
    ExperimentDocument,
    ExperimentSpec,
    FeasibleSpace,
    MetricStrategyType,
    Objective,
    Parameter,
    ParameterType,
    TrialTemplate,
)
from hpo_lab.experiment.optimization_job import (
    DOUBLE,
    MOST,
    MOST_CHARACTERS,
    PREFIX,
    TRAINER_API_VERSION,
)
from hpo_lab.experiment.optimization_reading import DEADLINE
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["optimization_job_of"]

_AN: Final = f"an {OPTIMIZATION_JOB}"
_NAMES: Final = {ParameterType.INT: "Int", ParameterType.DOUBLE: "Float"}
_SPACES: Final = {Distribution.UNIFORM: "uniform", Distribution.LOG_UNIFORM: "logUniform"}
_PUSH: Final = MetricsCollector(collector=Collector(kind=CollectorKind.PUSH))
_FIELDS: Final[dict[type[Document], frozenset[str]]] = {
    ExperimentSpec: frozenset(
        (
            "parameters",
            "objective",
            "algorithm",
            "parallel_trial_count",
            "max_trial_count",
            "trial_template",
            "metrics_collector_spec",
            "seed",
            "trial_active_deadline_seconds",
        )
    ),
    Objective: frozenset(("type", "objective_metric_name", "metric_strategies")),
    AlgorithmSpec: frozenset(("algorithm_name",)),
    Parameter: frozenset(("name", "parameter_type", "feasible_space")),
    FeasibleSpace: frozenset(("min", "max", "list", "distribution")),
    TrialTemplate: frozenset(("trial_spec", "environment_prefix")),
}
"""The fields that have a counterpart, of those parts of the document that have others."""


def optimization_job_of(experiment: ExperimentDocument) -> dict[str, Any]:
    """The OptimizationJob that describes *experiment*, with its defaults written out.

    The status is left out; it is that of a controller. Choices become texts, as which they
    reach a trial.

    Args:
        experiment: A sound experiment.

    Returns:
        The document as plain data.

    Raises:
        InvalidInput: An OptimizationJob cannot say it; with every reason.
    """
    spec = experiment.spec
    if problems := list(_reasons(spec)):
        raise InvalidInput(problems)
    objective, template = spec.objective, spec.trial_template
    assert template is not None and template.trial_spec is not None
    job = template.trial_spec
    deadline = spec.trial_active_deadline_seconds
    limit = {} if deadline is None else {DEADLINE: int(deadline)}
    metadata = {"metadata": job["metadata"]} if job.get("metadata") else {}
    seed = {} if spec.seed is None else {"seed": spec.seed}
    is_grid = spec.algorithm.algorithm_name == "grid"
    return {
        "apiVersion": TRAINER_API_VERSION,
        "kind": OPTIMIZATION_JOB,
        "metadata": experiment.metadata.to_document(),
        "spec": {
            "objectives": [
                {
                    "metric": objective.objective_metric_name,
                    "direction": objective.type.capitalize(),
                }
            ],
            "searchAlgorithm": {"grid": {}} if is_grid else {"random": seed},
            "parameters": [
                {"name": parameter.name, "searchSpace": _space(parameter)}
                for parameter in spec.parameters
            ],
            "numTrials": spec.max_trial_count,
            "parallelTrials": spec.parallel_trial_count,
            "trainJobTemplate": {**metadata, "spec": {**job["spec"], **limit}},
        },
    }


def _space(parameter: Parameter) -> dict[str, Any]:
    space = parameter.feasible_space
    if parameter.parameter_type is ParameterType.CATEGORICAL:
        return {"categorical": {"choices": [as_text(value) for value in space.list or ()]}}
    kind = _NAMES[parameter.parameter_type]
    numbers = {"min": repr(space.min), "max": repr(space.max), "type": kind}
    return {_SPACES[parameter.distribution]: numbers}


def _reasons(spec: ExperimentSpec) -> Iterator[Problem]:
    """Why an OptimizationJob cannot say what *spec* does."""
    yield from _fields_without_counterpart(spec, "spec")
    yield from _objective(spec.objective, "spec.objective")
    yield from _algorithm(spec)
    yield from _counts(spec)
    if len(spec.parameters) not in range(1, MOST + 1):
        message = f"has {len(spec.parameters)} parameters; {_AN} has 1 to {MOST}"
        yield Problem("spec.parameters", message)
    for index, parameter in enumerate(spec.parameters):
        yield from _parameter(parameter, f"spec.parameters[{index}]")
    if spec.metrics_collector_spec != _PUSH:
        message = f"must be Push alone: the trials of {_AN} report their metrics themselves"
        yield Problem("spec.metricsCollectorSpec.collector.kind", message)
    yield from _template(spec.trial_template)


def _fields_without_counterpart(part: Document, path: str) -> Iterator[Problem]:
    for name, field in type(part).model_fields.items():
        is_set = getattr(part, name) != field.get_default(call_default_factory=True)
        if is_set and name not in _FIELDS[type(part)]:
            yield Problem(f"{path}.{to_camel(name)}", f"is given; {_AN} has no such field")


def _objective(objective: Objective, path: str) -> Iterator[Problem]:
    yield from _fields_without_counterpart(objective, path)
    metric = objective.objective_metric_name
    if len(metric) > MOST_CHARACTERS:
        yield Problem(f"{path}.objectiveMetricName", _too_long(metric))
    if objective.strategy(metric) is not MetricStrategyType.LATEST:
        message = f"must say that the latest value of {metric!r} counts, as in {_AN}"
        yield Problem(f"{path}.metricStrategies", message)


def _algorithm(spec: ExperimentSpec) -> Iterator[Problem]:
    path, name = "spec.algorithm", spec.algorithm.algorithm_name
    yield from _fields_without_counterpart(spec.algorithm, path)
    if name not in ("random", "grid"):
        yield Problem(f"{path}.algorithmName", f"is {name!r}; {_AN} has random and grid")
    elif name == "grid" and spec.seed is not None:
        yield Problem("spec.seed", f"is given; a grid of {_AN} has no seed")
    if spec.seed is not None and spec.seed >= 2**63:
        yield Problem("spec.seed", f"is {spec.seed}; in {_AN} it has 64 bits")
    for index, parameter in enumerate(spec.parameters if name == "grid" else ()):
        kind = parameter.parameter_type
        if kind is not ParameterType.CATEGORICAL:
            path = f"spec.parameters[{index}].parameterType"
            yield Problem(
                path, f"is {kind.value}; a grid of {_AN} is one of categorical parameters"
            )


def _counts(spec: ExperimentSpec) -> Iterator[Problem]:
    trials, seconds = spec.max_trial_count, spec.trial_active_deadline_seconds
    if trials is None:
        yield Problem("spec.maxTrialCount", f"is missing; {_AN} has 1 to {MOST} trials")
    for field, count in (
        ("maxTrialCount", trials),
        ("parallelTrialCount", spec.parallel_trial_count),
    ):
        if count is not None and count > MOST:
            yield Problem(f"spec.{field}", f"is {count}; {_AN} has at most {MOST}")
    if seconds is not None and not seconds.is_integer():
        message = f"is {seconds}; a TrainJob has whole seconds"
        yield Problem("spec.trialActiveDeadlineSeconds", message)


def _parameter(parameter: Parameter, path: str) -> Iterator[Problem]:
    yield from _fields_without_counterpart(parameter, path)
    space, kind = parameter.feasible_space, parameter.parameter_type
    path_of_space = f"{path}.feasibleSpace"
    yield from _fields_without_counterpart(space, path_of_space)
    if not parameter.name or len(parameter.name) > MOST_CHARACTERS:
        yield Problem(f"{path}.name", _too_long(parameter.name))
    if kind is ParameterType.CATEGORICAL:
        yield from _choices([as_text(value) for value in space.list or ()], f"{path_of_space}.list")
        return
    if kind not in _NAMES:
        message = f"is {kind.value}; {_AN} has double, int and categorical"
        yield Problem(f"{path}.parameterType", message)
        return
    if parameter.distribution not in _SPACES:
        message = f"is {parameter.distribution.value}; {_AN} has uniform and logUniform"
        yield Problem(f"{path_of_space}.distribution", message)
    if space.min == space.max:
        yield Problem(f"{path_of_space}.max", f"is {space.max!r}; in {_AN} it is above min")
    for field, bound in (("min", space.min), ("max", space.max)):
        text = repr(bound)
        if not DOUBLE.fullmatch(text) or len(text) > MOST_CHARACTERS:
            yield Problem(f"{path_of_space}.{field}", _too_long(text))


def _choices(texts: list[str], path: str) -> Iterator[Problem]:
    if len(texts) > MOST:
        yield Problem(path, f"has {len(texts)} values; {_AN} has at most {MOST}")
    for text in dict.fromkeys(texts):
        if len(text) > MOST_CHARACTERS:
            yield Problem(path, f"contains a text that {_too_long(text)}")
        if texts.count(text) > 1:
            yield Problem(path, f"contains {text!r} more than once, as text")


def _too_long(text: str) -> str:
    return f"has {len(text)} characters; allowed in {_AN} are 1 to {MOST_CHARACTERS}"


def _template(template: TrialTemplate | None) -> Iterator[Problem]:
    path = "spec.trialTemplate"
    if template is None:
        yield Problem(path, f"is missing; a trial of {_AN} is a TrainJob")
        return
    yield from _fields_without_counterpart(template, path)
    if template.environment_prefix != PREFIX:
        message = f"must be {PREFIX}: the values of {_AN} reach its trials as variables"
        yield Problem(f"{path}.environmentPrefix", message)
    job = template.trial_spec
    if job is None:
        return
    path = f"{path}.trialSpec"
    version, kind = template.kind
    if (version, kind) != (TRAINER_API_VERSION, "TrainJob"):
        needed = f"a trial of {_AN} is a TrainJob of {TRAINER_API_VERSION}"
        yield Problem(f"{path}.kind", f"is {kind} of {version}; {needed}")
        return
    for field in job:
        if field not in ("apiVersion", "kind", "metadata", "spec"):
            yield Problem(f"{path}.{field}", f"is given; {_AN} has no such field")
    for field in ("name", "namespace"):
        if (job.get("metadata") or {}).get(field) is not None:
            yield Problem(f"{path}.metadata.{field}", f"is given; a template of {_AN} has none")
    spec = job["spec"]
    if DEADLINE in spec:
        message = "is given; say spec.trialActiveDeadlineSeconds in its place"
        yield Problem(f"{path}.spec.{DEADLINE}", message)
    runtime = spec.get("runtimeRef")
    if not isinstance(runtime, Mapping) or not runtime.get("name"):
        message = "is missing; a TrainJob names the training runtime that it is run by"
        yield Problem(f"{path}.spec.runtimeRef.name", message)
