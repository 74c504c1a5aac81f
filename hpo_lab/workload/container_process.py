"""The process of this machine that runs a replica's container."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpo_lab.trial.folder import TRIAL_FOLDER
from hpo_lab.workload.configuration import Configuration
from hpo_lab.workload.container import command_words, variables
from hpo_lab.workload.container_engine import container_command, container_name
from hpo_lab.workload.paths import mounts, translate
from hpo_lab.workload.rendezvous import HOST
from hpo_lab.workload.replicas import Replica
from hpo_lab.workload.settings import WorkloadSettings
from hpo_lab.workload.shell_words import shell_reading

__all__ = ["Launch", "container_process", "gpu_demand"]


@dataclass(frozen=True, slots=True)
class Launch:
    """The arguments for starting a process.

    Attributes:
        name: The name of the process in messages.
        words: The program and its arguments.
        environment: All variables of the process.
        directory: The working directory.
        notes: Sentences about what differs from the manifest.
        container: The name of the running container; empty for a process.
    """

    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    directory: str
    notes: tuple[str, ...] = ()
    container: str = ""


def gpu_demand(container: Mapping[str, Any]) -> int:
    """The number of GPUs that *container* asks for."""
    resources = container.get("resources") or {}
    for kind in ("limits", "requests"):
        amount = (resources.get(kind) or {}).get("nvidia.com/gpu")
        if amount is not None:
            return int(amount)
    return 0


def container_process(
    container: Mapping[str, Any],
    replica: Replica,
    settings: WorkloadSettings,
    *,
    trial: str,
    operator_variables: Mapping[str, str],
    places: Mapping[str, str],
    folder: Path,
    gpus: Sequence[str] | None = None,
    by_shell: bool = False,
) -> Launch:
    """The process of *container*.

    Args:
        container: One of the containers of *replica*.
        replica: The pod.
        settings: The settings of the experiment.
        trial: Name of the trial.
        operator_variables: Variables that the job's operator would set.
        places: Folders of this machine by path in the container.
        folder: The replica's own folder.
        gpus: The GPUs that the process may use; None where the container asks for no GPU.
        by_shell: Whether a shell reads the words of the command, as in Katib.

    Raises:
        ValueError: The container cannot be run on this machine.
    """
    places = {**places, **mounts(replica.pod, container, folder)}
    operator_variables = {
        "KATIB_TRIAL_NAME": trial,
        "TRIAL_NAME": trial,
        "EXPERIMENT_NAME": settings.experiment,
        "NAMESPACE": settings.namespace,
        TRIAL_FOLDER: str(folder),
        **operator_variables,
    }
    if gpus is not None:
        operator_variables["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
    facts = _facts(replica, trial, settings)
    configuration = Configuration.read(settings.beside)
    own = variables(container, facts, {**os.environ, **operator_variables}, configuration)
    environment = {**operator_variables, **own}
    if settings.runtime:
        name = container_name(str(folder), trial, replica.name, str(container.get("name", "main")))
        expanded = {
            **container,
            "command": command_words({"command": container.get("command")}, environment),
            "args": command_words({"args": container.get("args")}, environment),
        }
        if by_shell:
            read = shell_reading([*expanded["command"], *expanded["args"]])
            expanded |= {"command": read, "args": []}
        words = container_command(settings.runtime, name, expanded, environment, places, gpus or ())
        everything = {**os.environ, **environment}
        return Launch(replica.name, words, everything, settings.directory, container=name)
    words = command_words(container, environment)
    if by_shell:
        words = shell_reading(words)
    words = [translate(word, places) for word in words]
    if not container.get("command"):
        raise ValueError(
            f"container {container.get('name')!r} has no command; that of its image is not "
            "known here: write it down, or use a container runtime"
        )
    everything = {
        **os.environ,
        # `python` is the interpreter of this process.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        **operator_variables,
        **{key: translate(value, places) for key, value in own.items()},
    }
    if shutil.which(words[0], path=everything["PATH"]) is None:
        raise ValueError(f"{replica.name}: there is no program {words[0]!r} on this machine")
    directory, notes = _directory(container, places, settings.directory)
    return Launch(replica.name, words, everything, directory, notes)


def _directory(
    container: Mapping[str, Any], places: Mapping[str, str], default: str
) -> tuple[str, tuple[str, ...]]:
    path = container.get("workingDir")
    if not path:
        return default, ()
    place = translate(str(path), places)
    if Path(place).is_dir():
        return place, ()
    return default, (f"there is no {path} on this machine; running in {default}",)


def _facts(replica: Replica, trial: str, settings: WorkloadSettings) -> dict[str, Any]:
    """The fields of the pod that a `fieldRef` can name."""
    metadata = replica.pod.get("metadata") or {}
    labels = {**replica.labels, "katib.kubeflow.org/experiment": settings.experiment}
    return {
        "labels": labels,
        "annotations": metadata.get("annotations") or {},
        "metadata.name": f"{trial}-{replica.name}",
        "metadata.namespace": settings.namespace,
        "metadata.uid": f"{settings.namespace}-{trial}-{replica.name}",
        "spec.nodeName": socket.gethostname(),
        "spec.serviceAccountName": "default",
        "status.hostIP": HOST,
        "status.podIP": HOST,
        "status.podIPs": HOST,
    }
