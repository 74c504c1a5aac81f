"""From `hpo-lab run` to the first result: `python benchmarks/first_result.py [--rounds N]`.

The notebook is trivial, so the time is that of hpo_lab itself. The speed of a shared machine
varies; for comparison the command `papermill` executes the same code once in each round.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from tables import publish, setting, table

from hpo_lab.store import open_store

CELLS = (
    "base = 3",
    "%%tune maximize score\nx = 0.5  # tune: uniform(0, 1)\nscore = base - (x - 0.3) ** 2",
)


def seconds(folder: Path) -> tuple[float, float]:
    """How long after the start of the command its first and its last trial had ended."""
    path = folder / "notebook.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in CELLS]), path)
    command = [sys.executable, "-m", "hpo_lab", "run", str(path), "--trials", "4"]
    location = str(folder / "store.db")
    start = time.time()
    subprocess.run(
        [*command, "--store", location],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    store = open_store(location)
    (record,) = store.experiments()
    ends = [trial.completed_at or 0.0 for trial in store.trials(record.uid)]
    store.close()
    return min(ends) - start, max(ends) - start


def papermill(folder: Path) -> float:
    """The seconds that the command `papermill` takes to execute the same code once."""
    path = folder / "once.ipynb"
    cells = (CELLS[0], CELLS[1].partition("\n")[2])
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)
    command = [sys.executable, "-m", "papermill", str(path), str(folder / "executed.ipynb")]
    start = time.time()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.time() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    rounds = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append((*seconds(Path(folder)), papermill(Path(folder))))
    first, last, once = (statistics.median(column) for column in zip(*rounds, strict=True))
    publish(
        "first-result",
        [
            *table(
                ("a trivial notebook", "s"),
                [
                    ("`hpo-lab run`, a new store, to the first result", f"{first:.2f}"),
                    ("to the fourth", f"{last:.2f}"),
                    ("`papermill`, to the end of one execution", f"{once:.2f}"),
                ],
            ),
            "",
            f"Medians of {options.rounds} rounds. {setting('hpo_lab', 'papermill')}",
        ],
        write=options.write,
    )


if __name__ == "__main__":
    main()
