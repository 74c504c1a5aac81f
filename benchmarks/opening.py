"""The first look at an experiment of 50 000 trials: `python benchmarks/opening.py`.

Seconds of processor time of each view in a fresh process, its imports apart, and how many times
those of the floor: in the same process, the rows of the trials read by sqlite3 and their
documents by json. The lowest of a few rounds counts, since other work only adds.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tables import publish, setting, table

View = Callable[[], object]

NAME = "large"


def _experiment(location: str) -> Any:
    from hpo_lab.facade.experiments import Experiments

    return Experiments(location).find(NAME)


def _shell() -> Any:
    publisher = SimpleNamespace(publish=lambda *_, **__: None)
    return SimpleNamespace(display_pub=publisher, kernel=object())


def cell(location: str) -> View:
    """The output of a cell, and `%hpo show`; the importances come later, of another process."""
    from hpo_lab.dashboard import drawing, figures, live  # noqa: F401

    return lambda: live.LiveProgress(_shell(), _experiment(location)).refresh()


def widget(location: str) -> View:
    """`hpo_lab.Dashboard`, until the picture for the file is there, too."""
    import anywidget  # noqa: F401

    from hpo_lab.dashboard.widget.dashboard import Dashboard

    def opened() -> None:
        dashboard = Dashboard(_experiment(location))
        dashboard.show(_shell())
        while not dashboard._widget.still:
            time.sleep(0.02)

    return opened


def report(location: str) -> View:
    """`hpo-lab report`, with all figures; Optuna is imported for the importances."""
    import optuna  # noqa: F401

    from hpo_lab.dashboard.report import report_of

    return lambda: report_of([_experiment(location)])


def show(location: str) -> View:
    """`hpo-lab show`, with what it imports."""
    from hpo_lab import cli

    arguments = ["show", NAME, "--store", location]
    return lambda: cli.main(arguments, standalone_mode=False)


def server(location: str) -> View:
    """What the server answers first: the experiment, and the first thousand of its trials."""
    from hpo_lab.server import experiments, trials
    from hpo_lab.server.stores import Stores

    def answered() -> None:
        request: Any = SimpleNamespace(
            stores=Stores([location]),
            uid=_experiment(location).uid,
            query=trials.TrialPage(),
            root=Path(location).parent,
        )
        json.dumps([experiments.shown(request), trials.listed(request)])

    return answered


VIEWS = {each.__name__: each for each in (cell, widget, report, show, server)}


def floor(location: str) -> None:
    """Read the rows of the trials and their documents, and nothing more."""
    query = "SELECT assignments, metrics, labels, * FROM trials ORDER BY number"
    for assignments, metrics, labels, *_ in sqlite3.connect(location).execute(query).fetchall():
        json.loads(assignments), json.loads(metrics), json.loads(labels)


def measure(name: str, location: str) -> None:
    """Print the processor time of the imports, of the view *name*, of the floor, and memory."""
    view = VIEWS[name](location)
    imported = time.process_time()
    view()
    opened = time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    floor(location)
    print()
    print(json.dumps([imported, opened - imported, time.process_time() - opened, memory]))


def row(name: str, location: str, rounds: int) -> tuple[str, ...]:
    """The row of the view *name*."""
    runs = []
    for _ in range(rounds):
        command = [sys.executable, __file__, "--view", name, "--store", location]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        runs.append(json.loads(answer.stdout.splitlines()[-1]))
    imported, opened, read, memory = map(min, zip(*runs, strict=True))
    times = f"{opened / read:.1f}"
    cells = (name, f"{imported:.2f}", f"{opened:.2f}", f"{read:.2f}", times, f"{memory:.0f}")
    print(*cells, flush=True)
    return cells


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--view", choices=VIEWS, help="measure this in this process")
    parser.add_argument("--store", help="of the view")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    if options.view:
        measure(options.view, options.store)
        return
    # Here, since what a view imports is measured.
    from viewers import record

    from hpo_lab.store import open_store

    with tempfile.TemporaryDirectory() as folder:
        location = str(Path(folder) / "hpo_lab.db")
        store = open_store(location)
        record(store, NAME, options.trials, options.trials)
        store.close()
        rows = [row(name, location, options.rounds) for name in VIEWS]
    heads = ("view", "imports, s", "first look, s", "floor, s", "times the floor", "MB")
    publish("opening", [*table(heads, rows), "", setting("hpo_lab")], write=options.write)


if __name__ == "__main__":
    main()
