"""The parts that tests of more than one room need."""

from __future__ import annotations

import importlib.util
import itertools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import hypothesis
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# No property says how fast it is: the machine may be busy.
hypothesis.settings.register_profile(
    "hpo_lab", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("hpo_lab")

collect_ignore_glob = ["*.ipynb"]  # nbval runs the notebooks of notebooks/, not test data


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it puts into the background like this, and children inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

Require = Callable[[str, object, str], None]


@pytest.fixture(scope="session")
def require() -> Require:
    """`require(part, found, how)`: skip unless *found*; fail where HPO_LAB_REQUIRE names *part*.

    *how* says how to get the part, as in `"apt-get install chromium"`.
    """
    required = os.environ.get("HPO_LAB_REQUIRE", "").split(",")

    def require(part: str, found: object, how: str) -> None:
        if found:
            return
        if part in required:
            pytest.fail(f"{part} is required here but missing: {how}", pytrace=False)
        pytest.skip(f"{part} is missing: {how}")

    return require


@pytest.fixture(scope="module")
def chromium(require: Require) -> Iterator[Browser]:
    """A headless Chromium driven by Playwright.

    It ends with the module, because Playwright's event loop would stop every later
    `asyncio.run` of the same thread.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = next(filter(None, map(shutil.which, names)), None)
    require("browser", executable, "apt-get install chromium")
    require("browser", importlib.util.find_spec("playwright"), "pip install playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--disable-gpu", "--disable-quic", "--disable-sync"]
        )
        yield browser
        browser.close()


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab server; its files are those below `root`."""

    url: str
    token: str
    root: Path

    def page(self, notebook: str = "") -> str:
        """The address to open in a browser: of Lab, or of the *notebook* below `root` in it."""
        path = f"tree/{quote(notebook)}" if notebook else ""
        # Without what earlier pages left open in the workspace.
        return f"{self.url}/lab/{path}?token={self.token}&reset"


@pytest.fixture(scope="session")
def jupyterlab(
    require: Require,
    home: Callable[[Path], dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Lab]:
    """A JupyterLab server with its own folders; `window.jupyterapp` is set in its pages."""
    require("jupyterlab", importlib.util.find_spec("jupyterlab"), "pip install jupyterlab")
    folder = tmp_path_factory.mktemp("jupyterlab")
    root = folder / "root"
    root.mkdir()
    environment = home(folder)
    settings = Path(environment["JUPYTER_CONFIG_DIR"]) / "lab" / "user-settings" / "@jupyterlab"
    (settings / "apputils-extension").mkdir(parents=True)
    # Nobody is there to answer whether news may be fetched.
    news = settings / "apputils-extension" / "notification.jupyterlab-settings"
    news.write_text('{"fetchNews": "false"}')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # The base address is that of a person at a hub.
    lab = Lab(f"http://127.0.0.1:{port}/user/ada", secrets.token_hex(16), root)
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"),
                *("--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}"),
                "--ServerApp.base_url=/user/ada/",
                f"--IdentityProvider.token={lab.token}",
                "--LabApp.expose_app_in_browser=True",
                "--JupyterNotebookApp.expose_app_in_browser=True",
                "--LabApp.news_url=None",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            ],
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(lab, server, log)
        yield lab
    finally:
        _stop(server)


def _wait_until_ready(lab: Lab, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{lab.url}/api/status?token={lab.token}", timeout=10).close()
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}", pytrace=False)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:  # it sometimes hangs at exit on a worker thread
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _program(name: str) -> str | None:
    found = [str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    return shutil.which(name) or max(found, default=None)


@pytest.fixture(scope="session")
def postgresql_url(require: Require) -> Iterator[str]:
    """URL of a throw-away PostgreSQL server, without a database's name."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    require("postgresql", initdb and pg_ctl, "apt-get install postgresql")
    assert initdb and pg_ctl
    folder = Path(tempfile.mkdtemp(prefix="hpo-lab-postgresql-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    data = str(folder / "data")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} "
        "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    )

    def run(*command: str) -> None:
        # The server inherits the output, so that a pipe would never end.
        with (folder / "output").open("ab") as output:
            subprocess.run(
                [*as_user, *command], cwd=folder, stdout=output, stderr=output, check=True
            )

    try:
        run(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        run(pg_ctl, "-D", data, "-o", options, "-w", "start")
        yield f"postgresql://postgres@127.0.0.1:{port}"
        run(pg_ctl, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_database(postgresql_url: str) -> Callable[[], str]:
    """`new_database()`: URL of a new, empty database of that server."""
    import psycopg

    numbers = itertools.count()

    def create() -> str:
        name = f"test_{next(numbers)}"
        with psycopg.connect(f"{postgresql_url}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"{postgresql_url}/{name}"

    return create
