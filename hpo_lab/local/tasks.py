"""From a trial of an experiment to the task of the process that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hpo_lab.experiment.model import API_VERSION, ExperimentDocument, Value
from hpo_lab.experiment.rendering import render_trial
from hpo_lab.experiment.trial import trial_name
from hpo_lab.trial.folder import Task
from hpo_lab.workload.described import workload_settings
from hpo_lab.workload.local_settings import LocalSettings

__all__ = ["task_of"]


def task_of(
    experiment: ExperimentDocument, number: int, assignments: Mapping[str, Value], source: Path
) -> Task:
    """The task of trial *number*: the object to run, rendered, and what goes with it.

    Args:
        experiment: The experiment.
        number: Which trial it is.
        assignments: Its values by parameter name.
        source: Folder with the experiment's source files.

    Raises:
        InvalidInput: The template and the assignment do not fit.
    """
    template = experiment.spec.trial_template
    own = template is None or template.kind[0] == API_VERSION
    job: Mapping[str, Any] = (template.trial_spec if template else None) or {}
    workload: dict[str, Any] = {}
    if template is not None and not own:
        job = render_trial(experiment, trial_name(experiment.name, number), assignments)
        local = LocalSettings.of(experiment, source)
        workload = asdict(workload_settings(experiment, template, job, local))
    return Task(
        experiment=experiment.name,
        number=number,
        trial_spec=job,
        assignments=assignments,
        metrics=experiment.spec.objective.metric_names,
        source=str(source),
        workload=workload,
    )
