"""The folder of a trial's checkpoint on a volume that all trials of an experiment share.

Each trial sees its own folder alone, by a subPath. A trial that continues from another gets a
copy of that checkpoint before it starts, so that two that continue from the same do not meet.
"""

from __future__ import annotations

from typing import Any, Final

from hpo_lab.cluster.workloads.options import CheckpointVolume
from hpo_lab.cluster.workloads.pod_templates import ContainerTemplate, PodTemplate
from hpo_lab.cluster.workloads.volumes import add_volume, mount

__all__ = ["copy_parent", "mount_checkpoint"]

_VOLUME: Final = "hpo-lab-checkpoints"
_OWN, _PARENT = "/checkpoint", "/parent"
# An attempt that follows another finds the mark, and goes on from the trial's own checkpoint.
_COPY: Final = (
    f"test -e {_OWN}/.hpo-lab-copied || "
    f"{{ cp -R {_PARENT}/. {_OWN}/ && touch {_OWN}/.hpo-lab-copied; }}"
)


def mount_checkpoint(
    template: PodTemplate,
    container: ContainerTemplate,
    checkpoints: CheckpointVolume,
    folder: str,
    grace_seconds: int,
) -> None:
    """Give *container* the *folder* of the volume as its checkpoint.

    Args:
        template: The pod template of the container.
        container: The container.
        checkpoints: The volume.
        folder: The trial's folder on the volume.
        grace_seconds: How long a pod has to write the checkpoint once it is to end.
    """
    _add(template, checkpoints)
    mount(container, _VOLUME, checkpoints.path, subPath=folder)
    if template.is_whole:
        template.pod.setdefault("terminationGracePeriodSeconds", grace_seconds)


def copy_parent(
    template: PodTemplate, checkpoints: CheckpointVolume, image: str, folder: str, parent: str
) -> None:
    """Have a first container of the pods copy the checkpoint in the folder *parent* to *folder*.

    Args:
        template: A whole pod template.
        checkpoints: The volume.
        image: Has `sh` and `cp`.
        folder: The folder of the trial on the volume.
        parent: The folder of the trial that it continues from.
    """
    _add(template, checkpoints)
    first: dict[str, Any] = {
        "name": "hpo-lab-checkpoint",
        "image": image,
        "command": ["sh", "-c", _COPY],
        "volumeMounts": [
            {"name": _VOLUME, "mountPath": _OWN, "subPath": folder},
            {"name": _VOLUME, "mountPath": _PARENT, "subPath": parent, "readOnly": True},
        ],
    }
    template.pod["initContainers"] = [first, *(template.pod.get("initContainers") or ())]


def _add(template: PodTemplate, checkpoints: CheckpointVolume) -> None:
    add_volume(template, _VOLUME, {"persistentVolumeClaim": {"claimName": checkpoints.claim}})
