"""Paths of a container on this machine.

A container has a file system of its own, a process has not. What a manifest says about
paths is therefore translated: in the command, the arguments and the variables of its
containers each known path of a container is replaced by that of a folder of this machine.
So trials that run at the same time keep apart, and nothing needs the rights of root.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

__all__ = ["collected_folder", "mounts", "translate"]


def collected_folder(path: str, *, is_directory: bool) -> str:
    """The folder that a collector shares with the trial, as a container knows it.

    As in Katib that is the collected directory, or the one the collected file is in; a file
    in `/` stands for itself.
    """
    if is_directory or PurePosixPath(path).parent == PurePosixPath("/"):
        return path.rstrip("/")
    return str(PurePosixPath(path).parent)


def mounts(pod: Mapping[str, Any], container: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Folders of this machine by path in *container*, from the volumes of *pod*.

    A `hostPath` is itself, an `emptyDir` a folder below *folder*; others are left out.
    """
    volumes = {
        volume.get("name"): volume for volume in (pod.get("spec") or {}).get("volumes") or ()
    }
    places = {}
    for mount in container.get("volumeMounts") or ():
        volume = volumes.get(mount.get("name")) or {}
        if "hostPath" in volume:
            place = Path(volume["hostPath"]["path"])
        elif "emptyDir" in volume:
            place = folder / "volumes" / str(volume["name"])
            place.mkdir(parents=True, exist_ok=True)
        else:
            continue
        places[str(mount["mountPath"]).rstrip("/")] = str(place / mount.get("subPath", ""))
    return places


def translate(text: str, places: Mapping[str, str]) -> str:
    """*text* with each path of *places*, whole or at the beginning of a longer one, replaced.

    The longest known path counts; `/train` is no part of `/training` or `data/train`.
    """
    if not places:
        return text
    alternatives = "|".join(re.escape(path) for path in sorted(places, key=len, reverse=True))
    pattern = rf"(?<![\w./~$}}-])(?:{alternatives})(?![\w-]|\.\w)"
    return re.sub(pattern, lambda match: places[match[0]], text)
