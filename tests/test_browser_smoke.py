from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat.v4
import pytest

if TYPE_CHECKING:
    from conftest import Lab
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_a_notebook_opens_in_lab_and_its_kernel_becomes_idle(
    chromium: Browser, jupyterlab: Lab
) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("6 * 7")],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, jupyterlab.root / "smoke.ipynb")
    page = chromium.new_page()

    page.goto(jupyterlab.page("smoke.ipynb"))
    # The notebook's own indicator says idle before there is a kernel; the status bar does not.
    page.get_by_text("| Idle").wait_for(timeout=90_000)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")

    page.locator(".jp-OutputArea-output", has_text="42").wait_for(timeout=30_000)
