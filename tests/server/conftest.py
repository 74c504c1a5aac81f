"""A Jupyter server with the extension, at the base address of a hub."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import nbformat
import pytest

BASE = "/user/alice/"
CELL = """%%tune maximize score, minimize size --trials 4 --parallel 2 --seed 0 --name parabola
x = 0.5  # tune: uniform(0, 1)
size = x
for step in range(3):
    hpo_lab.report(score=step - (x - 0.3) ** 2, size=size, step=step)
hpo_lab.keep("note", {"x": x})
print("x is", x)"""


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    content: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """The content as plain data."""
        return json.loads(self.content)


@dataclass(frozen=True)
class Server:
    """A running server; its files are those below `root`, its store is `store`."""

    url: str
    token: str
    root: Path
    store: Path
    log: Path
    uids: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> Answer:
        """The answer to a request of `hpo-lab/api`; by default with the token."""
        if headers is None:
            headers = {"Authorization": f"token {self.token}"}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        address = f"{self.url}hpo-lab/api{path}"
        if query:
            address += f"?{urlencode(query, doseq=True)}"
        request = urllib.request.Request(address, data, dict(headers), method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Answer(response.status, response.read(), response.headers)
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(), error.headers)

    def get(self, path: str, **query: Any) -> Any:
        """The plain data at *path*."""
        answer = self.ask("GET", path, **query)
        assert answer.status == 200, answer.content
        return answer.json

    def wait(self, uid: str) -> dict[str, Any]:
        """The experiment *uid* when it is over."""
        for _ in range(600):
            shown: dict[str, Any] = self.get(f"/experiments/{uid}")
            if shown["isOver"]:
                return shown
            time.sleep(0.1)
        pytest.fail(f"it is not over: {shown}")


@pytest.fixture(scope="session")
def server(
    home: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of its own for the tests of this folder."""
    folder = tmp_path_factory.mktemp("server")
    root = folder / "root"
    root.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}{BASE}"
    server = Server(url, secrets.token_hex(8), root, folder / "hpo_lab.db", folder / "log")
    with server.log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
                *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"),
                *("--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}"),
                f"--ServerApp.base_url={BASE}",
                f"--IdentityProvider.token={server.token}",
                "--ServerApp.allow_unauthenticated_access=False",
                "--ServerApp.jpserver_extensions={'hpo_lab.server': True}",
                f"--HpoLab.stores={server.store}",
            ],
            env=os.environ | home(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if server.ask("GET", "").status == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{server.log.read_text()[-3000:]}", pytrace=False)


def write_notebook(path: Path, *cells: str) -> Path:
    """Write a notebook of these code cells."""
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    written = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": spec}
    )
    nbformat.write(written, path)
    return path


@pytest.fixture(scope="session")
def parabola(server: Server) -> str:
    """The uid of an experiment of four trials that has ended; requests began it."""
    write_notebook(server.root / "parabola.ipynb", "import hpo_lab", CELL)
    answer = server.ask("POST", "/experiments", {"path": "parabola.ipynb"})
    assert answer.status == 201, answer.content
    assert answer.json["enrolment"] == "created"
    uid: str = answer.json["uid"]
    assert server.wait(uid)["state"] == "Succeeded"
    return uid
