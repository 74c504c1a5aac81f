"""One experiment in JupyterLab: `python benchmarks/lab_view.py [--trials N]`.

Opens an experiment with very many trials in a JupyterLab of its own and measures, in Chromium:
the time from the command to the head of the view, to the first figure that plotly has drawn, to
the first row of the table of trials and to the last page of them; the frames a second while the
table is scrolled from the first to the last trial, and the longest time between two frames; and
the time until the rows are sorted and filtered.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from tables import publish, setting, table
from viewers import record

from hpo_lab.store import open_store

NAME = "viewed"

SCROLL = """async ([frames, pixels]) => {
  const box = document.querySelector('.jp-HpoTable');
  const times = [];
  await new Promise(resolve => {
    const step = now => {
      times.push(now);
      box.scrollTop = (pixels || box.scrollHeight / frames) * times.length;
      times.length < frames ? requestAnimationFrame(step) : resolve();
    };
    requestAnimationFrame(step);
  });
  const gaps = times.slice(1).map((each, place) => each - times[place]);
  return { rate: 1000 * gaps.length / (times.at(-1) - times[0]), worst: Math.max(...gaps) };
}"""


@contextmanager
def jupyterlab(folder: Path, store: Path) -> Iterator[str]:
    """A JupyterLab that shows *store*; its address with the token in it."""
    settings = folder / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    homes = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "RUNTIME")}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"),
                f"--ServerApp.root_dir={folder}",
                f"--IdentityProvider.token={token}",
                f"--HpoLab.stores={store}",
                "--LabApp.expose_app_in_browser=True",
                "--LabApp.news_url=None",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            ],
            env=os.environ | homes,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{address}/api/status?token={token}").close()
                break
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.2)
        yield f"{address}/lab?token={token}&reset"
    finally:
        server.terminate()
        server.wait(20)


def measured(page: Page, address: str, uid: str, trials: int) -> dict[str, float]:
    """Seconds, and frames a second, of one round in a page that is loaded anew."""
    page.goto(address)
    page.wait_for_function("() => window.jupyterapp", timeout=60_000)
    page.evaluate("() => window.jupyterapp.restored.then(() => true)")
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    # So that nothing of the start is measured.
    page.wait_for_timeout(2000)
    seconds: dict[str, float] = {}
    begin = time.perf_counter()

    def lap(name: str, selector: str, **more: Any) -> None:
        page.locator(selector).first.wait_for(timeout=120_000, **more)
        seconds[name] = time.perf_counter() - begin

    page.evaluate(
        "uid => { window.jupyterapp.commands.execute('hpo-lab:open-experiment', { uid }) }", uid
    )
    lap("head", ".jp-HpoExperiment .hpo-name")
    lap("figure", ".jp-HpoExperiment .js-plotly-plot .main-svg")
    page.evaluate("() => window.jupyterapp.commands.execute('application:close')")
    page.wait_for_timeout(1000)

    begin = time.perf_counter()
    page.evaluate(
        "uid => { window.jupyterapp.commands.execute('hpo-lab:open-experiment', { uid }) }", uid
    )
    page.get_by_role("tab", name="Trials").click()
    lap("row", ".jp-HpoOpen")
    lap("all", f".jp-HpoTools [role=status]:text('{trials} trials')")
    page.wait_for_timeout(1000)

    for kind, pixels in (("wheel", 100), ("drag", 0)):
        page.evaluate("() => { document.querySelector('.jp-HpoTable').scrollTop = 0 }")
        scrolled = page.evaluate(SCROLL, [300, pixels])
        seconds[kind], seconds[f"{kind} worst"] = scrolled["rate"], scrolled["worst"]
    page.evaluate("() => { document.querySelector('.jp-HpoTable').scrollTop = 0 }")

    begin = time.perf_counter()
    page.locator(".jp-HpoSort", has_text="momentum").click()
    lap("sort", "th[aria-sort=ascending]")
    begin = time.perf_counter()
    page.get_by_label("Filter of trials").fill("momentum < 0.1")
    lap("filter", f".jp-HpoTools [role=status]:text('of {trials} trials')")
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        location = folder / "hpo_lab.db"
        store = open_store(location)
        record(store, NAME, options.trials, options.trials)
        (experiment,) = store.experiments()
        store.close()
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        with jupyterlab(folder, location) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            rounds = [
                measured(page, address, experiment.uid, options.trials)
                for _ in range(options.rounds)
            ]
            browser.close()
    medians = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    rows = [
        ("head of the view", f"{medians['head']:.2f} s"),
        ("first figure drawn by plotly", f"{medians['figure']:.2f} s"),
        ("first row of the table", f"{medians['row']:.2f} s"),
        ("all trials there", f"{medians['all']:.2f} s"),
        ("sorted by a column", f"{medians['sort']:.2f} s"),
        ("filtered", f"{medians['filter']:.2f} s"),
        *(
            (f"{what}, frames a second (longest)", f"{medians[kind]:.0f} ({worst:.0f} ms)")
            for what, kind in (
                ("scrolled by 100 pixels a frame", "wheel"),
                ("dragged from the first trial to the last", "drag"),
            )
            for worst in [medians[f"{kind} worst"]]
        ),
    ]
    publish(
        "lab-view",
        [
            *table((f"{options.trials} trials", "median"), rows),
            "",
            f"Medians of {options.rounds} rounds in headless Chromium without a GPU. "
            f"{setting('hpo_lab', 'jupyterlab')}",
        ],
        write=options.write,
    )


if __name__ == "__main__":
    main()
