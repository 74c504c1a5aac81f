"""What the extension adds to notebooks, in a real JupyterLab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab.conftest import ask, execute, write_cells

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.conftest import Lab

pytestmark = pytest.mark.browser

_LONG = [
    "%load_ext hpo_lab",
    "import time\n\ndef score(lr):\n    time.sleep(0.3)\n    return -abs(lr - 0.01)",
    "%%tune maximize accuracy --trials 900 --parallel 2 --seed 0 --name goes-on\n"
    "lr = 0.05  # tune: loguniform(1e-4, 1e-1)\naccuracy = score(lr)",
]


def _wait_for_more(page: Page) -> None:
    """Wait until the output shows more trials than it does now."""
    bar = page.locator(".hpo-out .hpo-bar")
    bar.wait_for(timeout=60_000)
    now = int(bar.get_attribute("aria-valuenow") or -1)
    page.wait_for_function(
        f"() => document.querySelector('.hpo-out .hpo-bar')?.ariaValueNow > {now}", timeout=30_000
    )


def test_an_output_goes_on_after_a_reload_in_a_second_tab_and_without_its_kernel(
    chromium: Browser,
    jupyterlab: Lab,
    watched: Callable[[BrowserContext], list[str]],
    tmp_path: Path,
) -> None:
    write_cells(jupyterlab.root / "goes-on.ipynb", *_LONG)
    context = chromium.new_context(viewport={"width": 1100, "height": 1000})
    errors = watched(context)
    page = context.new_page()
    page.goto(jupyterlab.page("goes-on.ipynb"))
    page.get_by_text("| Idle").wait_for(timeout=90_000)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    execute(page, "notebook:run-all-cells")
    shown = page.locator(".hpo-out")
    shown.get_by_text("Others, latest first").wait_for(timeout=90_000)
    # The kernel tells it all; a slow one may be taken for silent at first.
    assert len([url for url in asked if "/panel" in url]) <= 2
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    page.goto(jupyterlab.page("goes-on.ipynb"))
    _wait_for_more(page)
    # Which cells run in a trial stays, though the server cannot know it.
    assert shown.locator("summary", has_text="Set-up").count() == 1
    page.screenshot(path=tmp_path / "reloaded.png")
    second = context.new_page()
    second.goto(jupyterlab.page("goes-on.ipynb").replace("/lab/", "/lab/workspaces/second/"))
    _wait_for_more(second)
    second.close()

    execute(page, "kernelmenu:shutdown")
    page.get_by_text("| No Kernel").or_(page.get_by_text("| Unknown")).first.wait_for()
    _wait_for_more(page)
    (uid,) = [
        each["uid"]
        for each in ask(jupyterlab, "GET", "/experiments")["experiments"]
        if each["name"] == "goes-on"
    ]
    ask(jupyterlab, "POST", f"/experiments/{uid}/stop")
    shown.get_by_text("Stopped", exact=True).first.wait_for(timeout=30_000)
    page.wait_for_timeout(2000)
    asked.clear()
    page.wait_for_timeout(5000)
    assert not [url for url in asked if "/panel" in url]
    assert errors == []


def test_a_new_user_tunes_a_cell_by_mouse_alone(
    chromium: Browser,
    jupyterlab: Lab,
    watched: Callable[[BrowserContext], list[str]],
    tmp_path: Path,
) -> None:
    context = chromium.new_context(viewport={"width": 1200, "height": 950})
    errors = watched(context)
    page = context.new_page()
    page.goto(jupyterlab.page())
    page.locator(".jp-LauncherCard", has_text="Tuning").click(timeout=60_000)
    mark = page.locator(".jp-HpoMark")
    mark.wait_for(timeout=60_000)
    assert mark.get_attribute("title") == (
        "lr is tuned: a number from 0.0001 to 1, on a logarithmic scale; as written 0.1"
    )
    cell = page.locator(".jp-CodeCell", has_text="%%tune")

    def lines() -> list[str]:
        return cell.locator(".cm-line").all_inner_texts()

    cell.locator(".cm-line", has_text="units = 32").click(button="right")
    page.get_by_role("menuitem", name="Tune This Value").click()
    form = page.locator(".jp-HpoForm")
    form.get_by_text("# tune: int(8, 128)").wait_for()
    form.get_by_label("From", exact=True).fill("64")
    form.get_by_text("units = 32 is outside its own range int(64, 128)").wait_for()
    assert page.get_by_role("button", name="Write").is_disabled()
    form.get_by_label("From", exact=True).fill("16")
    form.get_by_text("# tune: int(16, 128)").wait_for()
    page.screenshot(path=tmp_path / "value.png")
    page.locator(".jp-HpoDialog button:enabled", has_text="Write").click()
    mark.nth(1).wait_for()
    assert lines()[2] == "units = 32  # tune: int(16, 128)"
    cell.locator(".cm-line", has_text="accuracy = train").click()
    page.keyboard.press("Control+z")
    cell.locator(".cm-line", has_text="# tune: int").wait_for(state="detached")
    page.keyboard.press("Control+Shift+z")
    mark.nth(1).wait_for()

    # The label covers the button, which Playwright 1.50 takes for an obstacle.
    tune = page.locator(".jp-ToolbarButtonComponent-label", has_text="Tune")
    tune.click()
    form.get_by_label("Trials", exact=True).fill("many", timeout=60_000)
    form.get_by_text("--trials: 'many' is no whole number; allowed are 1 and up").wait_for()
    form.get_by_label("Trials", exact=True).fill("6")
    form.get_by_label("Algorithm").select_option("random")
    form.get_by_text("%%tune maximize accuracy --trials 6 --algorithm random").wait_for()
    page.screenshot(path=tmp_path / "line.png")
    page.locator(".jp-HpoDialog button:enabled", has_text="Write and run").click()
    shown = page.locator(".hpo-out")
    shown.get_by_text("all 6 trials").wait_for(timeout=120_000)
    assert lines()[0] == "%%tune maximize accuracy --trials 6 --algorithm random"
    page.screenshot(path=tmp_path / "run.png")

    # Opened again, the form says what the line says.
    mark.first.click()
    form.get_by_role("button").or_(form.get_by_label("From", exact=True)).first.wait_for()
    assert form.get_by_label("From", exact=True).input_value() == "1e-4"
    page.get_by_role("button", name="Cancel").click()
    tune.click()
    assert form.get_by_label("Trials", exact=True).input_value() == "6"
    page.keyboard.press("Escape")
    form.wait_for(state="detached")
    assert errors == []
