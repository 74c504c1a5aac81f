"""What an experiment says about its trials, defaults resolved, for the trial's own process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hpo_lab.experiment.collector import FileFormat, MetricsCollector, PathKind
from hpo_lab.experiment.job_status import job_conditions
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.template import TrialTemplate
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.workload.local_settings import LocalSettings
from hpo_lab.workload.settings import WorkloadSettings

__all__ = ["workload_settings"]

_CHECKPOINT: Final = "suggestion_trial_dir"
"""The setting of an algorithm by which Katib mounts the folder for a trial's checkpoint."""


def workload_settings(
    experiment: ExperimentDocument,
    template: TrialTemplate,
    job: Mapping[str, Any],
    local: LocalSettings,
) -> WorkloadSettings:
    """What *experiment* says about the trials that run *job*, a rendered object.

    Args:
        experiment: The experiment.
        template: Its trial template.
        job: The object that a trial runs.
        local: How trials run on this machine.

    Raises:
        InvalidInput: It is not known when such a job has succeeded.
    """
    kind = (str(job.get("apiVersion", "")), str(job.get("kind", "")))
    conditions = job_conditions(template, *kind)
    if conditions is None:
        message = f"needs successCondition and failureCondition for the kind {kind[1]!r}"
        raise InvalidInput([Problem("spec.trialTemplate", message)])
    metrics = experiment.spec.metrics_collector_spec or MetricsCollector()
    path = metrics.file_system_path
    rendered = template.model_copy(update={"trial_spec": dict(job)})
    custom = metrics.collector.custom_collector or {}
    http = metrics.http_get
    return WorkloadSettings(
        experiment=experiment.name,
        namespace=experiment.namespace,
        container=template.primary_container_name or "",
        pod_labels=dict(rendered.pod_labels or {}),
        success=conditions.success,
        failure=conditions.failure,
        collector=metrics.kind.value,
        formats=metrics.metrics_format,
        path=path.path or "",
        is_directory=path.kind is PathKind.DIRECTORY,
        is_json=path.format is FileFormat.JSON,
        http={"path": http.path, "port": http.port, "scheme": http.scheme, "host": http.host},
        custom=custom.get("container", custom),
        runtime=local.runtime,
        directory=local.directory,
        paths=local.paths,
        beside=local.beside,
        checkpoint=experiment.spec.algorithm.settings.get(_CHECKPOINT, "").rstrip("/"),
    )
