"""Checks whether this machine can run a job, before any trial starts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from hpo_lab.problems import Problem, nearest
from hpo_lab.workload.configuration import Configuration
from hpo_lab.workload.container import command_words
from hpo_lab.workload.container_process import gpu_demand
from hpo_lab.workload.devices import gpus
from hpo_lab.workload.rendezvous import started
from hpo_lab.workload.replicas import Replica, chosen, primary, replicas
from hpo_lab.workload.settings import WorkloadSettings
from hpo_lab.workload.shell_words import is_read_by_shell, reading_notes

__all__ = ["job_notes", "job_problems"]

_PATH = "spec.trialTemplate.trialSpec"
_OF_IMAGE = "that of its image is not known here; write it down, or use --runtime docker"
_OF_RUNTIME = "changes pods of the training runtime, which is not here; leave it out"
_ONLY_IN_A_CLUSTER = {
    "initializer": "loads data or a model in pods of its own, which is not done here; have them "
    "on this machine and leave it out",
    **dict.fromkeys(("runtimePatches", "podTemplateOverrides", "podSpecOverrides"), _OF_RUNTIME),
    "suspend": "is true, and nothing here would resume the TrainJob; leave it out",
}
"""Fields of a TrainJob that this machine cannot carry out, and why."""
_KEPT_VOLUMES = ("name", "hostPath", "emptyDir")


def job_problems(
    job: Mapping[str, Any], settings: WorkloadSettings, configuration: Configuration
) -> list[Problem]:
    """The problems that prevent this machine from running *job*, a rendered object."""
    if settings.runtime and shutil.which(settings.runtime) is None:
        return [Problem("--runtime", f"there is no {settings.runtime} on this machine")]
    try:
        members = replicas(job)
        containers = [chosen(replica, settings.container) for replica in members]
    except ValueError as error:
        return [Problem(_PATH, str(error))]
    crew = started(str(job.get("kind")), members)
    if not crew:
        return [Problem(_PATH, f"the {job.get('kind')} has no launcher")]
    problems = [
        *_train_job(job),
        *_primary_container(primary(crew, settings.pod_labels), job, settings),
    ]
    if (
        settings.collector == "Custom"
        and not settings.runtime
        and not settings.custom.get("command")
    ):
        path = "spec.metricsCollectorSpec.collector.customCollector.command"
        problems.append(Problem(path, f"is missing, and {_OF_IMAGE}"))
    for replica, container in zip(members, containers, strict=True):
        if replica.index == 0 and (replica.role, job.get("kind")) != ("worker", "MPIJob"):
            problems += _container(replica, container, settings, configuration)
    demand = sum(map(gpu_demand, containers))
    here = len(gpus(os.environ)) if demand else 0
    if here and demand > here:
        problems.append(Problem(_PATH, f"asks for {demand} GPUs; this machine has {here}"))
    return problems


def job_notes(
    job: Mapping[str, Any], settings: WorkloadSettings, *, has_own_labels: bool = False
) -> list[Problem]:
    """The parts of *job* that this machine does in another way than a cluster, or not at all.

    Args:
        job: The object.
        settings: The settings of the experiment.
        has_own_labels: Whether the manifest says itself which pod is the primary pod.
    """
    notes = []
    members = replicas(job)
    main = primary(started(str(job.get("kind")), members), settings.pod_labels)
    labels = settings.pod_labels
    if has_own_labels and not labels.items() <= main.labels.items():
        message = f"no pod has these labels; {main.name} counts as the primary pod"
        notes.append(Problem("spec.trialTemplate.primaryPodLabels", message))
    container = chosen(main, settings.container)
    if is_read_by_shell(container, main, settings, is_primary=True):
        variables = {entry["name"]: entry["name"] for entry in container.get("env") or ()}
        words = command_words(container, variables)
        notes += [Problem(f"{_PATH}: {main.role}", text) for text in reading_notes(words)]
    if any(gpu_demand(chosen(replica, settings.container)) for replica in members) and not gpus(
        os.environ
    ):
        notes.append(Problem(_PATH, "asks for GPUs; this machine has none, trials run without"))
    for replica in members:
        if replica.index:
            continue
        names = [
            str(container.get("name"))
            for container in replica.containers
            if container is not chosen(replica, settings.container)
        ]
        if names:
            message = f"{replica.role}: beside the primary container, {', '.join(names)} do not run"
            notes.append(Problem(_PATH, message))
        for volume in (replica.pod.get("spec") or {}).get("volumes") or ():
            kinds = [kind for kind in volume if kind not in _KEPT_VOLUMES]
            if kinds:
                message = f"{replica.role}: volume {volume.get('name')!r} ({kinds[0]}) is not here"
                notes.append(Problem(_PATH, f"{message}; paths in it stay as they are"))
    return notes


def _train_job(job: Mapping[str, Any]) -> Iterator[Problem]:
    fields = (job.get("spec") or {}) if job.get("kind") == "TrainJob" else {}
    for field, reason in _ONLY_IN_A_CLUSTER.items():
        if fields.get(field):
            yield Problem(f"{_PATH}.spec.{field}", reason)


def _primary_container(
    replica: Replica, job: Mapping[str, Any], settings: WorkloadSettings
) -> Iterator[Problem]:
    names = [str(container.get("name")) for container in replica.containers]
    # The container of a TrainJob is called as its runtime says.
    if settings.container and settings.container not in names and job.get("kind") != "TrainJob":
        hint = nearest(settings.container, names) or f"; its containers are {', '.join(names)}"
        message = f"{settings.container!r} is no container of {_PATH}.{replica.path}{hint}"
        yield Problem("spec.trialTemplate.primaryContainerName", message)


def _container(
    replica: Replica,
    container: Mapping[str, Any],
    settings: WorkloadSettings,
    configuration: Configuration,
) -> Iterator[Problem]:
    where = f"{_PATH}: {replica.role}"
    if not container.get("command") and not settings.runtime:
        yield Problem(
            where,
            f"container {container.get('name')!r} has no command, and {_OF_IMAGE}",
        )
    for index, source in enumerate(container.get("envFrom") or ()):
        try:
            configuration.variables(source)
        except ValueError as error:
            yield Problem(f"{where}: envFrom[{index}]", str(error))
    for entry in container.get("env") or ():
        try:
            yield from _variable(entry, configuration, f"{where}: env")
        except ValueError as error:
            yield Problem(f"{where}: env", f"{entry['name']}: {error}")


def _variable(
    entry: Mapping[str, Any], configuration: Configuration, where: str
) -> Iterator[Problem]:
    source = entry.get("valueFrom") or {}
    for kind in ("secretKeyRef", "configMapKeyRef"):
        reference = source.get(kind)
        if not reference or reference.get("optional") or entry["name"] in os.environ:
            continue
        if configuration.entry(reference, secret=kind == "secretKeyRef") is None:
            yield Problem(
                where,
                f"{entry['name']} comes from {reference.get('name')!r}, which is not on this "
                f"machine; give it by --with FILE, or set {entry['name']} in the environment",
            )
