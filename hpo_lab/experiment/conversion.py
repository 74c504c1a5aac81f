"""Conversion between our own documents and documents that Katib itself can run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpo_lab.experiment.document import as_number, as_text
from hpo_lab.experiment.environment import ASSIGNMENT
from hpo_lab.experiment.job_status import job_conditions
from hpo_lab.experiment.katib_warnings import (
    KATIB_FIELDS,
    experiment_warnings,
    extensions,
    first_container,
)
from hpo_lab.experiment.model import (
    API_VERSION,
    KATIB_API_VERSION,
    Document,
    ExperimentDocument,
    ExperimentSpec,
    Objective,
    Parameter,
)
from hpo_lab.experiment.placeholders import places
from hpo_lab.experiment.rendering import pod_without_restart_policy, render_trial
from hpo_lab.experiment.template import TrialParameter, TrialTemplate
from hpo_lab.problems import Problem

__all__ = ["from_katib", "to_katib"]

_TRIAL_NAME = "trialObjectName"


def to_katib(experiment: ExperimentDocument) -> tuple[dict[str, Any], list[Problem]]:
    """The manifest of *experiment* for Katib, and warnings about what Katib cannot do.

    Values become text. Fields that Katib does not infer are written out: `trialParameters`,
    the primary container, the conditions, and in `env` the variables with values. A Go template
    becomes a `trialSpec`. The status is left out.

    Args:
        experiment: A sound experiment.

    Returns:
        The document as plain data, and a warning for each field that is dropped and for each
        that Katib still refuses or cannot run.
    """
    document = experiment.to_document()
    document.pop("status", None)
    document["apiVersion"] = KATIB_API_VERSION
    message = "is dropped; Katib does not know this field"
    warnings = [Problem(path, message) for path in extensions(experiment.spec)]
    spec = document["spec"] = _katib_fields(document["spec"], ExperimentSpec)
    spec["objective"] = _objective(experiment.spec.objective)
    spec["parameters"] = [_katib_fields(parameter, Parameter) for parameter in spec["parameters"]]
    operations = spec.get("nasConfig", {}).get("operations", [])
    for parameters in (spec["parameters"], *(operation["parameters"] for operation in operations)):
        for parameter in parameters:
            _as_katib_reads(parameter["feasibleSpace"], parameter["parameterType"])
    template = experiment.spec.trial_template
    if template is None:
        warnings.append(Problem("spec.trialTemplate", "is missing; Katib needs one"))
    elif template.kind[0] == API_VERSION:
        path = "spec.trialTemplate.trialSpec.kind"
        warnings.append(Problem(path, f"is {template.kind[1]!r}, which Katib cannot run"))
    else:
        spec["trialTemplate"] = _explicit(experiment, template).to_document()
    if not spec["parameters"]:
        del spec["parameters"]
    return document, [*warnings, *experiment_warnings(ExperimentDocument.model_validate(document))]


def from_katib(experiment: ExperimentDocument) -> ExperimentDocument:
    """*experiment* as a document of our own group; nothing else changes."""
    return experiment.model_copy(update={"api_version": API_VERSION})


def _objective(objective: Objective) -> dict[str, Any]:
    """The first objective for Katib, which records the metrics of the other objectives."""
    fields = _katib_fields(objective.to_document(), Objective)
    if objective.additional_objectives or objective.constraints:
        fields["additionalMetricNames"] = list(objective.metric_names[1:])
        fields["metricStrategies"] = [
            {"name": name, "value": objective.strategy(name).value}
            for name in objective.metric_names
        ]
    return fields


def _as_katib_reads(space: dict[str, Any], kind: str) -> None:
    """Make texts of the values of a feasible *space*, and `3` of the `3.0` of an integer."""
    if "list" in space:
        space["list"] = [as_text(value) for value in space["list"]]
    for bound in ("min", "max", "step") if kind == "int" else ():
        if bound in space:
            space[bound] = repr(int(as_number(space[bound])))


def _katib_fields(fields: Mapping[str, Any], part: type[Document]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in KATIB_FIELDS[part]}


def _explicit(experiment: ExperimentDocument, template: TrialTemplate) -> TrialTemplate:
    """*template* with every field written out that Katib does not infer."""
    if template.go_template is not None or template.environment_prefix:
        template = _as_trial_spec(experiment, template)
    job = template.trial_spec
    if job is None:
        return template
    metadata = {
        key: value
        for key, value in (job.get("metadata") or {}).items()
        if key not in ("name", "namespace")
    }
    job = {key: value for key, value in job.items() if key != "metadata"}
    if metadata:
        job["metadata"] = metadata
    if pod_without_restart_policy(job) is not None:
        job["spec"] = _with_restart_policy(job["spec"])
    names = dict.fromkeys(name for _, name in places(job, ""))
    conditions = job_conditions(template, *template.kind)
    return template.model_copy(
        update={
            "trial_spec": job,
            "trial_parameters": template.trial_parameters
            or tuple(TrialParameter(name=name, reference=name) for name in names),
            "primary_container_name": template.primary_container_name or first_container(job),
            "success_condition": conditions and conditions.success,
            "failure_condition": conditions and conditions.failure,
        }
    )


def _with_restart_policy(spec: Mapping[str, Any]) -> dict[str, Any]:
    template = spec["template"]
    pod = {**template["spec"], "restartPolicy": "Never"}
    return {**spec, "template": {**template, "spec": pod}}


def _as_trial_spec(experiment: ExperimentDocument, template: TrialTemplate) -> TrialTemplate:
    """*template* with the object that it gives when each value is a placeholder."""
    if template.config_map is not None:
        return template
    names = [parameter.name for parameter in experiment.spec.parameters]
    placeholders = {name: f"${{trialParameters.{name}}}" for name in names}
    job = render_trial(experiment, f"${{trialParameters.{_TRIAL_NAME}}}", placeholders)
    # Every trial sets the object's name and namespace.
    job["metadata"] = {k: v for k, v in job["metadata"].items() if k not in ("name", "namespace")}
    if template.environment_prefix:
        # A value with quotation marks would make other JSON of it.
        del job["metadata"]["annotations"][ASSIGNMENT]
        if not job["metadata"]["annotations"]:
            del job["metadata"]["annotations"]
    used = [name for _, name in places(job, "")]
    references = {name: name for name in names} | {_TRIAL_NAME: "${trialSpec.Name}"}
    return template.model_copy(
        update={
            "go_template": None,
            "environment_prefix": None,
            "trial_spec": job,
            "trial_parameters": tuple(
                TrialParameter(name=name, reference=references[name])
                for name in dict.fromkeys(used)
                if name in references
            ),
        }
    )
