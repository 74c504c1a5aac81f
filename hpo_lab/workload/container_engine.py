"""A container of a trial as the command line of Docker or Podman."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from hpo_lab.trial.folder import TRIAL_FOLDER

__all__ = ["ENGINES", "container_command", "container_name", "remove_containers"]

ENGINES = ("docker", "podman")
_PATIENCE = 20.0


def container_name(folder: str, *parts: str) -> str:
    """The name of a running container: the same for every attempt of a trial, and no other's.

    Args:
        folder: The folder of the trial, which tells it from one of the same name elsewhere.
        *parts: The trial, the replica and the container, for people.
    """
    return "-".join([*parts, hashlib.sha256(folder.encode()).hexdigest()[:12]])


def remove_containers(engine: str, names: Sequence[str]) -> None:
    """Have *engine* kill and remove the containers called *names*, where there are any."""
    # Each by itself: an engine may stop at the first that there is not.
    removals = []
    for name in names:
        with suppress(OSError):
            removals.append(
                subprocess.Popen(
                    [engine, "rm", "--force", name],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
    until = time.monotonic() + _PATIENCE
    for removal in removals:
        try:
            removal.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            removal.kill()
            removal.wait()


def container_command(
    engine: str,
    name: str,
    container: Mapping[str, Any],
    environment: Mapping[str, str],
    places: Mapping[str, str],
    gpus: Sequence[str],
) -> list[str]:
    """The command line that runs *container* in the foreground.

    The container uses the network of this machine, so that replicas and collectors reach it.

    Args:
        engine: `docker` or `podman`.
        name: The name of the running container.
        container: The container of a pod; without a command it runs the command of its image.
        environment: All variables of the container.
        places: Folders of this machine by path in the container.
        gpus: Indexes of the GPUs that the container may use.
    """
    command_line = [engine, "run", "--rm", "--init", "--name", name, "--network", "host"]
    for path, place in places.items():
        command_line += ["--volume", f"{place}:{path}"]
    folder = environment.get(TRIAL_FOLDER)
    if folder:
        command_line += ["--volume", f"{folder}:{folder}"]
    for variable in environment:
        # The engine takes the value from its own environment; other users can read arguments.
        command_line += ["--env", variable]
    if gpus and engine == "docker":
        command_line += ["--gpus", f'"device={",".join(gpus)}"']
    elif gpus:
        command_line += [word for gpu in gpus for word in ("--device", f"nvidia.com/gpu={gpu}")]
    if container.get("workingDir"):
        command_line += ["--workdir", str(container["workingDir"])]
    command = [str(word) for word in container.get("command") or ()]
    arguments = [str(word) for word in container.get("args") or ()]
    if command:
        command_line += ["--entrypoint", command[0]]
    return [*command_line, str(container.get("image", "")), *command[1:], *arguments]
