"""kill -9 of the runner at random moments of a notebook experiment; nothing may be lost.

    python benchmarks/killed_runner.py [--trials 40] [--kills 10] [--isolation auto|kernel]

Each trial writes its number when it begins and when it ends. Fails when a trial is missing,
ended twice, or a process still runs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_notebook

from hpo_lab.store import open_store

CELL = """%%tune maximize score --parallel 3 --seed 0 --name killed
x = 0.5  # tune: uniform(0, 1)
import os, time
from pathlib import Path
folder = Path(os.environ["HPO_LAB_TRIAL_FOLDER"])
marks = folder.parent / "marks.txt"
with marks.open("a") as file:
    file.write(f"begin {folder.name}\\n")
time.sleep(0.3)
score = -(x - 0.3) ** 2
with marks.open("a") as file:
    file.write(f"end {folder.name}\\n")"""


def _left(folder: str) -> list[int]:
    processes = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = [*process.cmdline(), process.environ().get("HPO_LAB_TRIAL_FOLDER", "")]
            if process.pid != os.getpid() and any(folder in word for word in words):
                processes.append(process.pid)
    return processes


def main() -> int:
    """Kill, run again, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--isolation", default="auto")
    arguments = parser.parse_args()
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "killed.ipynb"
        nbformat.write(new_notebook(cells=[new_code_cell(CELL)]), path)
        location = str(Path(folder) / "store.db")
        command = [sys.executable, "-m", "hpo_lab", "run", str(path), "--store", location]
        command += ["--trials", str(arguments.trials), "--isolation", arguments.isolation]
        kills = 0
        while True:
            run = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
            )
            if kills == arguments.kills:
                code = run.wait()
                break
            time.sleep(1.0 + rng.uniform(0, 1.5))
            run.kill()
            run.wait()
            kills += 1
        time.sleep(3)
        store = open_store(location)
        (record,) = store.experiments()
        trials = store.trials(record.uid)
        marks = (store.folder(record.uid) / "marks.txt").read_text().split("\n")
        ends = Counter(line for line in marks if line.startswith("end"))
        again = sum(trial.attempt - 1 for trial in trials)
        print(f"{kills} kills, {len(trials)} trials, {again} attempts were interrupted")
        numbers = [trial.number for trial in trials]
        states = Counter(trial.state.value for trial in trials)
        twice = [line for line, count in ends.items() if count > 1]
        leftovers = _left(folder)
        print(f"states {dict(states)}, ended twice {twice}, processes left {leftovers}")
        good = (
            code == 0
            and numbers == list(range(arguments.trials))
            and states == {"Succeeded": arguments.trials}
            and len(ends) == arguments.trials
            and not twice
            and not leftovers
        )
    print("nothing lost" if good else "LOST")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
