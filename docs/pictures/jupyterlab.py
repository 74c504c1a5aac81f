"""Pictures of the first experiment of the README in JupyterLab, made anew when it is run.

`tune.png` is that of the README, light and while it has just ended; `tune-running.png`,
`tune-dark.png` and `tune-narrow.png` are the same in mid-run, in the dark theme, and 600 px wide.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat.v4
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
README = HERE.parent.parent / "README.md"
DARK = "apputils:change-theme', { theme: 'JupyterLab Dark' }"


def cells() -> list[str]:
    """The cells of the first experiment, up to the one that is tuned."""
    blocks = re.findall(r"```ipython\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    tuned = next(place for place, block in enumerate(blocks) if block.startswith("%%tune"))
    return [block.rstrip("\n") for block in blocks[: tuned + 1]]


@contextmanager
def jupyterlab(root: Path) -> Iterator[str]:
    """The address of a JupyterLab that serves *root*, with nothing of the user's in it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token, home = secrets.token_hex(16), root / ".home"
    names = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    environment = {name: str(home / name.lower()) for name in (*names, "IPYTHONDIR")}
    environment["HPO_LAB_STORE"] = str(home / "hpo.db")
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *(f"--ServerApp.port={port}", f"--ServerApp.root_dir={root}"),
            *(f"--IdentityProvider.token={token}", "--LabApp.expose_app_in_browser=True"),
            *("--LabApp.news_url=None", "--ServerApp.ip=127.0.0.1"),
        ],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            try:
                status = f"http://127.0.0.1:{port}/api/status?token={token}"
                urllib.request.urlopen(status, timeout=10).close()
                break
            except urllib.error.URLError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/lab/tree/digits.ipynb?token={token}&reset"
    finally:
        server.terminate()
        server.wait()


def shoot(page: Page, name: str) -> None:
    """Save the tuned cell with its output."""
    page.wait_for_timeout(500)
    # What is folded under "Pictures" is shown on a page of its own.
    page.evaluate(
        "() => document.querySelectorAll('.hpo-out details').forEach(e => e.open = false)"
    )
    page.locator(".jp-Notebook .jp-CodeCell").last.screenshot(path=HERE / f"{name}.png")


@contextmanager
def notebook_page(sources: list[str], width: int, height: int) -> Iterator[Page]:
    """A page of JupyterLab with a notebook of these cells, whose kernel is there."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in sources],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, root / "digits.ipynb")
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        with jupyterlab(root) as address:
            page = chromium.new_page(viewport={"width": width, "height": height})
            page.goto(address)
            page.get_by_text("| Idle").wait_for(timeout=90_000)
            page.add_style_tag(content=".Toastify{display:none}")  # a question about news
            yield page
        chromium.close()


def command(page: Page, name: str) -> None:
    """Begin a command of JupyterLab; some end only when all cells have run."""
    page.evaluate(f"() => {{ window.jupyterapp.commands.execute('{name}') }}")


def darken(page: Page) -> None:
    """Take the dark theme."""
    page.evaluate(f"() => window.jupyterapp.commands.execute('{DARK})")
    page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    page.locator("#jupyterlab-splash").wait_for(state="detached")


def wait_for_the_end(page: Page) -> None:
    """Wait until the experiment is over and its importances are drawn, too."""
    page.locator(".hpo-out").get_by_text("all 20 trials").wait_for(timeout=300_000)
    page.locator(".hpo-out img[alt*=ANOVA]").wait_for(timeout=90_000)


def main() -> None:
    """Draw them."""
    with notebook_page(cells(), 1060, 2400) as page:
        command(page, "application:toggle-left-area")
        command(page, "notebook:run-all-cells")
        page.locator(".hpo-out img").first.wait_for(timeout=90_000)
        shoot(page, "tune-running")
        wait_for_the_end(page)
        shoot(page, "tune")
        darken(page)
        shoot(page, "tune-dark")
        page.set_viewport_size({"width": 600, "height": 2400})
        shoot(page, "tune-narrow")


if __name__ == "__main__":
    main()
