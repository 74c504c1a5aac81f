"""The output of tuned cells with 2, 8 and 30 parameters: `python docs/pictures/panels.py`.

A picture of each is taken in JupyterLab, 600 and 1200 pixels wide, in the light and in the dark
theme, and the four are one sheet. What `hpo-lab trials` prints of the same experiments in a
terminal of 80 columns is written into docs/gallery.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import nbformat.v4
from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from jupyterlab import HERE, jupyterlab

GALLERY = HERE.parent / "gallery.md"
COUNTS = (2, 8, 30)
WIDTHS = (600, 1200)
THEMES = ("JupyterLab Light", "JupyterLab Dark")
_ROWS = 8
_EIGHT = """\
learning_rate = 0.01  # tune: loguniform(1e-5, 1e-1)
layers = 2  # tune: int(1, 6)
hidden_units = 64  # tune: logint(16, 1024)
dropout = 0.2  # tune: uniform(0, 0.7)
optimizer = "adam"  # tune: choice("adam", "sgd", "rmsprop")
momentum = 0.9  # tune: uniform(0.5, 0.99)
weight_decay = 1e-4  # tune: loguniform(1e-8, 1e-2)
augmentation = True  # tune: choice(True, False)
"""


def cell(count: int) -> str:
    """A cell that is tuned, with so many parameters."""
    lines = _EIGHT.splitlines()[:count]
    lines += [
        f"encoder_layer_{place}_attention_dropout = 0.1  # tune: uniform(0, 0.5)"
        for place in range(count - len(lines))
    ]
    loss = "abs(math.log10(learning_rate) + 2.6) / 5 + abs(layers - 3) / 20"
    if count > 2:
        loss += " + abs(dropout - 0.3) / 4 + (optimizer == 'sgd') / 9"
    options = f"maximize accuracy --trials 40 --seed 1 --name of-{count}"
    return "\n".join([f"%%tune {options}", *lines, f"accuracy = 0.98 - ({loss})"])


def shoot(page: Page, address: str) -> list[Image.Image]:
    """The output of the tuned cell of the notebook at *address*, by theme and then by width."""
    page.goto(address)
    page.get_by_text("| Idle").wait_for(timeout=200_000)
    page.add_style_tag(content=".Toastify{display:none}")  # a question about news
    page.evaluate("() => { window.jupyterapp.commands.execute('application:toggle-left-area') }")
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    output = page.locator(".jp-OutputArea", has=page.locator(".hpo-out")).first
    output.get_by_text("all 40 trials").wait_for(timeout=240_000)
    output.locator("img[alt*=ANOVA]").wait_for(timeout=200_000)
    page.evaluate(
        "() => document.querySelectorAll('.hpo-out details').forEach("
        "e => { e.open = e.innerText.startsWith('Best') })"
    )
    images = []
    for theme in THEMES:
        command = f"execute('apputils:change-theme', {{theme: '{theme}'}})"
        page.evaluate(f"() => window.jupyterapp.commands.{command}")
        light = str(theme == THEMES[0]).lower()
        page.locator(f"body[data-jp-theme-light={light}]").wait_for(state="attached")
        page.locator("#jupyterlab-splash").wait_for(state="detached")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 2400})
            page.wait_for_timeout(1000)
            images.append(Image.open(BytesIO(output.screenshot())))
    return images


def main() -> None:
    """Take them."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        for count in COUNTS:
            sources = ["%load_ext hpo_lab\nimport math", cell(count)]
            notebook = nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell(source) for source in sources],
                metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
            )
            nbformat.write(notebook, root / f"of-{count}.ipynb")
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        with jupyterlab(root) as address:
            for count in COUNTS:
                page = chromium.new_page(viewport={"width": 1200, "height": 2400})
                images = shoot(page, address.replace("digits.ipynb", f"of-{count}.ipynb"))
                _sheet(images).save(HERE / f"panel-{count}.png", optimize=True)
                page.close()
        chromium.close()
        _write_tables(root / ".home" / "hpo.db")


def _sheet(images: list[Image.Image]) -> Image.Image:
    """The pictures of a theme beside each other, the themes below each other."""
    columns = [max(image.width for image in images[place::2]) for place in range(2)]
    rows = [max(image.height for image in images[place : place + 2]) for place in (0, 2)]
    sheet = Image.new("RGB", (sum(columns) + 12, sum(rows) + 12), "#888")
    for place, image in enumerate(images):
        sheet.paste(image, (place % 2 * (columns[0] + 12), place // 2 * (rows[0] + 12)))
    return sheet


def _write_tables(store: Path) -> None:
    """Put what `hpo-lab trials` prints into the gallery."""
    text = ""
    for count in COUNTS:
        command = ["trials", f"of-{count}", "--sort", "best"]
        printed = subprocess.run(
            [sys.executable, "-m", "hpo_lab", *command, "--store", str(store)],
            env=os.environ | {"COLUMNS": "80"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        table, _, note = printed.partition("\n\n")
        shown = "\n".join([*table.splitlines()[:_ROWS], "⋮", "", note])
        text += f"```console\n$ hpo-lab {' '.join(command)}\n{shown}```\n\n"
    before, begin, rest = GALLERY.read_text("utf-8").partition("<!-- trials -->\n\n")
    _, end, after = rest.partition("<!-- /trials -->")
    GALLERY.write_text(f"{before}{begin}{text}{end}{after}", "utf-8")


if __name__ == "__main__":
    main()
