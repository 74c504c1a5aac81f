"""What a cluster adds to the workloads of all trials."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CheckpointVolume", "Reporting", "WorkloadOptions"]


@dataclass(frozen=True, slots=True)
class Reporting:
    """How the pods of trials report their metrics.

    Attributes:
        url: The address of the collector.
        audience: Whom the token of a pod is for.
        token_seconds: How long a token lasts, at least 600; the kubelet renews it in time.
        ca_config_map: The ConfigMap in the namespace of the trial whose `ca.crt` has signed the
            collector's certificate; empty for a certificate that every image trusts.
    """

    url: str
    audience: str = "hpo-lab"
    token_seconds: int = 3600
    ca_config_map: str = ""


@dataclass(frozen=True, slots=True)
class CheckpointVolume:
    """The volume with the checkpoints of an experiment.

    Attributes:
        claim: The claim (ReadWriteMany) in the namespace of the experiment.
        path: Where a trial has its folder.
        image: What copies the checkpoint that a trial continues from, with `sh` and `cp`; empty
            for the image of the trial.
    """

    claim: str
    path: str = "/var/lib/hpo-lab/checkpoint"
    image: str = ""


@dataclass(frozen=True, slots=True)
class WorkloadOptions:
    """What is added to the workloads of all trials of an experiment.

    Attributes:
        version: The version of Kubernetes, `(1, 34)`.
        reporting: How pods report; None where their metrics are collected otherwise.
        checkpoints: Where checkpoints are; None where a trial that continues from another begins
            anew.
        is_restricted: Whether pods get the restricted security context where their template says
            nothing.
        grace_seconds: How long a pod with a checkpoint has to write it once it is to end.
    """

    version: tuple[int, int] = (1, 34)
    reporting: Reporting | None = None
    checkpoints: CheckpointVolume | None = None
    is_restricted: bool = True
    grace_seconds: int = 120
