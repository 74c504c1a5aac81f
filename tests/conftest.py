"""The parts that tests of more than one room need."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

collect_ignore_glob = ["*.ipynb"]  # nbval runs the notebooks of notebooks/, not test data


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
        return f"{self.url}/lab/{path}?token={self.token}"


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
    lab = Lab(f"http://127.0.0.1:{port}", secrets.token_hex(16), root)
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"),
                *("--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}"),
                f"--IdentityProvider.token={lab.token}",
                "--LabApp.expose_app_in_browser=True",
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
