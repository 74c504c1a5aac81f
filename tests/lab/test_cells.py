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
    execute(page, "docmanager:save")
    page.locator(".jp-mod-dirty").first.wait_for(state="detached")

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
