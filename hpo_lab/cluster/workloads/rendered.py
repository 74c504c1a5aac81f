"""From a trial to the object that it runs in a cluster.

The object is that of the experiment's template, with the name of the trial, which belongs to the
Trial object. Where its author says nothing, its pods get what a trial needs to report, to keep
its checkpoint and to run under the restricted Pod Security Standard.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from hpo_lab.cluster.resources.names import (
    PRIORITY_LABEL,
    QUEUE_LABEL,
    object_labels,
    owner_reference,
    trial_object_name,
)
from hpo_lab.cluster.workloads.checkpoints import copy_parent, mount_checkpoint
from hpo_lab.cluster.workloads.job_policies import SUSPENDING, set_job_policies
from hpo_lab.cluster.workloads.kinds import kind_of, put_at
from hpo_lab.cluster.workloads.options import CheckpointVolume, Reporting, WorkloadOptions
from hpo_lab.cluster.workloads.pod_defaults import quieten, restrict
from hpo_lab.cluster.workloads.pod_templates import (
    ContainerTemplate,
    PodTemplate,
    pod_templates,
    primary_templates,
)
from hpo_lab.cluster.workloads.volumes import add_variables, add_volume, mount
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.rendering import render_trial
from hpo_lab.experiment.template import TrialTemplate
from hpo_lab.experiment.trial import Trial
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.trial.checkpoint import CHECKPOINT_DIR

__all__ = ["ATTEMPT_LABEL", "REPORTING_FOLDER", "render_workload"]

ATTEMPT_LABEL: Final = "hpolab.dev/attempt"
"""Label of workloads and pods with the attempt of the trial, counted from 1."""

REPORTING_FOLDER: Final = "/var/run/hpo-lab"
"""Where a pod has its token and the certificate of the collector."""

_IDENTITY: Final = "hpolab.dev/"
_REPORTING_VOLUME: Final = "hpo-lab-reporting"
_CHECKPOINT_SETTING: Final = "suggestion_trial_dir"
_SLACK = 60
"""Seconds by which a workload outlives the trial's time limit, which the controller enforces."""


def render_workload(
    experiment: ExperimentDocument,
    trial: Trial,
    owner: Mapping[str, Any],
    options: WorkloadOptions,
    *,
    seed: int,
    config_map: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The object that an attempt of *trial* runs; the same whenever it is asked for.

    Args:
        experiment: The experiment with the template.
        trial: The trial.
        owner: The Trial object, as the API server returned it.
        options: What the cluster adds.
        seed: For random numbers that the code of the trial does not seed, in [0, 2**63).
        config_map: The `data` of the ConfigMap that the template refers to, if any.

    Raises:
        InvalidInput: The object cannot be made of the template.
    """
    template = _template(experiment)
    name = trial_object_name(experiment.name, trial.number)
    rendered = render_trial(experiment, name, trial.assignments, config_map=config_map)
    workload: dict[str, Any] = _without_identity(rendered)
    shown = template.model_copy(update={"trial_spec": workload})
    labels = object_labels(experiment, name) | {ATTEMPT_LABEL: str(trial.attempt)}
    _own(workload, experiment, owner, labels)
    _queue(workload, options)
    limit = experiment.spec.trial_active_deadline_seconds
    deadline = kind_of(workload).deadline
    if limit is not None and deadline:
        put_at(workload, deadline, math.ceil(limit) + _SLACK)
    templates = pod_templates(workload, shown.pod_labels)
    primary = primary_templates(workload, templates, shown.pod_labels)
    # Kueue knows the pods of a kind that it does not know itself.
    is_queued = kind_of(workload).is_queued
    pod_queue = {} if is_queued else _queue_labels(workload["metadata"]["labels"])
    checkpoints = _checkpoints(experiment, options)
    variables = _variables(experiment, trial, name, seed)
    for pod in templates:
        container = pod.chosen(template.primary_container_name or "")
        if pod.metadata is not None:
            _put_labels(pod.metadata, pod_queue, labels)
        quieten(pod)
        if container is not None:
            add_variables(container, variables)
            if options.reporting is not None and pod in primary:
                _report(pod, container, options.reporting)
            if checkpoints is not None:
                folder = _folder(experiment, owner, trial.number)
                mount_checkpoint(pod, container, checkpoints, folder, options.grace_seconds)
                add_variables(container, {CHECKPOINT_DIR: checkpoints.path})
                if trial.parent is not None and pod in primary:
                    _continue(pod, container, checkpoints, experiment, owner, trial)
        if options.is_restricted:
            restrict(pod)
    set_job_policies(workload, options.version, template.primary_container_name or "")
    return workload


def _template(experiment: ExperimentDocument) -> TrialTemplate:
    template = experiment.spec.trial_template
    path = "spec.trialTemplate"
    if template is None:
        raise InvalidInput([Problem(path, "is missing; say what a trial runs")])
    if template.is_ours:
        message = f"is {template.kind[1]!r}, which runs on a machine; a cluster runs Jobs"
        raise InvalidInput([Problem(f"{path}.trialSpec.kind", message)])
    return template


def _without_identity(value: Any) -> Any:
    """A copy of *value* in which no label is ours: these tell whose metrics a pod reports."""
    if isinstance(value, dict):
        return {
            key: _without_identity(item)
            for key, item in value.items()
            if not str(key).startswith(_IDENTITY)
        }
    return [_without_identity(item) for item in value] if isinstance(value, list) else value


def _own(
    workload: dict[str, Any],
    experiment: ExperimentDocument,
    owner: Mapping[str, Any],
    labels: Mapping[str, str],
) -> None:
    """Have *workload* belong to *owner*, the Trial object, and be found by its *labels*."""
    _put_labels(workload["metadata"], _queue_labels(experiment.metadata.labels or {}), labels)
    workload["metadata"]["ownerReferences"] = [owner_reference(owner)]


def _put_labels(
    metadata: dict[str, Any], defaults: Mapping[str, str], labels: Mapping[str, str]
) -> None:
    """Put *labels* into *metadata*, and *defaults* where its author says nothing."""
    metadata["labels"] = {**defaults, **(metadata.get("labels") or {}), **labels}


def _queue(workload: dict[str, Any], options: WorkloadOptions) -> None:
    """Hold *workload* back where it waits in a queue of Kueue, which lets it go."""
    kind = kind_of(workload)
    is_job = workload.get("kind") == "Job"
    is_new_enough = not is_job or options.version >= SUSPENDING
    # Kueue itself holds back a RayJob, of which only those can be that end their cluster.
    holds = kind.is_queued and workload.get("kind") != "RayJob"
    if QUEUE_LABEL in workload["metadata"]["labels"] and holds and is_new_enough:
        put_at(workload, kind.suspend, True)


def _queue_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Those of *labels* that name a queue of Kueue and a priority in it."""
    return {key: text for key, text in labels.items() if key in (QUEUE_LABEL, PRIORITY_LABEL)}


def _variables(
    experiment: ExperimentDocument, trial: Trial, name: str, seed: int
) -> dict[str, str]:
    return {
        "HPO_LAB_EXPERIMENT": experiment.name,
        "HPO_LAB_NAMESPACE": experiment.namespace,
        "HPO_LAB_TRIAL": name,
        "HPO_LAB_TRIAL_NUMBER": str(trial.number),
        "HPO_LAB_ATTEMPT": str(trial.attempt),
        "HPO_LAB_SEED": str(seed),
        # Names that manifests for Katib refer to.
        "KATIB_TRIAL_NAME": name,
        "TRIAL_NAME": name,
        "EXPERIMENT_NAME": experiment.name,
        "NAMESPACE": experiment.namespace,
    }


def _report(pod: PodTemplate, container: ContainerTemplate, reporting: Reporting) -> None:
    """Give *container* the address of the collector, and a token that is good for nothing else."""
    token = {
        "path": "token",
        "audience": reporting.audience,
        "expirationSeconds": reporting.token_seconds,
    }
    sources: list[dict[str, Any]] = [{"serviceAccountToken": token}]
    variables = {
        "HPO_LAB_COLLECTOR_URL": reporting.url,
        "HPO_LAB_TOKEN_FILE": f"{REPORTING_FOLDER}/token",
    }
    if reporting.ca_config_map:
        items = [{"key": "ca.crt", "path": "ca.crt"}]
        sources.append({"configMap": {"name": reporting.ca_config_map, "items": items}})
        variables["HPO_LAB_CA_FILE"] = f"{REPORTING_FOLDER}/ca.crt"
    add_volume(pod, _REPORTING_VOLUME, {"projected": {"sources": sources}})
    mount(container, _REPORTING_VOLUME, REPORTING_FOLDER, readOnly=True)
    add_variables(container, variables)


def _checkpoints(
    experiment: ExperimentDocument, options: WorkloadOptions
) -> CheckpointVolume | None:
    """The volume for checkpoints, at the path that the settings of the algorithm name."""
    volume = options.checkpoints
    path = experiment.spec.algorithm.settings.get(_CHECKPOINT_SETTING, "").rstrip("/")
    if volume is None or not path:
        return volume
    return CheckpointVolume(volume.claim, path, volume.image)


def _folder(experiment: ExperimentDocument, owner: Mapping[str, Any], number: int) -> str:
    """The folder of a trial on the volume; an experiment of the same name has another."""
    references = owner["metadata"].get("ownerReferences") or [{}]
    uid = str(references[0].get("uid", ""))
    return f"{experiment.name}-{uid}/{trial_object_name(experiment.name, number)}"


def _continue(
    pod: PodTemplate,
    container: ContainerTemplate,
    checkpoints: CheckpointVolume,
    experiment: ExperimentDocument,
    owner: Mapping[str, Any],
    trial: Trial,
) -> None:
    assert trial.parent is not None
    if not pod.is_whole:
        raise InvalidInput(
            [
                Problem(
                    "spec.trialTemplate.trialSpec.kind",
                    "describes no pods to which the checkpoint of another trial could be copied; "
                    f"{experiment.spec.algorithm.algorithm_name!r} continues from checkpoints",
                )
            ]
        )
    image = checkpoints.image or str(container.body.get("image", ""))
    folder = _folder(experiment, owner, trial.number)
    parent = _folder(experiment, owner, trial.parent)
    copy_parent(pod, checkpoints, image, folder, parent)
