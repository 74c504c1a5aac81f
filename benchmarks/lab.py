"""What the panel in JupyterLab costs: `python benchmarks/lab.py`.

A JupyterLab with a store of 500 experiments of 1000 trials each, in headless Chromium: how long
the plugins take to be activated, what is asked before the panel is shown, how long the first row
takes, how smoothly the list scrolls, and how much processor time the server takes while ten
pages watch an experiment that runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from playwright.sync_api import sync_playwright
from tables import publish, setting, table
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

from hpo_lab.experiment.model import ExperimentDocument, Metadata, ObjectiveType, TrialTemplate
from hpo_lab.experiment.space import loguniform, uniform
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.experiments import Experiments
from hpo_lab.observation import Observation
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_cell
from hpo_lab.store import open_store

if TYPE_CHECKING:
    from playwright.sync_api import Page

CELL = """import time
lr = 0.01  # tune: loguniform(1e-4, 1e-1)
time.sleep(0.5)
accuracy = 1 - abs(lr - 0.02)
"""
_ACTIVATION = """() => {
  window.activated = {};
  const wrap = plugin => {
    if (!plugin?.id?.startsWith('hpo-lab') || plugin.timed) return;
    const activate = plugin.activate;
    plugin.timed = true;
    plugin.activate = (...parts) => {
      const began = performance.now();
      const result = activate(...parts);
      window.activated[plugin.id] = performance.now() - began;
      return result;
    };
  };
  const set = Map.prototype.set;
  Map.prototype.set = function (key, value) {
    if (typeof key === 'string' && key.startsWith('hpo-lab:')) wrap(value);
    return set.call(this, key, value);
  };
}"""
_FRAMES = """async () => {
  const scroller = document.querySelector('.jp-HpoPanel-body');
  const times = [];
  let last = performance.now();
  for (let frame = 0; frame < 120; frame++) {
    scroller.scrollTop += 120;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  return times;
}"""


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    token: str
    process: psutil.Process

    @property
    def address(self) -> str:
        """The address of its page."""
        return f"{self.url}/lab?token={self.token}&reset"


def record(location: Path, experiments: int, trials: int) -> None:
    """Make *experiments* that have ended, of *trials* each."""
    store, stream = open_store(location), random.Random(0)
    options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="accuracy", trials=trials)
    parameters = [loguniform(1e-4, 1e-1).named("lr"), uniform(0, 1).named("momentum")]
    spec = options.spec(parameters, TrialTemplate())
    for index in range(experiments):
        document = ExperimentDocument(metadata=Metadata(name=f"sweep-{index:03}"), spec=spec)
        uid = store.create_experiment(document, identity=str(index)).uid
        best, value = 0, 0.0
        with store.transaction(uid) as transaction:
            for number in range(trials):
                values = {"lr": stream.random() / 10, "momentum": stream.random()}
                transaction.start_trial(number, new=Trial(number, values))
                score = 1 - stream.random() * 0.99**number
                best, value = (number, score) if score > value else (best, value)
                seen = Observation(metric="accuracy", value=score, time=time.time())
                transaction.observe(number, [seen], 1)
                transaction.finish_trial(number, TrialState.SUCCEEDED)
            transaction.set_best(best)
        store.set_condition(uid, ExperimentState.SUCCEEDED, "ExperimentMaxTrialsReached", "")
    store.close()


@contextmanager
def jupyterlab(folder: Path, store: Path) -> Iterator[Lab]:
    """A JupyterLab whose files are below *folder*."""
    (folder / "root").mkdir(exist_ok=True)
    names = ("CONFIG", "DATA", "RUNTIME")
    homes = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in names}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"),
        f"--ServerApp.root_dir={folder / 'root'}",
        f"--IdentityProvider.token={token}",
        *("--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"),
        f"--HpoLab.stores={store}",
    ]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=os.environ | homes, stdout=quiet, stderr=quiet)
    lab = Lab(f"http://127.0.0.1:{port}", token, psutil.Process(process.pid))
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{lab.url}/api/status?token={token}", timeout=10).close()
                break
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.2)
        yield lab
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:  # it sometimes hangs at exit on a worker thread
            process.kill()


def show(page: Page) -> float:
    """Show the panel; milliseconds to its first row."""
    return float(
        page.evaluate(
            """async () => {
              const began = performance.now();
              void window.jupyterapp.commands.execute('hpo-lab:show-panel');
              while (!document.querySelector('.jp-HpoItem')) {
                await new Promise(requestAnimationFrame);
              }
              return performance.now() - began;
            }"""
        )
    )


@contextmanager
def watchers(lab: Lab, count: int) -> Iterator[list[str]]:
    """Ask as *count* pages with the panel do, which would take the processors themselves.

    Gives the list of what was asked, which grows.
    """
    asked: list[str] = []
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    tasks = [asyncio.run_coroutine_threadsafe(_watch(lab, asked), loop) for _ in range(count)]
    try:
        yield asked
    finally:
        for task in tasks:
            task.cancel()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _watch(lab: Lab, asked: list[str]) -> None:
    """What `labextension/src/model/experiments.ts` and `traces.ts` do."""
    headers = {"Authorization": f"token {lab.token}"}
    client = AsyncHTTPClient()

    async def ask(path: str) -> Any:
        asked.append(path)
        answer = await client.fetch(f"{lab.url}/hpo-lab/api{path}", headers=headers)
        return json.loads(answer.body)

    address = lab.url.replace("http", "ws") + "/api/events/subscribe"
    connection = await websocket_connect(HTTPRequest(address, headers=headers))
    listed, bests = time.monotonic(), dict[str, int]()
    await ask("/experiments")
    while message := await connection.read_message():
        changed = {each["uid"] for each in json.loads(message).get("changed", ())}
        if not changed:
            continue
        await asyncio.sleep(0.7)  # further events of the second are read with it
        query = "&".join(f"uid={uid}" for uid in changed)
        for each in (await ask(f"/experiments?{query}"))["experiments"]:
            if each["best"] and bests.get(each["uid"]) != each["best"]["trial"]:
                bests[each["uid"]] = each["best"]["trial"]
                await ask(f"/experiments/{each['uid']}/trace")
        if time.monotonic() - listed > 30:
            listed = time.monotonic()
            await ask("/experiments")


def cpu(process: psutil.Process) -> float:
    """Seconds of processor time that it has taken."""
    times = process.cpu_times()
    return times.user + times.system


def share(process: psutil.Process, seconds: float) -> float:
    """The share of a core that *process* takes in the next *seconds*."""
    before, began = cpu(process), time.monotonic()
    time.sleep(seconds)
    return (cpu(process) - before) / (time.monotonic() - began)


class _Rows(list[tuple[str, str]]):
    """The rows of a table, each of which is told as soon as it is measured."""

    def append(self, row: tuple[str, str]) -> None:
        print(*row, sep=": ", file=sys.stderr, flush=True)
        super().append(row)


def measure(folder: Path, experiments: int, trials: int, tabs: int, seconds: float) -> list[str]:
    """The lines of a table."""
    store = folder / "hpo_lab.db"
    record(store, experiments, trials)
    rows = _Rows()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with jupyterlab(folder, store) as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--disable-gpu"])
        context = browser.new_context(viewport={"width": 1000, "height": 800})
        page = context.new_page()
        asked: list[str] = []
        context.on(
            "request", lambda sent: asked.append(sent.url) if "/hpo-lab/api" in sent.url else None
        )
        page.add_init_script(f"({_ACTIVATION})()")
        page.goto(lab.address)
        page.locator(".jp-Launcher").first.wait_for(timeout=60_000)
        time.sleep(3)
        activated: dict[str, float] = page.evaluate("() => window.activated")
        parts = ", ".join(f"{name.partition(':')[2]} {ms:.1f}" for name, ms in activated.items())
        rows.append((f"activation of the plugins, ms ({parts})", f"{sum(activated.values()):.1f}"))
        rows.append(("requests before the panel is shown", str(len(asked))))
        rows.append((f"first row of {experiments} experiments, ms, cold", f"{show(page):.0f}"))
        page.wait_for_timeout(3000)
        frames = sorted(page.evaluate(_FRAMES))
        middle, slow = statistics.median(frames), frames[int(len(frames) * 0.95)]
        rows.append(("frames a second while scrolling, median", f"{1000 / middle:.0f}"))
        rows.append(("slow frames (95 %), ms", f"{slow:.0f}"))
        again = context.new_page()
        again.goto(lab.address)
        again.locator(".jp-Launcher").first.wait_for(timeout=60_000)
        rows.append(("first row in a second page, ms", f"{show(again):.0f}"))

        options = TuneOptions(
            direction=ObjectiveType.MAXIMIZE, metric="accuracy", trials=10_000, parallel=2
        )
        prepared = prepare_cell(
            CELL, [], options, where="cell", name="watched", working_directory=folder
        )
        browser.close()
        with watchers(lab, tabs) as asked_by_all:
            time.sleep(10)  # each has read the whole list
            idle = share(lab.process, seconds)
            experiment, _ = Experiments(store).run(prepared)
            time.sleep(10)
            before, asked_before = experiment.record.revision, len(asked_by_all)
            busy = share(lab.process, seconds)
            changes = experiment.record.revision - before
            requests = len(asked_by_all) - asked_before
        rows.append((f"{tabs} watchers, nothing runs: share of a core, %", f"{100 * idle:.1f}"))
        rows.append((f"{tabs} watch a running one: share of a core, %", f"{100 * busy:.1f}"))
        said = f"requests a second of {tabs} watchers, {changes / seconds:.1f} changes a second"
        rows.append((said, f"{requests / seconds:.1f}"))
        experiment.stop()
    return table(["in JupyterLab", "measured"], rows)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=500)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--tabs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hpo-lab-", ignore_cleanup_errors=True) as folder:
        lines = measure(
            Path(folder),
            arguments.experiments,
            arguments.trials,
            arguments.tabs,
            arguments.seconds,
        )
    publish("lab", [setting("jupyterlab", "hpo_lab"), "", *lines], write=arguments.write)


if __name__ == "__main__":
    main()
