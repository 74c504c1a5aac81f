"""Two notebooks tune at the same time into one store; nothing may be lost.

    python benchmarks/two_notebooks.py [--trials 200] [--store LOCATION]

Prints what each experiment recorded and how long it took, and fails when a trial or an
observation is missing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from hpo_lab.store import open_store

CELL = """%%tune maximize score --parallel 1 --seed {seed}
x = 0.5  # tune: uniform(0, 1)
n = 4    # tune: int(1, 16)
from hpo_lab import report
for step in range(5):
    report(step=step, score=-(x - 0.{seed}) ** 2 - n / 100)"""


def main() -> int:
    """Run both notebooks and count what the store holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--store", default="")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        location = arguments.store or str(Path(folder) / "store.db")
        start = time.monotonic()
        runs = []
        for seed in (3, 7):
            path = Path(folder) / f"notebook-{seed}.ipynb"
            nbformat.write(new_notebook(cells=[new_code_cell(CELL.format(seed=seed))]), path)
            command = [sys.executable, "-m", "hpo_lab", "run", str(path)]
            options = ["--trials", str(arguments.trials), "--store", location]
            runs.append(subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL))
        codes = [run.wait() for run in runs]
        print(f"{time.monotonic() - start:.1f} s for 2 x {arguments.trials} trials")
        store = open_store(location)
        good = codes == [0, 0]
        for record in store.experiments():
            states = Counter(trial.state.value for trial in store.trials(record.uid))
            reports = Counter(observation.number for observation in store.observations(record.uid))
            print(record.name, dict(states), sum(reports.values()), "observations")
            good &= states == {"Succeeded": arguments.trials}
            good &= reports == dict.fromkeys(range(arguments.trials), 5)
    print("nothing lost" if good else "LOST")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
