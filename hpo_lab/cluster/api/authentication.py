"""Where the API server is, and as whom it is asked.

The package `kubernetes` resolves the files and plugins of a kubeconfig; nothing else of it is used.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["Access", "Credentials", "find_credentials", "kubeconfig_credentials", "pod_credentials"]

_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_LASTS = 60.0
"""Seconds after which credentials are read again: the token of a pod is replaced while it lives."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """What a request needs to be let in.

    Attributes:
        authorization: The header of that name; empty for none.
        ssl: For a server of `https`.
        server_name: The name in the server's certificate, where that is not the host's.
        proxy: The address of a proxy.
    """

    authorization: str = ""
    ssl: ssl.SSLContext | None = None
    server_name: str | None = None
    proxy: str | None = None


class Credentials:
    """An API server, and access to it, which is looked up again each minute and when it is refused.

    Attributes:
        host: The address, such as `https://10.0.0.1:443`.
        namespace: The namespace of whoever asks.
    """

    def __init__(self, host: str, namespace: str, resolve: Callable[[bool], Access]) -> None:
        """Prepare.

        Args:
            host: The address.
            namespace: The namespace.
            resolve: Looks the access up, in a thread; it is told whether the last was refused.
        """
        self.host = host.rstrip("/")
        self.namespace = namespace
        self._resolve = resolve
        self._access: Access | None = None
        self._until = 0.0
        self._is_refused = False
        self._lock = asyncio.Lock()

    async def access(self) -> Access:
        """What the next request needs.

        Raises:
            InvalidInput: There is no access. Where there was, it is kept as long as it serves.
        """
        async with self._lock:
            if self._access is None or time.monotonic() >= self._until:
                try:
                    self._access = await asyncio.to_thread(self._resolve, self._is_refused)
                    self._is_refused = False
                except (InvalidInput, OSError) as error:
                    if self._access is None:
                        raise
                    _log.warning("credentials could not be renewed: %s", error)
                self._until = time.monotonic() + _LASTS
            return self._access

    def refused(self) -> None:
        """Note that the server did not accept them: they are looked up for the next request."""
        self._is_refused = True
        self._until = 0.0


def find_credentials(context: str = "") -> Credentials:
    """Those of *context* or of KUBECONFIG, else of the pod that this is, else of `~/.kube/config`.

    Raises:
        InvalidInput: There are none.
    """
    if context or os.environ.get("KUBECONFIG") or "KUBERNETES_SERVICE_HOST" not in os.environ:
        return kubeconfig_credentials(context)
    return pod_credentials()


def pod_credentials(account: Path = _ACCOUNT) -> Credentials:
    """Those of the service account of the pod that this process is in.

    Args:
        account: The folder of the account, with `token`, `ca.crt` and `namespace`.

    Raises:
        InvalidInput: This process is in no pod, or the pod has no service account.
    """
    host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    names = ("namespace", "token", "ca.crt")
    problems = [
        Problem(
            str(account / name), "is not there; a pod needs a service account to ask its cluster"
        )
        for name in names
        if not (account / name).is_file()
    ]
    if not host:
        message = "is not set; this process is in no pod of a cluster"
        problems.insert(0, Problem("KUBERNETES_SERVICE_HOST", message))
    if problems:
        raise InvalidInput(problems, "the pod's account")
    contexts = _Contexts()

    def resolve(is_refused: bool) -> Access:
        token = (account / "token").read_text().strip()
        return Access(f"Bearer {token}", contexts.get(str(account / "ca.crt")))

    address = f"[{host}]" if ":" in host else host
    namespace = (account / "namespace").read_text().strip()
    return Credentials(f"https://{address}:{port}", namespace, resolve)


def kubeconfig_credentials(context: str = "", path: str = "") -> Credentials:
    """Those of a context of a kubeconfig.

    Args:
        context: Its name; empty for the file's current context.
        path: The file, or several, separated as in KUBECONFIG; empty for those of KUBECONFIG, else
            `~/.kube/config`.

    Raises:
        InvalidInput: There is no such file or context, or it gives no access.
    """
    path = path or os.environ.get("KUBECONFIG") or "~/.kube/config"
    documents = _documents(path)
    name = context or next(filter(None, (each.get("current-context") for each in documents)), "")
    chosen = _entry(documents, "context", name, path)
    cluster = _entry(documents, "cluster", chosen.get("cluster") or "", path)
    user = _entry(documents, "user", chosen["user"], path) if chosen.get("user") else {}
    server = cluster.get("server") or ""
    if not str(server).startswith(("http://", "https://")):
        where = f"cluster {chosen['cluster']!r}"
        raise InvalidInput(
            [Problem(where, f"has the server {server!r}, which is no address")], path
        )
    contexts = _Contexts()
    configurations: list[Any] = []

    def resolve(is_refused: bool) -> Access:
        if is_refused or not configurations:
            configurations[:] = [_configuration(path, name)]
        (configuration,) = configurations
        # Runs the plugin again where its token has expired.
        token = configuration.auth_settings().get("BearerToken", {}).get("value") or ""
        if "exec" in user and not token and not configuration.cert_file:
            command = (user["exec"] or {}).get("command")
            message = f"the command {command!r} of the user gave no credentials; run it to see why"
            raise InvalidInput([Problem(f"context {name!r}", message)], path)
        return Access(
            token,
            contexts.get(
                configuration.ssl_ca_cert,
                configuration.cert_file,
                configuration.key_file,
                verifies=configuration.verify_ssl,
            )
            if str(server).startswith("https")
            else None,
            configuration.tls_server_name,
            configuration.proxy,
        )

    return Credentials(server, chosen.get("namespace") or "default", resolve)


def _documents(path: str) -> list[dict[str, Any]]:
    """The files of *path* that exist, read."""
    import yaml

    files = [Path(part).expanduser() for part in path.split(os.pathsep) if part]
    present = [file for file in files if file.is_file()]
    if not present:
        names = ", ".join(map(str, files))
        message = f"there is no file {names}; set KUBECONFIG to a kubeconfig of your cluster"
        raise InvalidInput([Problem("kubeconfig", message)])
    documents = []
    for file in present:
        try:
            document = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            message = f"cannot be read: {' '.join(str(error).split())}"
            raise InvalidInput([Problem(str(file), message)]) from error
        if not isinstance(document, dict):
            raise InvalidInput([Problem(str(file), "is no kubeconfig")])
        documents.append(document)
    return documents


def _entry(
    documents: Sequence[Mapping[str, Any]], what: str, name: str, path: str
) -> dict[str, Any]:
    """The context, cluster or user called *name*: of files that have it, the first counts."""
    entries: dict[str, dict[str, Any]] = {}
    for document in documents:
        for entry in document.get(f"{what}s") or []:
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                entries.setdefault(entry["name"], entry.get(what) or {})
    if name in entries:
        return entries[name]
    names = ", ".join(map(repr, entries)) or "none"
    if name:
        message = f"{name!r} is not there; there are {names}{nearest(name, list(entries))}"
    else:
        message = f"no {what} is chosen; there are {names}"
    raise InvalidInput([Problem(what, message)], path)


def _configuration(path: str, context: str) -> Any:
    """The configuration that the package `kubernetes` makes of a context."""
    try:
        from kubernetes.client import Configuration
        from kubernetes.config import ConfigException, load_kube_config
    except ImportError as error:
        message = f"needs the package kubernetes ({error}); pip install 'hpo_lab[cluster]'"
        raise InvalidInput([Problem("kubeconfig", message)]) from error
    configuration = Configuration()
    try:
        load_kube_config(path, context, client_configuration=configuration)
    except (ConfigException, OSError, ValueError) as error:
        raise InvalidInput([Problem(f"context {context!r}", str(error))], path) from error
    return configuration


class _Contexts:
    """The TLS context of some files, which is the same until their content changes."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._context: ssl.SSLContext | None = None

    def get(
        self,
        authority: str | None,
        certificate: str | None = None,
        key: str | None = None,
        *,
        verifies: bool = True,
    ) -> ssl.SSLContext:
        files = (authority, certificate, key)
        contents = tuple(Path(file).read_bytes() if file else b"" for file in files)
        if self._context is None or self._key != (verifies, contents):
            context = ssl.create_default_context(cafile=authority)
            # Authorities that clusters make for themselves lack fields that RFC 5280 demands.
            context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
            if certificate:
                context.load_cert_chain(certificate, key)
            if not verifies:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self._key, self._context = (verifies, contents), context
        return self._context
