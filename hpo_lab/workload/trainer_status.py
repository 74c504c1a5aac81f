"""The address to which the pods of a TrainJob push their progress, on this machine.

Follows KEP-2779 of github.com/kubeflow/trainer (`docs/user-guides/trainjob-progress.md` at
8c0f5059): `update_trainjob_status` of Kubeflow's SDK, the callback of transformers and any
program post a `trainerStatus` with metrics to an address of the environment, with a token from a
file. In a cluster the address is HTTPS. Here it is that of this machine alone, so that no
certificate is made: clients read the name of a file with certificates, but need none of them.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

from hpo_lab.collectors.numeric_text import observation_of
from hpo_lab.observation import Observation, check_name
from hpo_lab.trial.folder import append_reports
from hpo_lab.workload.rendezvous import HOST

__all__ = ["trainer_status"]

_PATH: Final = "/apis/trainer.kubeflow.org/v1alpha1/namespaces/{}/trainjobs/{}/status"
_TOKEN: Final = "trainer-token"
_MOST_BYTES: Final = 1024 * 1024
_PATIENCE: Final = 20.0


@contextmanager
def trainer_status(
    namespace: str, trial: str, folder: Path, metrics: str
) -> Iterator[Mapping[str, str]]:
    """Receive the metrics that the pods of a TrainJob push while the context lasts.

    Args:
        namespace: The namespace of the TrainJob.
        trial: Its name.
        folder: The trial's folder, which holds the token.
        metrics: The metrics file, to which the observations are appended.

    Yields:
        The environment variables that the trial's processes need.
    """
    path = _PATH.format(namespace, trial)
    token = secrets.token_urlsafe()
    file = folder / _TOKEN
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as written:
        written.write(token)

    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE

        def do_POST(self) -> None:
            sent = self.headers.get("Authorization", "").removeprefix("Bearer ").encode()
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > _MOST_BYTES:
                self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {_MOST_BYTES} bytes")
                return
            # Read in any case: an answer to what was not read gets lost.
            content = self.rfile.read(int(length))
            if not hmac.compare_digest(sent, token.encode()):
                self._answer(HTTPStatus.UNAUTHORIZED, "the token is another")
            elif self.path != path:
                self._answer(HTTPStatus.NOT_FOUND, f"a trial reports to {path}")
            else:
                self._take(content)

        def _take(self, content: bytes) -> None:
            try:
                status = json.loads(content)
                observations = _observations(status)
            except (ValueError, RecursionError) as error:
                self._answer(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
                return
            if observations:
                append_reports(metrics, observations)
            self._answer(HTTPStatus.OK, "", status)

        def _answer(self, code: HTTPStatus, message: str, document: Any = None) -> None:
            if code is not HTTPStatus.OK:
                document = {"kind": "Status", "status": "Failure", "message": message, "code": code}
            content = json.dumps(document).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing: standard error is the trial's log."""

    class Server(ThreadingHTTPServer):
        # With blocking, the end would wait for connections that the trial has left open.
        block_on_close = False

    with Server((HOST, 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        variables = {
            "KUBEFLOW_TRAINER_SERVER_URL": f"http://{HOST}:{server.server_address[1]}{path}",
            "KUBEFLOW_TRAINER_SERVER_TOKEN": str(file),
            # A proxy of the network would not find this machine.
            "no_proxy": ",".join(filter(None, [_without_proxy(), HOST])),
        }
        if certificates := ssl.get_default_verify_paths().cafile:
            variables["KUBEFLOW_TRAINER_SERVER_CA_CERT"] = certificates
        try:
            yield variables
        finally:
            server.shutdown()
            file.unlink(missing_ok=True)


def _without_proxy() -> str:
    return os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""


def _observations(document: Any) -> list[Observation]:
    """The metrics in a status that was posted.

    Raises:
        ValueError: It is no status, or a store cannot hold a metric of it.
    """
    status = document.get("trainerStatus") if isinstance(document, Mapping) else None
    if not isinstance(status, Mapping):
        raise ValueError("trainerStatus is needed")
    metrics = [] if status.get("metrics") is None else status["metrics"]
    if not isinstance(metrics, list):
        raise ValueError("metrics of a trainerStatus are a list")
    now = time.time()
    observations = []
    for metric in metrics:
        match metric:
            case {"name": str(name), "value": str(value)} if name and value:
                check_name(name)
                observations.append(observation_of(name, value, now))
            case _:
                raise ValueError("a metric has a name and a value, which are texts")
    return observations
