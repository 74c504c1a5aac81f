"""Translation of a container's paths to paths of this machine.

A container has a file system of its own, a process does not. In the command, the arguments
and the variables of a container, the paths of its mounted and collected folders are
therefore replaced by paths of this machine. So trials that run at the same time have
separate files, and no trial needs the rights of root.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

__all__ = ["collected_folder", "mounts", "own_parents", "translate"]


def collected_folder(path: str, *, is_directory: bool) -> str:
    """The path in the container of the folder that a collector shares with the trial.

    As in Katib it is the collected directory, or the directory of the collected file. For a
    file in `/` it is the path of the file.
    """
    if is_directory or PurePosixPath(path).parent == PurePosixPath("/"):
        return path.rstrip("/")
    return str(PurePosixPath(path).parent)


def own_parents(shared: str, foreign: Collection[str]) -> Iterator[str]:
    """The parents of the collected folder that a trial may write to instead of that folder.

    A program that is given `/logs` may write to `/logs/test`, which is collected. Left out are
    the parents that hold something else on this machine, and that have to do with a folder of
    *foreign*, such as a mounted one: the trial may read from these.

    Args:
        shared: The collected folder, an absolute path in the container.
        foreign: Paths in the container that lead elsewhere.
    """
    child = PurePosixPath(shared)
    for parent in child.parents[:-1]:
        others = [PurePosixPath(path) for path in foreign]
        is_foreign = any(
            parent.is_relative_to(path) or path.is_relative_to(parent) for path in others
        )
        if is_foreign or _holds_other(Path(parent), child.name):
            return
        yield str(parent)
        child = parent


def _holds_other(folder: Path, name: str) -> bool:
    """Whether *folder* exists and has entries beside the one called *name*."""
    try:
        return any(entry.name != name for entry in folder.iterdir())
    except NotADirectoryError:
        return True
    except OSError:
        return folder.exists()


def mounts(pod: Mapping[str, Any], container: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Folders of this machine by path in *container*, from the volumes of *pod*.

    A `hostPath` is the same path here, and an `emptyDir` is a folder below *folder*. Other
    volumes are left out.
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
    """*text* with the paths of *places* replaced, also at the beginning of longer paths.

    The longest path counts; `/train` is no part of `/training` or `data/train`.
    """
    if not places:
        return text
    alternatives = "|".join(re.escape(path) for path in sorted(places, key=len, reverse=True))
    pattern = rf"(?<![\w./~$}}-])(?:{alternatives})(?![\w-]|\.\w)"
    return re.sub(pattern, lambda match: places[match[0]], text)
