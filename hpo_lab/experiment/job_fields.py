"""The fields of a `batch/v1` Job and its pods, and the fields that hold integers.

The names are those of Kubernetes 1.34 (`k8s.io/api/batch/v1`, `k8s.io/api/core/v1`), down
to the container; the API server checks the fields below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["INTEGER_FIELDS", "TEXT_MAPS", "unknown_fields"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


INTEGER_FIELDS: Final = _words(
    """
    activeDeadlineSeconds backoffLimit backoffLimitPerIndex completions containerPort
    failureThreshold fsGroup hostPort initialDelaySeconds maxFailedIndexes maxReplicas
    minReplicas nodes numNodes numWorkers parallelism periodSeconds priority replicas runAsGroup
    runAsUser slotsPerWorker successThreshold terminationGracePeriodSeconds timeoutSeconds
    ttlSecondsAfterFinished
    """
)
"""Fields of Jobs, Kubeflow jobs and pods that no API server takes as text."""

TEXT_MAPS: Final = frozenset(
    ("annotations", "labels", "limits", "matchLabels", "nodeSelector", "requests")
)
"""Fields whose keys are names of the user's own choice."""

_JOB = _words(
    """
    activeDeadlineSeconds backoffLimit backoffLimitPerIndex completionMode completions managedBy
    manualSelector maxFailedIndexes parallelism podFailurePolicy podReplacementPolicy selector
    successPolicy suspend template ttlSecondsAfterFinished
    """
)
_POD = _words(
    """
    activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy
    enableServiceLinks ephemeralContainers hostAliases hostIPC hostNetwork hostPID hostUsers
    hostname hostnameOverride imagePullSecrets initContainers nodeName nodeSelector os overhead
    preemptionPolicy priority priorityClassName readinessGates resourceClaims resources
    restartPolicy runtimeClassName schedulerName schedulingGates securityContext serviceAccount
    serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain
    terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes workloadRef
    """
)
_CONTAINER = _words(
    """
    args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports
    readinessProbe resizePolicy resources restartPolicy restartPolicyRules securityContext
    startupProbe stdin stdinOnce terminationMessagePath terminationMessagePolicy tty
    volumeDevices volumeMounts workingDir
    """
)


def unknown_fields(job: Mapping[str, Any]) -> Iterator[tuple[str, str, frozenset[str]]]:
    """The fields of a Job that Kubernetes does not know.

    Yields:
        The path of the mapping, the field, and the fields that the mapping may have.
    """
    template = _mapping(_mapping(job, "spec"), "template")
    pod = _mapping(template, "spec")
    levels = [
        ("", job, _words("apiVersion kind metadata spec status")),
        (".spec", _mapping(job, "spec"), _JOB),
        (".spec.template", template, _words("metadata spec")),
        (".spec.template.spec", pod, _POD),
    ]
    for role in ("initContainers", "containers"):
        containers = pod.get(role)
        for index, container in enumerate(containers if isinstance(containers, list) else ()):
            if isinstance(container, Mapping):
                levels.append((f".spec.template.spec.{role}[{index}]", container, _CONTAINER))
    for path, mapping, fields in levels:
        yield from ((path, field, fields) for field in mapping if field not in fields)


def _mapping(parent: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = parent.get(field)
    return value if isinstance(value, Mapping) else {}
