"""A DB manager for the trials of this machine that push metrics as Katib's SDK does.

`kubeflow.katib.report_metrics` calls `katib-db-manager.kubeflow:6789`, and no environment
variable changes that address. But gRPC reads the address of a proxy from a variable. The
trial gets a proxy that sends calls for that name to this machine and passes on all others.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Final

from hpo_lab.katib_api.observation_logs import ObservationLogs
from hpo_lab.katib_api.rpc import serving
from hpo_lab.observation import Observation, report_line

__all__ = ["pushed"]

_HOST: Final = "127.0.0.1"
_DB_MANAGER_HOST: Final = "katib-db-manager"
_CONNECTING = 20.0
_CHUNK = 64 * 1024


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
            with metrics.open("ab", buffering=0) as file:
                # One write, so that a reader sees whole lines.
                file.write(
                    "".join(
                        f"{report_line(observation)}\n" for observation in observations
                    ).encode()
                )

    with (
        serving(ObservationLogs(append).services, f"{_HOST}:0") as port,
        _proxy(port) as proxy,
    ):
        yield {
            "grpc_proxy": f"http://{_HOST}:{proxy}",
            "no_grpc_proxy": "localhost,127.0.0.1,::1",
        }


@contextmanager
def _proxy(db_manager: int) -> Iterator[int]:
    """An HTTP proxy for `CONNECT` that sends calls of the DB manager to a local port."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            method, _, target_text = self.rfile.readline().decode("latin-1").partition(" ")
            while self.rfile.readline().strip():
                pass
            host, _, port = target_text.split(" ")[0].rpartition(":")
            if method != "CONNECT" or not port.isdecimal():
                self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
                return
            target = (host.strip("[]"), int(port))
            if target[0].split(".")[0] == _DB_MANAGER_HOST:
                target = (_HOST, db_manager)
            try:
                upstream = socket.create_connection(target, _CONNECTING)
            except OSError:
                self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                return
            with upstream:
                upstream.settimeout(None)
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
