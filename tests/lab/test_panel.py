"""The panel in the side bar of JupyterLab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hpo_lab.facade.experiments import Experiments
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_file
from tests.lab.conftest import execute, write_cells

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.conftest import Lab

pytestmark = pytest.mark.browser

CELL = """%%tune maximize accuracy --trials 400 --parallel 2 --seed 0 --name from-outside
import time
lr = 0.05  # tune: loguniform(1e-4, 1e-1)
time.sleep(0.3)
accuracy = 1 - abs(lr - 0.01)"""


def test_the_panel_from_nothing_to_a_stopped_experiment(
    chromium: Browser,
    jupyterlab: Lab,
    watched: Callable[[BrowserContext], list[str]],
    axe: Callable[[Page, str], list[str]],
    tmp_path: Path,
) -> None:
    context = chromium.new_context(viewport={"width": 1000, "height": 800})
    errors = watched(context)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "/hpo-lab/api" in sent.url else None)
    # Other tests may have used the store.
    nothing = {"experiments": [], "silent": []}
    page.route("**/hpo-lab/api/experiments", lambda route: route.fulfill(json=nothing))
    page.goto(jupyterlab.page())
    page.locator(".jp-Launcher").first.wait_for(timeout=90_000)
    assert asked == []

    execute(page, "hpo-lab:show-panel")
    panel = page.locator("#hpo-lab-panel")
    panel.get_by_text("No experiments yet").wait_for(timeout=60_000)
    panel.get_by_role("button", name="Copy into a new cell").click()
    code = page.locator(".jp-Notebook .jp-CodeCell .cm-content")
    code.filter(has_text="%%tune maximize accuracy").wait_for(timeout=60_000)
    code.filter(has_text="%load_ext hpo_lab").wait_for()
    page.screenshot(path=tmp_path / "empty.png")

    # It is started by another program, and moves by itself.
    page.unroute("**/hpo-lab/api/experiments")
    write_cells(jupyterlab.root / "outside.ipynb", CELL)
    prepared = prepare_file(jupyterlab.root / "outside.ipynb", TuneOptions(), None)
    store = jupyterlab.root.parent / "hpo_lab.db"
    experiment, _ = Experiments(store).run(prepared)
    row = panel.get_by_role("option", name="from-outside")
    row.get_by_text("1 of 400").wait_for(timeout=60_000)
    row.get_by_text("5 of 400").wait_for(timeout=60_000)
    row.locator(".jp-HpoSparkline").wait_for()
    page.locator(".jp-HpoStatus").get_by_text("2 trials running").wait_for()
    page.screenshot(path=tmp_path / "running.png")

    execute(page, "apputils:change-theme", theme="JupyterLab Dark")
    page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    page.screenshot(path=tmp_path / "dark.png")
    assert axe(page, "#hpo-lab-panel") == []
    assert errors == []

    # Without a connection the list stays, and goes on by itself.
    page.route("**/hpo-lab/api/**", lambda route: route.abort())
    panel.get_by_role("button", name="Refresh").click()
    panel.get_by_text("No connection to the server.").wait_for()
    row.get_by_text("last seen").wait_for()
    page.screenshot(path=tmp_path / "offline.png")
    page.unroute("**/hpo-lab/api/**")
    panel.get_by_text("No connection to the server.").wait_for(state="detached", timeout=60_000)
    errors.clear()  # of the requests that failed

    # The panel is open again after a reload.
    with page.expect_response("**/api/workspaces/**", timeout=30_000):
        page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-right-area')")
    page.goto(f"{jupyterlab.url}/lab?token={jupyterlab.token}")
    row.wait_for(timeout=90_000)
    row.click(button="right")
    page.locator(".lm-Menu").get_by_text("Stop Experiment").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    panel.get_by_role("option", name="from-outside, Stopped").wait_for(timeout=60_000)
    page.locator(".Toastify").get_by_text("from-outside was stopped").wait_for()
    page.screenshot(path=tmp_path / "stopped.png")
    assert errors == []
    context.close()
    experiment.delete()
