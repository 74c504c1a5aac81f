"""Takes the pictures of the JupyterLab extension: `python docs/pictures/lab.py`.

`lab.png` is that on top of the README: the first experiment of it, with the panel beside.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat.v4
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from jupyterlab import DARK, HERE, cells, jupyterlab


def command(page: Page, name: str, arguments: str = "{}") -> None:
    """Begin a command of JupyterLab."""
    page.evaluate(f"() => {{ window.jupyterapp.commands.execute('{name}', {arguments}) }}")


def shoot(page: Page, name: str) -> None:
    """Save the whole window, with figures drawn and the pointer away."""
    page.mouse.move(700, 5)
    page.wait_for_timeout(2500)
    page.screenshot(path=HERE / f"{name}.png")


def main() -> None:
    """Take them."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells()],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, root / "digits.ipynb")
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        with jupyterlab(root) as address:
            page = chromium.new_page(viewport={"width": 1360, "height": 960})
            page.goto(address)
            page.get_by_text("| Idle").wait_for(timeout=90_000)
            page.add_style_tag(content=".Toastify{display:none}")  # a question about news
            command(page, "hpo-lab:show-panel")
            command(page, "notebook:run-all-cells")
            page.locator(".hpo-out img").first.wait_for(timeout=90_000)
            page.locator(".hpo-out").first.scroll_into_view_if_needed()
            page.locator(".jp-HpoPanel").get_by_text("digits", exact=True).first.wait_for()
            page.locator(".hpo-out").get_by_text("all 20 trials").wait_for(timeout=300_000)
            tuned = page.locator(".jp-Notebook .jp-CodeCell").last
            tuned.evaluate("cell => cell.scrollIntoView({ block: 'start' })")
            shoot(page, "lab")
            page.locator(".jp-HpoPanel").get_by_text("digits", exact=True).first.click()
            page.get_by_role("tab", name="Overview", exact=True).wait_for(timeout=60_000)
            page.locator(".js-plotly-plot").first.wait_for(timeout=60_000)
            shoot(page, "lab-experiment")
            page.evaluate(f"() => window.jupyterapp.commands.execute('{DARK})")
            page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
            page.locator("#jupyterlab-splash").wait_for(state="detached")
            page.get_by_role("tab", name="Trials", exact=True).click()
            page.get_by_role("button", name="Trial 7", exact=True).click()
            shoot(page, "lab-trial-dark")
            page.set_viewport_size({"width": 720, "height": 900})
            page.get_by_role("tab", name="Overview", exact=True).click()
            shoot(page, "lab-narrow")
        chromium.close()


if __name__ == "__main__":
    main()
