"""Whether this machine can run a job, asked before any trial starts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from hpo_lab.problems import Problem
from hpo_lab.workload.devices import gpus
from hpo_lab.workload.launch import gpu_demand
from hpo_lab.workload.replicas import Replica, chosen, replicas
from hpo_lab.workload.settings import WorkloadSettings

__all__ = ["job_notes", "job_problems"]

_PATH = "spec.trialTemplate.trialSpec"
_KEPT_VOLUMES = ("name", "hostPath", "emptyDir")


def job_problems(job: Mapping[str, Any], settings: WorkloadSettings) -> list[Problem]:
    """Everything that keeps *job*, a rendered object, from being run here."""
    if settings.runtime and shutil.which(settings.runtime) is None:
        return [Problem("--runtime", f"there is no {settings.runtime} on this machine")]
    try:
        found = replicas(job)
        containers = [chosen(one, settings.container) for one in found]
    except ValueError as error:
        return [Problem(_PATH, str(error))]
    problems: list[Problem] = []
    for replica, container in zip(found, containers, strict=True):
        if replica.index == 0 and (replica.role, job.get("kind")) != ("worker", "MPIJob"):
            problems += _container(replica, container, settings)
    demand = sum(map(gpu_demand, containers))
    here = len(gpus(os.environ)) if demand else 0
    if here and demand > here:
        problems.append(Problem(_PATH, f"asks for {demand} GPUs; this machine has {here}"))
    return problems


def job_notes(job: Mapping[str, Any], settings: WorkloadSettings) -> list[Problem]:
    """What of *job* is done in another way here than in a cluster, or not at all."""
    notes = []
    found = replicas(job)
    if any(gpu_demand(chosen(one, settings.container)) for one in found) and not gpus(os.environ):
        notes.append(Problem(_PATH, "asks for GPUs; this machine has none, trials run without"))
    for replica in found:
        if replica.index:
            continue
        others = [
            str(each.get("name"))
            for each in replica.containers
            if each is not chosen(replica, settings.container)
        ]
        if others:
            message = (
                f"{replica.role}: beside the primary container, {', '.join(others)} do not run"
            )
            notes.append(Problem(_PATH, message))
        for volume in (replica.pod.get("spec") or {}).get("volumes") or ():
            kinds = [kind for kind in volume if kind not in _KEPT_VOLUMES]
            if kinds:
                message = f"{replica.role}: volume {volume.get('name')!r} ({kinds[0]}) is not here"
                notes.append(Problem(_PATH, f"{message}; paths in it stay as they are"))
        container = chosen(replica, settings.container)
        for source in container.get("envFrom") or ():
            named = source.get("configMapRef") or source.get("secretRef") or {}
            message = f"{replica.role}: variables from {named.get('name')!r} are not here"
            notes.append(Problem(_PATH, f"{message}; set them in the environment"))
    return notes


def _container(
    replica: Replica, container: Mapping[str, Any], settings: WorkloadSettings
) -> Iterator[Problem]:
    where = f"{_PATH}: {replica.role}"
    if not container.get("command") and not settings.runtime:
        yield Problem(
            where,
            f"container {container.get('name')!r} has no command, and that of its image is not "
            "known here; write it down, or use --runtime docker",
        )
    for entry in container.get("env") or ():
        source = entry.get("valueFrom") or {}
        for kind in ("secretKeyRef", "configMapKeyRef"):
            reference = source.get(kind)
            if reference and not reference.get("optional") and entry["name"] not in os.environ:
                yield Problem(
                    f"{where}: env",
                    f"{entry['name']} comes from {reference.get('name')!r}, which is not on this "
                    f"machine; set {entry['name']} in the environment",
                )
