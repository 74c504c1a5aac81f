from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat.v4
import pytest

import hpo_lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

    from tests.conftest import Lab, Require

pytestmark = pytest.mark.browser

_CELLS = [
    "%load_ext hpo_lab",
    "import time\n\ndef score(lr, units):\n    time.sleep(2)  # so that it can be seen running\n"
    "    return 1 - abs(lr - 0.01) - abs(units - 64) / 640",
    "unused = 'left out'",
    "%%tune maximize accuracy --trials 6 --parallel 2 --seed 0\n"
    "lr = 0.05  # tune: loguniform(1e-4, 1e-1)\n"
    "units = 32  # tune: int(16, 256)\n"
    "accuracy = score(lr, units)",
    "print('the kernel', 'is free')",
]


def _errors(said: ConsoleMessage) -> list[str]:
    """What a browser's console says of an error, but for JupyterLab's own."""
    # It asks for language servers again and again, also where the server has none.
    is_own = "/lsp/status" in said.location["url"]
    return [said.text] if said.type == "error" and not is_own else []


def test_progress_changes_in_place_while_the_kernel_is_free(
    chromium: Browser, jupyterlab: Lab, tmp_path: Path
) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in _CELLS],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, jupyterlab.root / "tuning.ipynb")
    page = chromium.new_page(viewport={"width": 1100, "height": 1000})
    errors: list[str] = []
    page.on("console", lambda said: errors.extend(_errors(said)))
    page.on("pageerror", lambda error: errors.append(str(error)))

    page.goto(jupyterlab.page("tuning.ipynb"))
    page.get_by_text("| Idle").wait_for(timeout=90_000)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")

    shown = page.locator(".hpo-out")
    shown.get_by_text("Running", exact=True).first.wait_for(timeout=60_000)
    free = page.locator(".jp-OutputArea-output", has_text="the kernel is free")
    free.wait_for(timeout=30_000)
    assert "all 6 trials" not in shown.inner_text()

    shown.get_by_text("all 6 trials").wait_for(timeout=120_000)
    shown.get_by_text("Finished", exact=True).first.wait_for()
    assert shown.count() == 1
    assert shown.locator(".hpo-name").first.inner_text() == "tuning"
    assert free.inner_text().strip() == "the kernel is free"

    # What earlier cells do is folded away.
    shown.locator("summary", has_text="Set-up").click()
    shown.get_by_text("defines score").wait_for()
    page.screenshot(path=tmp_path / "light.png")
    dark = "apputils:change-theme', { theme: 'JupyterLab Dark' }"
    page.evaluate(f"() => window.jupyterapp.commands.execute('{dark})")
    page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    page.screenshot(path=tmp_path / "dark.png")
    assert errors == []


_BEST = [
    "%load_ext hpo_lab",
    "from hpo_lab import keep\n\ndef score(lr):\n    keep('notes.txt', 'kept by it')\n"
    "    return -abs(lr - 0.01)",
    "%%tune maximize accuracy --trials 3 --seed 0 --store store/hpo.db\n"
    "lr    = 0.05  # tune: loguniform(1e-4, 1e-1)\naccuracy = score(lr)",
    "%hpo wait",
    "%hpo best --run --trial 1\nprint('accuracy', 'here', accuracy)",
    "%hpo best --write --trial 1",
]


def test_the_best_is_run_written_and_its_files_are_one_link_away(
    chromium: Browser, jupyterlab: Lab
) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in _BEST],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    (jupyterlab.root / "folder").mkdir()
    nbformat.write(notebook, jupyterlab.root / "folder" / "best of it.ipynb")
    page = chromium.new_page(viewport={"width": 1100, "height": 1400})
    page.goto(jupyterlab.page("folder/best of it.ipynb"))
    page.get_by_text("| Idle").wait_for(timeout=90_000)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")

    page.get_by_text("The new cell below").wait_for(timeout=180_000)
    page.locator(".jp-OutputArea-output", has_text="accuracy here -").wait_for()
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    written = cells.nth(len(_BEST))
    written.wait_for()
    lines = written.locator(".cm-line").all_inner_texts()
    assert lines[0].startswith("lr    = 0.000") and lines[0].endswith(
        "  # tune: loguniform(1e-4, 1e-1)"
    )
    assert lines[1:] == ["accuracy = score(lr)"]

    panel = page.locator(".hpo-out").first
    assert panel.get_by_role("link").all_inner_texts() == ["executed notebook", "notes.txt"]
    panel.get_by_role("link", name="notes.txt").click()
    page.locator(".jp-FileEditor", has_text="kept by it").wait_for(timeout=30_000)


_LONG = [
    "%load_ext hpo_lab",
    "import time\n\ndef score(lr):\n    time.sleep(0.2)\n    return -abs(lr - 0.01)",
    "%%tune maximize accuracy --trials 500 --parallel 2 --seed 0 --name long --store long.db\n"
    "lr = 0.05  # tune: loguniform(1e-4, 1e-1)\naccuracy = score(lr)",
]


def _run(page: Page, command: str) -> None:
    # It resolves when the cells are done, which nobody waits for here.
    page.evaluate(f"() => {{ window.jupyterapp.commands.execute('{command}') }}")


def test_an_output_survives_a_reload_a_lost_kernel_and_nbconvert(
    chromium: Browser, jupyterlab: Lab, require: Require, tmp_path: Path
) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in _LONG],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    file = jupyterlab.root / "long.ipynb"
    nbformat.write(notebook, file)
    page = chromium.new_page(viewport={"width": 1100, "height": 1000})
    errors: list[str] = []
    page.on("console", lambda said: errors.extend(_errors(said)))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(jupyterlab.page("long.ipynb"))
    page.get_by_text("| Idle").wait_for(timeout=90_000)
    _run(page, "notebook:run-all-cells")
    shown = page.locator(".hpo-out")
    shown.get_by_text("Others, latest first").wait_for(timeout=90_000)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    last = shown.locator(".hpo-bar").get_attribute("aria-valuenow")
    assert last is not None

    # In mid-run: the page has what was saved, and says of when that is.
    page.goto(jupyterlab.page("long.ipynb"))
    shown.get_by_text("as of").wait_for(timeout=60_000)
    assert int(shown.locator(".hpo-bar").get_attribute("aria-valuenow") or -1) <= int(last)
    assert shown.locator("img").first.is_visible()
    hpo_lab.get("long", store=jupyterlab.root / "long.db").stop()
    page.evaluate("() => window.jupyterapp.commands.execute('kernelmenu:shutdown')")
    page.get_by_text("| No Kernel").or_(page.get_by_text("| Unknown")).first.wait_for()

    errors.clear()
    page.goto(jupyterlab.page("long.ipynb"))
    shown.locator("img").first.wait_for(timeout=60_000)
    assert errors == []
    assert "model not found" not in page.content()
    assert file.stat().st_size < 200_000

    require("nbconvert", importlib.util.find_spec("nbconvert"), "pip install nbconvert")
    converted = tmp_path / "long.html"
    command = [sys.executable, "-m", "nbconvert", "--to", "html", str(file)]
    subprocess.run([*command, "--output", str(converted)], check=True, capture_output=True)
    page.goto(converted.as_uri())
    picture = page.locator(".hpo-out img").first
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 300")
    assert "Others, latest first" in page.locator(".hpo-out").inner_text()
    page.screenshot(path=tmp_path / "converted.png")
    # The browser prints what it shows: that is how nbconvert makes a PDF, too.
    assert page.pdf(path=tmp_path / "long.pdf").startswith(b"%PDF")
