"""A DB manager for the trials of this machine that push metrics as Katib's SDK does.

`kubeflow.katib.report_metrics` calls `katib-db-manager.kubeflow:6789`, and no environment
variable changes that address. But gRPC reads the address of a proxy from a variable. The
trial gets a proxy that sends calls for that name to its DB manager and passes on all others.

Every user of this machine can connect to the proxy's port. So the proxy asks for a password,
which stands in the variable of this trial alone, and the DB manager has no port but a socket in
a folder of the user.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import selectors
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Final

from hpo_lab.katib_api.observation_logs import ObservationLogs
from hpo_lab.katib_api.rpc import serving
from hpo_lab.observation import Observation
from hpo_lab.trial.folder import append_reports
from hpo_lab.trial.supervise import RUNTIME

__all__ = ["pushed"]

_HOST: Final = "127.0.0.1"
_DB_MANAGER_HOST: Final = "katib-db-manager"
_CONNECTING = 20.0
_CHUNK = 64 * 1024
_USER = "trial"
_LONGEST_LINE, _MOST_LINES = 8192, 100


@contextmanager
def pushed(trial: str, metrics: Path) -> Iterator[Mapping[str, str]]:
    """Receive the metrics that a trial pushes while the context lasts.

    Args:
        trial: The trial's name; reports under other names are ignored.
        metrics: The metrics file, to which the observations are appended.

    Yields:
        The environment variables that the trial's processes need.
    """

    def append(reporter: str, observations: Sequence[Observation]) -> None:
        if reporter == trial and observations:
            append_reports(str(metrics), observations)

    password = secrets.token_urlsafe()
    # The supervisor's folder is removed with it, whatever happens to this process.
    above = os.environ.get(RUNTIME, "")
    runtime = above if Path(above).is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="hpo-", dir=runtime) as folder,
        serving(ObservationLogs(append).services, f"unix:{folder}/db-manager"),
        _proxy(f"{folder}/db-manager", password) as proxy,
    ):
        yield {
            "grpc_proxy": f"http://{_USER}:{password}@{_HOST}:{proxy}",
            "no_grpc_proxy": "localhost,127.0.0.1,::1",
        }


@contextmanager
def _proxy(db_manager: str, password: str) -> Iterator[int]:
    """An HTTP proxy for `CONNECT` that sends calls of the DB manager to a socket.

    Args:
        db_manager: The path of the socket.
        password: Asked of everybody who connects.
    """
    credentials = base64.b64encode(f"{_USER}:{password}".encode())

    class Handler(StreamRequestHandler):
        timeout = _CONNECTING

        def handle(self) -> None:
            method, _, target = self.rfile.readline(_LONGEST_LINE).decode("latin-1").partition(" ")
            is_allowed = False
            for _ in range(_MOST_LINES):
                line = self.rfile.readline(_LONGEST_LINE).strip()
                if not line:
                    break
                name, _, value = line.partition(b":")
                if name.lower() == b"proxy-authorization":
                    sent = value.strip().removeprefix(b"Basic").strip()
                    is_allowed = hmac.compare_digest(sent, credentials)
            host, _, port = target.split(" ")[0].rpartition(":")
            if not is_allowed:
                self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                return
            if method != "CONNECT" or not port.isdecimal():
                self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
                return
            try:
                if host.split(".")[0] == _DB_MANAGER_HOST:
                    upstream = socket.socket(socket.AF_UNIX)
                    upstream.connect(db_manager)
                else:
                    address = host.strip("[]"), int(port)
                    upstream = socket.create_connection(address, _CONNECTING)
            except (OSError, OverflowError):
                self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                return
            with upstream:
                upstream.settimeout(None)
                self.connection.settimeout(None)
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                _join(self.connection, upstream)

    class Server(ThreadingTCPServer):
        daemon_threads = True
        # With blocking, the end would wait for connections that the trial has left open.
        block_on_close = False

    with Server((_HOST, 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def _join(client: socket.socket, upstream: socket.socket) -> None:
    """Pass on the bytes that either side sends, until a side closes."""
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ, upstream)
        selector.register(upstream, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                assert isinstance(key.fileobj, socket.socket)
                try:
                    data = key.fileobj.recv(_CHUNK)
                    if not data:
                        return
                    key.data.sendall(data)
                except OSError:
                    return
