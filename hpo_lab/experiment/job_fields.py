"""The kinds of jobs whose structure is known, and the fields that hold integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["GROUPS", "INTEGER_FIELDS", "REPLICAS", "TEXT_MAPS"]

INTEGER_FIELDS: Final = frozenset(
    (
        "activeDeadlineSeconds",
        "backoffLimit",
        "backoffLimitPerIndex",
        "completions",
        "containerPort",
        "failureThreshold",
        "fsGroup",
        "hostPort",
        "initialDelaySeconds",
        "maxFailedIndexes",
        "maxReplicas",
        "minReplicas",
        "nodes",
        "numNodes",
        "numWorkers",
        "parallelism",
        "periodSeconds",
        "priority",
        "replicas",
        "runAsGroup",
        "runAsUser",
        "slotsPerWorker",
        "successThreshold",
        "terminationGracePeriodSeconds",
        "timeoutSeconds",
        "ttlSecondsAfterFinished",
    )
)
"""Fields of Jobs, Kubeflow jobs and pods that no API server takes as text."""

TEXT_MAPS: Final = frozenset(
    ("annotations", "labels", "limits", "matchLabels", "nodeSelector", "requests")
)
"""Fields whose keys are names of the user's own choice."""

REPLICAS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "PyTorchJob": ("pytorchReplicaSpecs", ("Master", "Worker")),
    "TFJob": ("tfReplicaSpecs", ("Chief", "Master", "Worker", "PS", "Evaluator")),
    "MPIJob": ("mpiReplicaSpecs", ("Launcher", "Worker")),
    "XGBoostJob": ("xgbReplicaSpecs", ("Master", "Worker")),
    "JAXJob": ("jaxReplicaSpecs", ("Worker",)),
    "PaddleJob": ("paddleReplicaSpecs", ("Master", "Worker")),
}
"""Jobs of Kubeflow's operators: the field with their replicas, and the roles by rank."""

GROUPS: Final[Mapping[str, str]] = {
    "Job": "batch/v1",
    "TrainJob": "trainer.kubeflow.org/v1alpha1",
    **dict.fromkeys(REPLICAS, "kubeflow.org/v1"),
}
"""The `apiVersion` of each kind whose structure is known; another version of its group will do."""
