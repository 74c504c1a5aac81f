"""The dashboard in JupyterLab, as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat.v4
import pytest
from jupyter_core.paths import jupyter_path

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

    from tests.conftest import Lab, Require

pytestmark = pytest.mark.browser

_CELLS = [
    "%load_ext hpo_lab",
    "import time\n\ndef score(lr, units):\n    time.sleep(0.3)\n    print('lr is', lr)\n"
    "    return 1 - abs(lr - 0.01) - abs(units - 64) / 640",
    "%%tune maximize accuracy --trials 900 --parallel 2 --seed 0 --name boarded\n"
    "lr = 0.05  # tune: loguniform(1e-4, 1e-1)\n"
    "units = 32  # tune: int(16, 256)\n"
    "accuracy = score(lr, units)",
    "import hpo_lab\nhpo_lab.Dashboard('boarded')",
]


def _errors(said: ConsoleMessage) -> list[str]:
    """What a browser's console says of an error, but for JupyterLab's own."""
    # It asks for language servers again and again, also where the server has none.
    is_own = "/lsp/status" in said.location["url"]
    return [said.text] if said.type == "error" and not is_own else []


def _open(page: Page, lab: Lab, path: str) -> None:
    page.goto(lab.page(path))
    page.get_by_text("| Idle").wait_for(timeout=90_000)


def _run(page: Page, command: str) -> None:
    # It resolves when the cells are done, which nobody waits for here.
    page.evaluate(f"() => {{ window.jupyterapp.commands.execute('{command}') }}")


def test_a_dashboard_is_used_and_leaves_a_static_picture(
    chromium: Browser, jupyterlab: Lab, require: Require, tmp_path: Path
) -> None:
    folders = jupyter_path("labextensions", "anywidget")
    require("anywidget", any(Path(each).is_dir() for each in folders), "pip install anywidget")
    folder = jupyterlab.root / "boards"
    folder.mkdir()
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in _CELLS],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, folder / "board.ipynb")
    page = chromium.new_page(viewport={"width": 1400, "height": 1300})
    errors: list[str] = []
    page.on("console", lambda said: errors.extend(_errors(said)))
    page.on("pageerror", lambda error: errors.append(str(error)))
    _open(page, jupyterlab, "boards/board.ipynb")
    _run(page, "notebook:run-all-cells")

    board = page.locator(".hpo-widget")
    board.get_by_text("Running", exact=True).first.wait_for(timeout=90_000)
    board.locator(".hpo-panel svg").first.wait_for(timeout=60_000)
    board.get_by_role("heading", name="Best values").wait_for(timeout=60_000)
    board.scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "overview.png")

    board.get_by_role("tab", name="Search space").click()
    board.get_by_role("img", name="Search space").wait_for()
    board.get_by_role("tab", name="Trials").click()
    board.get_by_label("Filter of trials").fill("number < 2")
    board.get_by_text("2 of").wait_for()
    assert board.locator(".hpo-panel tbody tr").count() == 2
    # It goes on changing, and who writes is not disturbed.
    board.get_by_label("Filter of trials").press_sequentially(" lr = 0.05")
    board.get_by_text("1 of").wait_for()
    page.wait_for_timeout(1500)
    assert board.get_by_label("Filter of trials").input_value() == "number < 2 lr = 0.05"
    board.locator(".hpo-panel tbody tr").click()
    drawer = board.get_by_role("complementary", name="Trial")
    drawer.get_by_text("lr is 0.05").wait_for()
    drawer.get_by_text("As written", exact=True).wait_for()
    page.screenshot(path=tmp_path / "trial.png")
    page.keyboard.press("Escape")
    drawer.wait_for(state="hidden")

    board.get_by_role("button", name="Budget…").click()
    board.get_by_label("At a time").fill("0")
    board.get_by_role("button", name="Change").click()
    board.get_by_role("alert").get_by_text("parallel: 0 is too small").wait_for()
    board.get_by_role("button", name="Stop").click()
    board.get_by_role("button", name="Resume").wait_for(timeout=60_000)
    board.get_by_text("Stopped", exact=True).wait_for()

    dark = "apputils:change-theme', { theme: 'JupyterLab Dark' }"
    page.evaluate(f"() => window.jupyterapp.commands.execute('{dark})")
    page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    board.get_by_role("tab", name="Importances").click()
    board.get_by_role("img", name="Slices").wait_for(timeout=30_000)
    page.screenshot(path=tmp_path / "dark.png")

    board.get_by_role("button", name="Close").click()
    static = page.locator(".jp-CodeCell").nth(3).locator(".jp-OutputArea .hpo-out")
    static.get_by_text("opens the dashboard again").wait_for(timeout=30_000)
    assert board.count() == 0
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    saved = (folder / "board.ipynb").read_text("utf-8")
    assert "widget-view" not in saved
    assert "<img alt" in json.loads(saved)["cells"][3]["outputs"][0]["data"]["text/html"]

    page.evaluate("() => window.jupyterapp.commands.execute('kernelmenu:shutdown')")
    page.get_by_text("| No Kernel").or_(page.get_by_text("| Unknown")).first.wait_for()
    errors.clear()
    page.goto(jupyterlab.page("boards/board.ipynb"))
    static.get_by_text("opens the dashboard again").wait_for(timeout=60_000)
    page.screenshot(path=tmp_path / "reopened.png")
    assert "model not found" not in page.content()
    assert errors == []
