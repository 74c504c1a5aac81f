"""Takes the pictures of the dashboard in JupyterLab: `python docs/pictures/dashboard.py`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat.v4
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from jupyterlab import DARK, HERE, cells, jupyterlab


def main() -> None:
    """Take them."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        sources = [*cells(), "%hpo wait", "import hpo_lab\n\nhpo_lab.Dashboard('digits')"]
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in sources],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, root / "digits.ipynb")
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        with jupyterlab(root) as address:
            page = chromium.new_page(viewport={"width": 1280, "height": 1400})
            page.goto(address)
            page.get_by_text("| Idle").wait_for(timeout=90_000)
            page.add_style_tag(content=".Toastify{display:none}")  # a question about news
            page.evaluate(
                "() => { window.jupyterapp.commands.execute('application:toggle-left-area') }"
            )
            page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
            board = page.locator(".hpo-widget")
            board.get_by_role("heading", name="Best values").wait_for(timeout=300_000)
            page.wait_for_timeout(3000)
            board.screenshot(path=HERE / "dashboard.png")
            page.evaluate(f"() => window.jupyterapp.commands.execute('{DARK})")
            page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
            page.locator("#jupyterlab-splash").wait_for(state="detached")
            board.get_by_role("tab", name="Trials").click()
            board.get_by_label("Filter of trials").fill("state:succeeded accuracy > 0.98")
            board.get_by_role("button", name="Trial 7", exact=True).click()
            board.get_by_role("complementary", name="Trial").wait_for()
            page.wait_for_timeout(1000)
            board.screenshot(path=HERE / "dashboard-trial.png")
            board.get_by_role("button", name="Close the trial").click()
            page.set_viewport_size({"width": 600, "height": 1400})
            page.wait_for_timeout(1000)
            board.screenshot(path=HERE / "dashboard-narrow.png")
        chromium.close()


if __name__ == "__main__":
    main()
