"""Takes the pictures of the dashboard in JupyterLab: `python docs/pictures/dashboard.py`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from jupyterlab import HERE, cells, command, darken, notebook_page


def main() -> None:
    """Take them."""
    sources = [*cells(), "%hpo wait", "import hpo_lab\n\nhpo_lab.Dashboard('digits')"]
    with notebook_page(sources, 1280, 1400) as page:
        command(page, "application:toggle-left-area")
        command(page, "notebook:run-all-cells")
        board = page.locator(".hpo-widget")
        board.get_by_role("heading", name="Best values").wait_for(timeout=300_000)
        board.get_by_text("share of the variation").first.wait_for(timeout=90_000)
        page.wait_for_timeout(1000)
        board.screenshot(path=HERE / "dashboard.png")
        darken(page)
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


if __name__ == "__main__":
    main()
