"""64 trials of scikit-learn on the digits, beside Optuna: `python benchmarks/digits.py`.

Both evaluate the same 64 points, two at a time. `hpo-lab run` executes and keeps a notebook
for each point, with a store and a process per trial. Optuna calls a function in two
processes that share a study in a journal file, its quickest storage for several processes.
The time is from the start of Python to the last result.
"""

from __future__ import annotations

import argparse
import json
import os
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

SET_UP = """from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC
data, target = load_digits(return_X_y=True)"""
TUNED = """model = SVC(C=10**c, gamma=10**g)
score = cross_val_score(model, data, target, cv=3).mean()"""
CELL = f"c = 0.0  # tune: uniform(-1, 3)\ng = -3.0  # tune: uniform(-5, -1)\n{TUNED}"
TRIALS = 64
PARALLEL = 2


def command(folder: Path) -> list[str]:
    """`hpo-lab run` of a notebook in *folder*."""
    path = folder / "digits.ipynb"
    cells = (SET_UP, f"%%tune maximize score\n{CELL}")
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in cells]), path)
    options = f"--trials {TRIALS} --parallel {PARALLEL} --algorithm random --seed 0".split()
    store = f"--store={folder}/hpo_lab.db"
    return [sys.executable, "-m", "hpo_lab", "run", str(path), *options, store]


def points_of(folder: Path) -> list[dict[str, object]]:
    """What the command has tried; every trial must have succeeded and left its notebook."""
    store = open_store(folder / "hpo_lab.db")
    (record,) = store.experiments()
    done = [trial for trial in store.trials(record.uid) if trial.state.value == "Succeeded"]
    assert len(done) == TRIALS
    assert len(list(store.folder(record.uid).glob("[0-9]*/notebook.ipynb"))) == TRIALS
    store.close()
    return [dict(trial.assignments) for trial in done]


def optuna(folder: Path, points: Path) -> None:
    """Evaluate the *points* in two processes."""
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = str(folder / "journal.log")

    def storage() -> optuna.storages.JournalStorage:
        return optuna.storages.JournalStorage(JournalFileBackend(path))

    names: dict[str, object] = {}
    exec(SET_UP, names)
    code = compile(TUNED, "cell", "exec")
    study = optuna.create_study(storage=storage(), study_name="digits", direction="maximize")
    for point in json.loads(points.read_text()):
        study.enqueue_trial(point)

    def objective(trial: optuna.Trial) -> float:
        scope = {
            **names,
            "c": trial.suggest_float("c", -1, 3),
            "g": trial.suggest_float("g", -5, -1),
        }
        exec(code, scope)
        return float(str(scope["score"]))

    # Whoever is free takes the next: halves of 64 would end at different times.
    reader, writer = os.pipe()
    os.write(writer, bytes(TRIALS))
    os.close(writer)
    for _ in range(PARALLEL):
        if os.fork() == 0:
            mine = optuna.load_study(storage=storage(), study_name="digits")
            while os.read(reader, 1):
                mine.optimize(objective, n_trials=1)
            os._exit(0)
    for _ in range(PARALLEL):
        os.wait()


def measure(command: list[str]) -> tuple[float, float]:
    """Wall time and CPU time of *command*, in seconds."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--optuna", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.optuna:
        optuna(*map(Path, options.optuna))
        return
    ours, theirs = [], []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            points = folder / "points.json"
            ours.append(measure(command(folder)))
            points.write_text(json.dumps(points_of(folder)))
            theirs.append(measure([sys.executable, __file__, "--optuna", str(folder), str(points)]))
    median = statistics.median
    ratios = [
        mine / theirs_seconds for (mine, _), (theirs_seconds, _) in zip(ours, theirs, strict=True)
    ]
    rows = [
        (name, *(f"{median(column):.1f}" for column in zip(*runs, strict=True)))
        for name, runs in (("`hpo-lab run`", ours), ("Optuna", theirs))
    ]
    publish(
        "digits",
        [
            *table(("", "wall s", "CPU s"), rows),
            "",
            f"Wall time of hpo_lab by that of Optuna, median of {options.rounds} rounds: "
            f"{median(ratios):.2f}. {setting('hpo_lab', 'optuna', 'scikit-learn')}",
        ],
        write=options.write,
    )


if __name__ == "__main__":
    main()
