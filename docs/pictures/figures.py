"""Draws every figure of made-up experiments: `python docs/pictures/figures.py FOLDER`.

Each figure is drawn by plotly.js in Chromium and as SVG, in the themes that are named; the
pictures of one experiment are on one page. `--docs` renews those that the documentation shows:
of each figure a sheet with the three themes, and an experiment that is hard to draw.
"""

from __future__ import annotations

import argparse
import html
import json
import shutil
import sys
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parent))

from experiments import EXPERIMENTS

from hpo_lab.dashboard import figures
from hpo_lab.dashboard.drawing import svg
from hpo_lab.dashboard.figures.theme import GROUND, TOKENS

HERE = Path(__file__).parent
DOCS = {
    "history": ("usual", "wide signed values"),
    "importances": ("usual", "forty parameters"),
    "slices": ("usual", "forty parameters"),
    "parallel": ("usual", "forty parameters"),
    "curves": ("usual", "mid-run"),
    "contour": ("usual", "forty parameters"),
    "space": ("usual", "forty parameters"),
    "timeline": ("usual", "all failed"),
    "edf": ("usual", "equal values"),
    "pareto": ("two objectives", "three objectives"),
    "constraints": ("constraints", "no trial"),
    "rungs": ("hyperband", "asha rule"),
    "lineage": ("pbt", "one trial"),
}
"""An experiment for each figure, and one that is hard to draw."""


def sheet(name: str) -> str:
    """A page with the figure *name* in each theme, and of an experiment that is hard to draw."""
    usual, hard = DOCS[name]
    boxes = []
    for experiment, theme in [*((usual, theme) for theme in figures.THEMES), (hard, "light")]:
        figure = figures.draw(name, EXPERIMENTS[experiment](), theme)
        ground = TOKENS[GROUND][figures.THEMES.index(theme)]
        # As images, whose styles do not reach each other.
        picture = quote(svg(figure, theme))
        image = f'<img src="data:image/svg+xml,{picture}">'
        boxes.append(f'<div style="background:{ground}">{image}</div>')
    return (
        '<!doctype html><meta charset="utf-8"><style>body{margin:0;width:max-content;display:grid;'
        "grid-template-columns:auto auto;gap:1px;background:#888}div{padding:8px;background:#fff}"
        f"</style>{''.join(boxes)}"
    )


def page(experiment: str, names: list[str], theme: str, kinds: str) -> str:
    """A page with the figures *names* of an experiment in *theme*."""
    data = EXPERIMENTS[experiment]()
    place = figures.THEMES.index(theme)
    ground, ink = TOKENS[GROUND][place], TOKENS["--hpo-ink"][place]
    pieces, drawings = [], []
    for name in names:
        figure = figures.draw(name, data, theme)
        pieces.append('<div class="row">')
        if "p" in kinds:
            width = figure.width
            pieces.append(f'<div id="p-{name}" class="plot" style="width:{width}px"></div>')
            drawings.append(
                f"Plotly.newPlot({json.dumps(f'p-{name}')}, "
                f"{json.dumps(figure.to_json(), allow_nan=False)}, "
                "{displayModeBar:false, responsive:true});"
            )
        if "s" in kinds:
            picture = svg(figure, theme)
            pieces.append(f"<div>{picture}<p>{len(picture)} bytes</p></div>")
        pieces.append(f"</div><p>{html.escape(figure.text)}</p>")
    scheme = "light" if theme == "light" else "dark"
    return (
        f'<!doctype html><meta charset="utf-8"><style>:root{{color-scheme:{scheme}}}'
        f"body{{background:{ground};color:{ink};font:11px sans-serif;margin:8px}}"
        ".row{display:flex;gap:24px;align-items:flex-start}</style>"
        f'<script src="plotly.min.js"></script>{"".join(pieces)}'
        f"<script>{''.join(drawings)}</script>"
    )


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("figures"))
    parser.add_argument("--experiment", action="append", choices=EXPERIMENTS)
    parser.add_argument("--figure", action="append", help="by default all")
    parser.add_argument("--theme", action="append", choices=figures.THEMES)
    parser.add_argument("--kinds", default="ps", help="p for plotly, s for SVG")
    parser.add_argument("--docs", action="store_true", help="renew the pictures of the docs")
    options = parser.parse_args()
    import plotly
    from playwright.sync_api import sync_playwright

    options.folder.mkdir(parents=True, exist_ok=True)
    script = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    shutil.copy(script, options.folder / "plotly.min.js")
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium)
        view = browser.new_page(viewport={"width": 1340, "height": 100})
        view.set_default_timeout(180_000)
        view.on("console", lambda message: print("console:", message.text))
        view.on("pageerror", lambda error: print("error:", error))
        if options.docs:
            for name in options.figure or DOCS:
                view.set_content(sheet(name))
                target = HERE / f"{name}.png"
                view.locator("body").screenshot(path=target)
                print(target)
            return
        for experiment in options.experiment or EXPERIMENTS:
            for theme in options.theme or figures.THEMES[:2]:
                names = options.figure or figures.names()
                file = options.folder / f"{experiment.replace(' ', '-')}-{theme}.html"
                file.write_text(page(experiment, names, theme, options.kinds))
                view.goto(file.resolve().as_uri())
                view.wait_for_timeout(1200)
                view.screenshot(path=file.with_suffix(".png"), full_page=True)
                print(file.with_suffix(".png"))
        browser.close()


if __name__ == "__main__":
    main()
