"""The extension in a real Notebook 7, which the same server serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.conftest import ask, execute, write_cells

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.conftest import Lab

pytestmark = pytest.mark.browser


def test_a_cell_is_tuned_and_its_experiment_opened_in_notebook_7(
    chromium: Browser, jupyterlab: Lab, tmp_path: Path
) -> None:
    write_cells(
        jupyterlab.root / "seven.ipynb",
        "%load_ext hpo_lab",
        "%%tune maximize accuracy --trials 4 --seed 0 --name seven\n"
        "lr = 0.05  # tune: loguniform(1e-4, 1e-1)\naccuracy = -abs(lr - 0.01)",
    )
    context = chromium.new_context(viewport={"width": 1000, "height": 900})
    # Where an error is from: Notebook 7 has some of its own, such as of commands that it lacks.
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(error.error.stack or ""))
    context.on(
        "console",
        lambda said: (
            errors.append(f"{said.location['url']} {said.text}") if said.type == "error" else None
        ),
    )
    page = context.new_page()
    address = f"{jupyterlab.url}/notebooks/seven.ipynb?token={jupyterlab.token}"
    page.goto(address)
    mark = page.locator(".jp-HpoMark")
    mark.wait_for(timeout=60_000)
    assert (mark.get_attribute("title") or "").startswith("lr is tuned: ")
    page.locator(".jp-NotebookKernelStatus", has_text="Idle").or_(
        page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']")
    ).first.wait_for(state="attached", timeout=90_000)
    execute(page, "notebook:run-all-cells")
    shown = page.locator(".hpo-out")
    shown.get_by_text("all 4 trials").wait_for(timeout=90_000)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.goto(address)
    shown.get_by_text("all 4 trials").wait_for(timeout=60_000)
    page.screenshot(path=tmp_path / "notebook7.png")

    (uid,) = [
        each["uid"]
        for each in ask(jupyterlab, "GET", "/experiments")["experiments"]
        if each["name"] == "seven"
    ]
    with context.expect_page() as opened:
        execute(page, "hpo-lab:open-experiment", uid=uid)
    tab = opened.value
    tab.locator(".jp-HpoTop", has_text="seven").wait_for(timeout=60_000)
    tab.screenshot(path=tmp_path / "experiment.png")
    assert [error for error in errors if "hpo-lab" in error] == []
