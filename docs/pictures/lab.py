"""Takes the pictures of the JupyterLab extension: `python docs/pictures/lab.py`.

`lab.png` is the first experiment of the README with the panel beside it, `lab-experiment.png` the
same experiment in the main area.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).parent))

from jupyterlab import HERE, cells, command, darken, notebook_page, wait_for_the_end


def shoot(page: Page, name: str) -> None:
    """Save the whole window, with figures drawn and the pointer away."""
    page.mouse.move(700, 5)
    page.wait_for_timeout(1500)
    page.get_by_text("Drawing…").first.wait_for(state="detached", timeout=90_000)
    page.wait_for_timeout(1000)
    page.screenshot(path=HERE / f"{name}.png")


def main() -> None:
    """Take them."""
    with notebook_page(cells(), 1360, 960) as page:
        command(page, "hpo-lab:show-panel")
        command(page, "notebook:run-all-cells")
        listed = page.locator(".jp-HpoPanel").get_by_text("digits", exact=True).first
        listed.wait_for(timeout=90_000)
        wait_for_the_end(page)
        tuned = page.locator(".jp-Notebook .jp-CodeCell").last
        tuned.evaluate("cell => cell.scrollIntoView({ block: 'start' })")
        shoot(page, "lab")
        listed.click()
        page.get_by_role("tab", name="Overview", exact=True).wait_for(timeout=60_000)
        page.locator(".js-plotly-plot").first.wait_for(timeout=60_000)
        shoot(page, "lab-experiment")
        darken(page)
        page.get_by_role("tab", name="Trials", exact=True).click()
        page.get_by_role("button", name="Trial 7", exact=True).click()
        shoot(page, "lab-trial-dark")
        page.set_viewport_size({"width": 720, "height": 900})
        page.get_by_role("tab", name="Overview", exact=True).click()
        shoot(page, "lab-narrow")


if __name__ == "__main__":
    main()
