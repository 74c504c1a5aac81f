"""One experiment in the main area, in a real JupyterLab."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.conftest import ask, execute, write_cells

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Locator, Page

    from tests.conftest import Lab

pytestmark = pytest.mark.browser

_CELL = """%%tune maximize accuracy --trials {trials} --parallel 2 --seed 0 --name {name}
lr = 0.05  # tune: loguniform(1e-4, 1e-1)
units = 32  # tune: int(16, 256)
if units > 200:
    raise ValueError("units are too many")
for epoch in range(3):
    hpo_lab.report(accuracy=epoch / 3 - abs(lr - 0.01), step=epoch)
    time.sleep({pause})
print("lr is", lr)
accuracy = 1 - abs(lr - 0.01)"""


def _begin(lab: Lab, name: str, trials: int, pause: float = 0) -> str:
    """Write a notebook and begin its experiment; the uid."""
    cell = _CELL.format(name=name, trials=trials, pause=pause)
    write_cells(lab.root / f"{name}.ipynb", "import time\nimport hpo_lab", cell)
    request = urllib.request.Request(
        f"{lab.url}/hpo-lab/api/experiments",
        json.dumps({"path": f"{name}.ipynb"}).encode(),
        {"Authorization": f"token {lab.token}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        uid: str = json.load(response)["uid"]
    return uid


def _until(lab: Lab, uid: str, is_so: Callable[[dict[str, Any]], bool]) -> None:
    for _ in range(600):
        shown = ask(lab, "GET", f"/experiments/{uid}")
        if is_so(shown):
            return
        time.sleep(0.1)
    pytest.fail(f"it did not come to it: {shown}")


def _lab(page: Page, address: str) -> None:
    """Go to a JupyterLab and wait until it is there."""
    page.goto(address)
    page.wait_for_function("() => window.jupyterapp", timeout=60_000)
    page.evaluate("() => window.jupyterapp.restored.then(() => true)")
    page.locator("#jupyterlab-splash").wait_for(state="detached")


def _choose(page: Page, view: Locator, label: str) -> None:
    """Choose from the menu of further actions."""
    view.get_by_role("button", name="More actions").click()
    page.locator(".lm-Menu-item", has_text=label).click()


def test_an_experiment_is_opened_looked_at_raised_and_deleted(
    chromium: Browser,
    jupyterlab: Lab,
    watched: Callable[[BrowserContext], list[str]],
    axe: Callable[[Page, str], list[str]],
    tmp_path: Path,
) -> None:
    uid = _begin(jupyterlab, "viewed", trials=6)
    other = _begin(jupyterlab, "beside", trials=3)
    _until(jupyterlab, uid, lambda shown: bool(shown["isOver"]))
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    errors = watched(context)
    page = context.new_page()
    _lab(page, jupyterlab.page())

    execute(page, "hpo-lab:open-experiment")
    page.locator(".jp-Dialog select").select_option("viewed")
    page.keyboard.press("Enter")
    view = page.get_by_role("region", name="Experiment viewed")
    view.get_by_role("heading", name="viewed").wait_for()
    view.get_by_text("all 6 trials").wait_for()
    assert "as written" in view.locator(".hpo-climb").inner_text()
    view.locator(".js-plotly-plot").first.wait_for(timeout=60_000)
    assert "Best accuracy" in (view.get_by_role("figure").first.get_attribute("aria-label") or "")
    execute(page, "hpo-lab:open-experiment", uid=uid)
    assert page.locator(".jp-HpoExperiment").count() == 1

    # Through the tabs.
    selected = view.get_by_role("tab", selected=True)
    selected.focus()
    for title in ("Search space", "Trials"):
        page.keyboard.press("ArrowRight")
        assert selected.inner_text() == title
    head = view.get_by_role("columnheader", name="accuracy")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    numbers = view.locator(".jp-HpoOpen")
    assert numbers.count() == 6
    view.get_by_label("Filter of trials").fill("units <= 200")
    view.get_by_text("of 6 trials").wait_for()
    kept = numbers.all_inner_texts()
    view.get_by_label("Filter of trials").fill("unit <= 200")
    view.get_by_text("there is no column unit").wait_for()
    assert numbers.all_inner_texts() == kept

    # A trial, its output and its notebook.
    numbers.first.focus()
    page.keyboard.press("Enter")
    drawer = view.get_by_role("complementary", name=f"Trial {kept[0]}")
    drawer.get_by_text("lr is 0.").wait_for()
    drawer.locator(".js-plotly-plot").wait_for()
    assert axe(page, ".jp-HpoExperiment") == []
    drawer.get_by_role("button", name="Open notebook").click()
    executed = page.locator(".jp-Notebook .jp-OutputArea-output", has_text="lr is 0.")
    executed.wait_for()
    execute(page, "application:close")
    drawer.get_by_role("heading", name=f"Trial {kept[0]}").click()
    page.keyboard.press("Escape")
    drawer.wait_for(state="detached")
    page.wait_for_function(
        "number => document.activeElement?.dataset.trial === number", arg=kept[0]
    )

    # The other tabs.
    selected.focus()
    for title in ("Curves", "Importances"):
        page.keyboard.press("ArrowRight")
        view.get_by_role("tabpanel", name=title).locator(".js-plotly-plot").first.wait_for()
        assert axe(page, ".jp-HpoExperiment") == []
    page.keyboard.press("ArrowRight")
    _until(jupyterlab, other, lambda shown: bool(shown["isOver"]))
    view.get_by_label("Compare with").select_option(other)
    differences = view.get_by_role("table", name="Differences")
    differences.wait_for()
    assert differences.get_by_role("columnheader").all_inner_texts() == ["viewed", "beside"]
    assert "6\t3" in differences.inner_text()
    view.get_by_role("tabpanel", name="Compare").locator(".js-plotly-plot").wait_for()
    for theme in ("JupyterLab Dark High Contrast", "JupyterLab Light"):
        execute(page, "apputils:change-theme", theme=theme)
        page.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")
        page.locator("#jupyterlab-splash").wait_for(state="detached")
        page.screenshot(path=tmp_path / f"{theme}.png")
        assert axe(page, ".jp-HpoExperiment") == []
    with page.expect_download() as saved:
        _choose(page, view, "Export Report")
    assert "viewed" in saved.value.suggested_filename
    report = saved.value.path().read_text(encoding="utf-8")
    assert "viewed" in report[report.index("<title>") : report.index("</title>")]

    # More trials: refused at the field first.
    view.get_by_role("button", name="Raise budget…").click()
    trials = page.get_by_role("dialog").get_by_label("Trials")
    trials.fill("many")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").locator(".bad", has_text="many").wait_for()
    assert axe(page, ".jp-HpoForm") == []
    # Browsers write every answer that refuses into the console.
    assert [each for each in errors if "400" not in each] == []
    errors.clear()
    trials.fill("8")
    page.keyboard.press("Enter")
    view.get_by_text("all 8 trials").wait_for(timeout=60_000)

    # It is there after a reload.
    with page.expect_response(lambda answer: "/api/workspaces" in answer.url):
        execute(page, "application:activate-next-tab")
    _lab(page, f"{jupyterlab.url}/lab")
    view.get_by_text("all 8 trials").wait_for()

    _choose(page, view, "Delete Experiment…")
    dialog = page.get_by_role("dialog")
    assert "Its 8 trials are lost" in dialog.inner_text()
    dialog.get_by_role("button", name="Delete").click()
    view.wait_for(state="detached")
    assert uid not in [
        each["uid"] for each in ask(jupyterlab, "GET", "/experiments")["experiments"]
    ]
    assert errors == []
    context.close()
    ask(jupyterlab, "DELETE", f"/experiments/{other}")


def test_an_experiment_is_watched_and_stopped_and_its_best_values_are_inserted(
    chromium: Browser, jupyterlab: Lab, watched: Callable[[BrowserContext], list[str]]
) -> None:
    uid = _begin(jupyterlab, "watched", trials=400, pause=0.1)
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    errors = watched(context)
    page = context.new_page()
    _lab(page, jupyterlab.page("watched.ipynb"))
    page.locator(".jp-Notebook .jp-Cell").first.click()
    execute(page, "hpo-lab:open-experiment", uid=uid)
    view = page.get_by_role("region", name="Experiment watched")
    bar = view.get_by_role("progressbar")
    bar.wait_for()
    page.wait_for_function(
        "() => document.querySelector('.jp-HpoExperiment .hpo-bar')?.ariaValueNow > 3",
        timeout=60_000,
    )
    _until(jupyterlab, uid, lambda shown: shown["best"] is not None)
    _choose(page, view, "Try a Point…")
    page.get_by_role("dialog").get_by_label("units").fill("77")
    page.keyboard.press("Enter")
    page.get_by_text("The point was accepted").first.wait_for()
    view.get_by_role("tab", name="Trials").click()
    view.get_by_role("row").get_by_role("cell", name="77", exact=True).wait_for(timeout=30_000)
    view.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    view.get_by_text("Stopped", exact=True).wait_for(timeout=30_000)
    view.get_by_role("button", name="Resume…").wait_for()

    best = ask(jupyterlab, "GET", f"/experiments/{uid}")["best"]
    view.get_by_role("button", name="Insert best values").click()
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    cells.nth(2).wait_for()
    lines = cells.nth(1).locator(".cm-line").all_inner_texts()
    assert lines == [f"{name} = {value!r}" for name, value in best["parameters"].items()]

    execute(page, "hpo-lab:open-experiment", uid=uid)
    _choose(page, view, "Run Again…")
    # A person chose its name, so that the store does not hold which file began it.
    page.get_by_text("is not known to the server").wait_for()
    assert errors == []
    context.close()
    listed = ask(jupyterlab, "GET", "/experiments")["experiments"]
    assert [each["uid"] for each in listed if each["name"] == "watched"] == [uid]
    ask(jupyterlab, "DELETE", f"/experiments/{uid}")
