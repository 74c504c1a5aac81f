"""The address at which a trial serves its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpo_lab.workload.rendezvous import HOST

__all__ = ["served_url"]


def served_url(http: Mapping[str, Any], container: Mapping[str, Any]) -> tuple[str, int]:
    """The address and the port of `source.httpGet`.

    Args:
        http: `path`, `port` (a number, or the name of a port of the container), and
            optionally `scheme` and `host`.
        container: The primary container.

    Raises:
        ValueError: The container has no port of that name.
    """
    port = http.get("port", 8080)
    for named_port in container.get("ports") or ():
        if named_port.get("name") == port:
            port = named_port["containerPort"]
    if not str(port).isdecimal():
        raise ValueError(f"the container has no port called {port!r}")
    scheme = str(http.get("scheme") or "http").lower()
    host = http.get("host") or HOST
    path = str(http.get("path") or "/metrics")
    return f"{scheme}://{host}:{port}/{path.lstrip('/')}", int(port)
