"""What a person sees in JupyterLab of a long set-up, of trials that all fail, and afterwards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat.v4
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.conftest import Lab

pytestmark = pytest.mark.browser

_CELLS = [
    "%load_ext hpo_lab",
    "import time\ntime.sleep(6)\nrate = 2",
    "def score(lr):\n    return lr * rate / {}['missing']",
    "%%tune maximize accuracy --trials 30 --parallel 2\n"
    "lr = 0.05  # tune: loguniform(1e-4, 1e-1)\n"
    "accuracy = score(lr)",
]


def test_a_set_up_and_a_failure_are_seen_and_found_again(
    chromium: Browser, jupyterlab: Lab, tmp_path: Path
) -> None:
    folder = jupyterlab.root / "states"
    folder.mkdir()
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in _CELLS],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, folder / "states.ipynb")
    page = chromium.new_page(viewport={"width": 1100, "height": 1000})
    page.goto(jupyterlab.page("states/states.ipynb"))
    page.get_by_text("| Idle").wait_for(timeout=90_000)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")

    shown = page.locator(".hpo-out")
    setting_up = re.compile(r"running the 2 set-up cells, \d+(\.\d+)? s")
    shown.get_by_text(setting_up).wait_for(timeout=90_000)
    shown.get_by_text("2 waiting").wait_for()
    shown.get_by_text("Waiting", exact=True).first.wait_for()
    shown.get_by_text("as of").wait_for()
    page.screenshot(path=tmp_path / "set-up.png")

    shown.get_by_text("trials failed with KeyError: 'missing'").wait_for(timeout=90_000)
    shown.get_by_text("2     return lr * rate / {}['missing']").wait_for()
    assert "as of" not in shown.inner_text()
    page.screenshot(path=tmp_path / "failed.png")

    # A later day: another kernel, which has started nothing.
    notebook.cells = [nbformat.v4.new_code_cell("%load_ext hpo_lab\n%hpo show")]
    nbformat.write(notebook, folder / "later.ipynb")
    page.evaluate("() => window.jupyterapp.commands.execute('application:close-all')")
    page.goto(jupyterlab.page("states/later.ipynb"))
    page.locator(".jp-CodeCell").get_by_text("%hpo show").wait_for(timeout=90_000)
    page.get_by_text("| Idle").wait_for(timeout=90_000)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    page.get_by_text("states, the newest of this folder").wait_for(timeout=60_000)
    shown.get_by_text("trials failed with KeyError: 'missing'").wait_for()
    page.screenshot(path=tmp_path / "later.png")
