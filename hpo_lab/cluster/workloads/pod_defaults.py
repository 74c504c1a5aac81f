"""What a pod template gets where its author says nothing: the restricted Pod Security Standard.

Follows https://kubernetes.io/docs/concepts/security/pod-security-standards/. What the author
wrote stays, even where a namespace refuses it.
"""

from __future__ import annotations

from typing import Any, Final

from hpo_lab.cluster.workloads.pod_templates import PodTemplate

__all__ = ["NOBODY", "quieten", "restrict"]

NOBODY: Final = 65532
"""The user and group of a container whose template names none."""

_ISTIO: Final = "sidecar.istio.io/inject"


def quieten(template: PodTemplate) -> None:
    """Keep the pods of *template* from the API server, and their ends from being held up.

    A proxy of Istio beside a trial runs on when the trial has ended, so that its Job never does.
    The message of a container that ends without one is the end of its log.
    """
    if not template.is_whole:
        return
    template.pod.setdefault("automountServiceAccountToken", False)
    template.pod.setdefault("enableServiceLinks", False)
    if template.metadata is not None:
        _mapping(template.metadata, "annotations").setdefault(_ISTIO, "false")
    for container in template.containers:
        container.body.setdefault("terminationMessagePolicy", "FallbackToLogsOnError")


def restrict(template: PodTemplate) -> None:
    """Give the pods of *template* the restricted security context where it says nothing."""
    pod = template.pod
    if not template.can_restrict or (pod.get("os") or {}).get("name") == "windows":
        return
    context = _mapping(pod, "securityContext")
    context.setdefault("seccompProfile", {"type": "RuntimeDefault"})
    containers = [each.body for each in template.containers]
    if template.is_whole:
        containers += [each for each in pod.get("initContainers") or () if isinstance(each, dict)]
    written = [context, *(each.get("securityContext") or {} for each in containers)]
    if not any(each.get("runAsUser") == 0 or each.get("runAsNonRoot") is False for each in written):
        if not any("runAsUser" in each or "runAsNonRoot" in each for each in written):
            context["runAsUser"] = NOBODY
            # The owner of a mounted volume, which the user may then write.
            context.setdefault("fsGroup", NOBODY)
            context.setdefault("fsGroupChangePolicy", "OnRootMismatch")
        context.setdefault("runAsNonRoot", True)
    for container in containers:
        own = container.get("securityContext") or {}
        capabilities = own.get("capabilities") or {}
        if own.get("privileged") or "SYS_ADMIN" in (capabilities.get("add") or ()):
            continue
        own = _mapping(container, "securityContext")
        own.setdefault("allowPrivilegeEscalation", False)
        own.setdefault("capabilities", {"drop": ["ALL"]})


def _mapping(parent: dict[str, Any], name: str) -> dict[str, Any]:
    if not isinstance(parent.get(name), dict):
        parent[name] = {}
    mapping: dict[str, Any] = parent[name]
    return mapping
