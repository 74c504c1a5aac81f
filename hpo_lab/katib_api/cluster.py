"""Early stopping in a cluster: the condition `EarlyStopped` of a stopped trial."""

from __future__ import annotations

import json
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hpo_lab.experiment.status_document import timestamp

__all__ = ["ApiServer", "ClusterError", "mark_early_stopped"]

_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT = 30.0
_TRIES = 5


class ClusterError(RuntimeError):
    """The cluster did not answer, or refused."""


class _Conflict(ClusterError):
    """The object has changed since it was read."""


@dataclass(frozen=True, slots=True)
class ApiServer:
    """A Kubernetes API server and the credentials for it.

    Attributes:
        url: The address, such as `https://10.0.0.1:443`.
        namespace: The namespace of the trials.
        token: The bearer token; empty to send no token.
        authority: The file of the certificate authority; None for the system's authorities.
    """

    url: str
    namespace: str
    token: str = ""
    authority: Path | None = None

    @classmethod
    def of_pod(cls) -> ApiServer:
        """The API server of the cluster that this process is a pod of.

        Raises:
            ClusterError: This process is in no pod.
        """
        host = os.environ.get("KUBERNETES_SERVICE_HOST")
        port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            raise ClusterError("this process is in no pod of a cluster")
        try:
            namespace, token = (
                (_ACCOUNT / name).read_text().strip() for name in ("namespace", "token")
            )
        except OSError as error:
            raise ClusterError(f"the pod has no service account: {error}") from error
        if ":" in host:
            host = f"[{host}]"
        return cls(f"https://{host}:{port}", namespace, token, _ACCOUNT / "ca.crt")

    def mark_early_stopped(self, trial: str, now: float) -> None:
        """Add the condition `EarlyStopped` to a trial, unless it is there.

        Args:
            trial: The name of the trial.
            now: Seconds since the epoch.

        Raises:
            ClusterError: The server refused or did not answer.
        """
        # The name comes from a client, so it is quoted: it must not lead to another resource.
        name = urllib.parse.quote(trial, safe="")
        path = f"/apis/kubeflow.org/v1beta1/namespaces/{self.namespace}/trials/{name}"
        trial_object = self._ask("GET", path)
        conditions = trial_object.get("status", {}).get("conditions", [])
        if any(condition.get("type") == "EarlyStopped" for condition in conditions):
            return
        at = timestamp(now)
        stopped = {
            "type": "EarlyStopped",
            "status": "True",
            "reason": "TrialEarlyStopped",
            "message": "Trial is early stopped",
            "lastUpdateTime": at,
            "lastTransitionTime": at,
        }
        # With the version the server refuses the change if Katib has changed the object.
        version = trial_object.get("metadata", {}).get("resourceVersion")
        change = {
            "metadata": {"resourceVersion": version},
            "status": {"conditions": [*conditions, stopped]},
        }
        self._ask("PATCH", f"{path}/status", change)

    def _ask(self, method: str, path: str, change: Mapping[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if change is None else json.dumps(change).encode(),
            headers={"Content-Type": "application/merge-patch+json"},
        )
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        context = ssl.create_default_context(cafile=self.authority)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT, context=context) as reply:
                return json.load(reply)
        except (OSError, ValueError) as error:
            conflict = isinstance(error, urllib.error.HTTPError) and error.code == 409
            kind = _Conflict if conflict else ClusterError
            raise kind(f"{method} {path}: {error}") from error


def mark_early_stopped(trial: str) -> None:
    """Add the condition `EarlyStopped` to *trial* in the cluster of this pod.

    After a conflict with a change by Katib, the function tries again.

    Raises:
        ClusterError: The server refused or did not answer.
    """
    server = ApiServer.of_pod()
    for _ in range(_TRIES - 1):
        with suppress(_Conflict):
            return server.mark_early_stopped(trial, time.time())
    return server.mark_early_stopped(trial, time.time())
