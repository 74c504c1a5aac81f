"""What an experiment says about its trials, defaults resolved, for the trial's own process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hpo_lab.experiment.collector import FileFormat, MetricsCollector, PathKind
from hpo_lab.experiment.job_status import job_conditions
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.template import TrialTemplate
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.workload.settings import WorkloadSettings

__all__ = ["BESIDE_PREFIX", "DIRECTORY", "PATH_PREFIX", "RUNTIME", "workload_settings"]

DIRECTORY: Final = "hpolab.dev/working-directory"
"""Annotation of an experiment: where its processes run that do not say so themselves."""
RUNTIME: Final = "hpolab.dev/runtime"
"""Annotation of an experiment: `docker` or `podman`, where its containers run in one."""
_CHECKPOINT: Final = "suggestion_trial_dir"
"""The setting of an algorithm by which Katib mounts the folder for a trial's checkpoint."""
PATH_PREFIX: Final = "path.hpolab.dev/"
"""Prefix of annotations such as `path.hpolab.dev/0: /opt/model=/home/me/model`."""

BESIDE_PREFIX: Final = "with.hpolab.dev/"
"""Prefix of annotations that name files with ConfigMaps and Secrets."""


def workload_settings(
    experiment: ExperimentDocument, template: TrialTemplate, job: Mapping[str, Any]
) -> WorkloadSettings:
    """What *experiment* says about the trials that run *job*, a rendered object.

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
    annotations = experiment.metadata.annotations or {}
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
        runtime=annotations.get(RUNTIME, ""),
        directory=annotations.get(DIRECTORY, str(Path.cwd())),
        paths=dict(
            _pair(value) for key, value in annotations.items() if key.startswith(PATH_PREFIX)
        ),
        beside=tuple(value for key, value in annotations.items() if key.startswith(BESIDE_PREFIX)),
        checkpoint=experiment.spec.algorithm.settings.get(_CHECKPOINT, "").rstrip("/"),
    )


def _pair(text: str) -> tuple[str, str]:
    path, _, place = text.partition("=")
    return path.rstrip("/"), place
