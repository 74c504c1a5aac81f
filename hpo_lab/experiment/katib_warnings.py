"""Warnings about fields and values that Katib refuses or ignores and hpo_lab accepts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic.alias_generators import to_camel

from hpo_lab.experiment.collector_rules import only_in_python
from hpo_lab.experiment.document import Document
from hpo_lab.experiment.job_fields import INTEGER_FIELDS, TEXT_MAPS
from hpo_lab.experiment.job_structure import structure_warnings
from hpo_lab.experiment.model import (
    API_VERSION,
    KATIB_API_VERSION,
    ExperimentDocument,
    ExperimentSpec,
    Objective,
    Parameter,
)
from hpo_lab.experiment.placeholders import places
from hpo_lab.experiment.rendering import pod_without_restart_policy
from hpo_lab.experiment.template import TrialTemplate
from hpo_lab.problems import Problem

__all__ = ["KATIB_FIELDS", "experiment_warnings", "extensions", "first_container"]

_PATH = "spec.trialTemplate"
_WITHOUT_CONDITIONS_IN_KATIB = frozenset(
    ("JAXJob", "JobSet", "PaddleJob", "PipelineRun", "RayJob", "Workflow")
)
KATIB_FIELDS: Final[dict[type[Document], frozenset[str]]] = {
    ExperimentSpec: frozenset(
        (
            "parameters",
            "objective",
            "algorithm",
            "earlyStopping",
            "trialTemplate",
            "parallelTrialCount",
            "maxTrialCount",
            "maxFailedTrialCount",
            "metricsCollectorSpec",
            "nasConfig",
            "resumePolicy",
        )
    ),
    Objective: frozenset(
        ("type", "goal", "objectiveMetricName", "additionalMetricNames", "metricStrategies")
    ),
    Parameter: frozenset(("name", "parameterType", "feasibleSpace")),
}
"""The fields that Katib knows, of those parts of the document that hpo_lab extends."""


def experiment_warnings(experiment: ExperimentDocument) -> list[Problem]:
    """What Katib would refuse or ignore of *experiment*, a sound document, with its path."""
    spec = experiment.spec
    warnings: list[Problem] = []
    if experiment.api_version == KATIB_API_VERSION:
        message = "Katib does not know this field and ignores it"
        warnings += [Problem(path, message) for path in extensions(spec)]
        if spec.trial_template and spec.trial_template.environment_prefix:
            warnings.append(Problem(f"{_PATH}.environmentPrefix", message))
    rule = spec.early_stopping
    if rule is not None and rule.algorithm_name != "medianstop":
        message = f"is {rule.algorithm_name!r}; Katib has 'medianstop' alone"
        warnings.append(Problem("spec.earlyStopping.algorithmName", message))
    for index, operation in enumerate(spec.nas_config.operations if spec.nas_config else ()):
        if not operation.parameters:
            path = f"spec.nasConfig.operations[{index}].parameters"
            warnings.append(Problem(path, "is empty; Katib's darts refuses such an operation"))
    collector = spec.metrics_collector_spec
    source = collector.source if collector else None
    formats = source.filter.metrics_format if source and source.filter else ()
    for index, pattern in enumerate(formats):
        construct = only_in_python(pattern)
        if construct:
            path = f"spec.metricsCollectorSpec.source.filter.metricsFormat[{index}]"
            warnings.append(Problem(path, f"{pattern!r} uses {construct}, which Katib refuses"))
    return [*warnings, *(_template(spec.trial_template) if spec.trial_template else ())]


def extensions(spec: ExperimentSpec) -> Iterator[str]:
    """The paths of the fields of *spec* that Katib does not know."""
    yield from _unknown_to_katib(spec, "spec")
    yield from _unknown_to_katib(spec.objective, "spec.objective")
    for index, parameter in enumerate(spec.parameters):
        yield from _unknown_to_katib(parameter, f"spec.parameters[{index}]")


def first_container(job: Mapping[str, Any]) -> str | None:
    """The name of the first container in *job*; None where *job* has no container.

    The runtimes of Kubeflow Trainer call the container of a TrainJob's trainer `node`.
    """
    if job.get("kind") == "TrainJob":
        return "node"
    for value in _mappings(job):
        containers = value.get("containers")
        if isinstance(containers, list) and containers and isinstance(containers[0], Mapping):
            name = containers[0].get("name")
            return name if isinstance(name, str) else None
    return None


def _unknown_to_katib(part: Document, path: str) -> Iterator[str]:
    fields = KATIB_FIELDS[type(part)]
    for name, field in type(part).model_fields.items():
        is_set = getattr(part, name) != field.get_default(call_default_factory=True)
        if is_set and to_camel(name) not in fields:
            yield f"{path}.{to_camel(name)}"


def _template(template: TrialTemplate) -> Iterator[Problem]:
    version, kind = template.kind
    if version == API_VERSION:
        return
    if template.go_template is not None:
        yield Problem(
            f"{_PATH}.goTemplate",
            "Katib has refused Go templates since v1beta1, which has trialSpec and "
            "trialParameters: ${trialParameters.x} instead of {{.HyperParameters}}; "
            "hpo-lab convert rewrites it",
        )
        return
    if not template.primary_container_name:
        container = first_container(template.trial_spec or {})
        choice = f", {container!r}," if container else ""
        yield Problem(
            f"{_PATH}.primaryContainerName",
            f"is missing; Katib refuses that; the first container{choice} is taken",
        )
    if not template.trial_parameters and template.has_placeholders:
        yield Problem(
            f"{_PATH}.trialParameters",
            "is missing; Katib refuses that; each ${trialParameters.NAME} is taken for the "
            "parameter NAME",
        )
    references = Counter(parameter.reference for parameter in template.trial_parameters)
    for reference, count in references.items():
        if count > 1:
            message = f"Katib refuses {reference!r} as the reference of more than one"
            yield Problem(f"{_PATH}.trialParameters", message)
    has_conditions = template.success_condition and template.failure_condition
    if not has_conditions and (template.config_map or kind in _WITHOUT_CONDITIONS_IN_KATIB):
        yield Problem(
            _PATH,
            "has no successCondition or no failureCondition; Katib refuses that; those of the "
            "usual kinds are known here",
        )
    yield from _job(template.trial_spec or {})


def _job(job: Mapping[str, Any]) -> Iterator[Problem]:
    path = f"{_PATH}.trialSpec"
    metadata = job.get("metadata")
    for field in ("name", "namespace"):
        if isinstance(metadata, Mapping) and metadata.get(field):
            yield Problem(
                f"{path}.metadata.{field}", "Katib refuses it; the trial's own takes its place"
            )
    for place, _ in places(job, path):
        parents = place.split(".")
        if parents[-1] in INTEGER_FIELDS and not TEXT_MAPS.intersection(parents):
            message = "is an integer given by a parameter, which Katib cannot do"
            yield Problem(place, message)
    if pod_without_restart_policy(job) is not None:
        yield Problem(
            f"{path}.spec.template.spec.restartPolicy",
            "is missing; Kubernetes refuses such a Job; 'Never' is taken",
        )
    yield from structure_warnings(job, path)


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """*value* and every mapping inside, the outer before the inner; `TEXT_MAPS` are skipped."""
    if isinstance(value, Mapping):
        yield value
        for field, item in value.items():
            if field not in TEXT_MAPS:
                yield from _mappings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _mappings(item)
