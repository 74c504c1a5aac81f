"""64 trials of scikit-learn on the digits, beside Optuna: `python benchmarks/digits.py`.

Both evaluate the same 64 points, two at a time. hpo_lab runs a notebook for each and keeps
it, with a store and a process per trial; Optuna calls a function in two processes that
share a study in a journal file, its quickest storage for several processes. Measured is the
whole, from starting Python to the last result.
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

from tables import publish, setting, table

SET_UP = """from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC
data, target = load_digits(return_X_y=True)"""
TUNED = """model = SVC(C=10**c, gamma=10**g)
score = cross_val_score(model, data, target, cv=3).mean()"""
CELL = f"c = 0.0  # tune: uniform(-1, 3)\ng = -3.0  # tune: uniform(-5, -1)\n{TUNED}"
TRIALS = 64
PARALLEL = 2


def hpo_lab(folder: Path, points: Path) -> None:
    """Run the experiment; the points that it tried are written to *points*."""
    from hpo_lab.experiment.model import ObjectiveType
    from hpo_lab.local.enrol import enrol
    from hpo_lab.local.runner import LocalRunner
    from hpo_lab.notebook.slicing import Cell
    from hpo_lab.options import TuneOptions
    from hpo_lab.prepare.notebook import prepare_cell
    from hpo_lab.store import open_store

    options = TuneOptions(
        direction=ObjectiveType.MAXIMIZE,
        metric="score",
        trials=TRIALS,
        parallel=PARALLEL,
        algorithm="random",
        seed=0,
    )
    prepared = prepare_cell(
        CELL, [Cell(SET_UP)], options, where="cell", name="digits", working_directory=folder
    )
    store = open_store(folder / "hpo_lab.db")
    record, _ = enrol(store, prepared.experiment, prepared.files)
    LocalRunner(store, record.uid).run()
    done = [trial for trial in store.trials(record.uid) if trial.state.value == "Succeeded"]
    assert len(done) == TRIALS
    assert len(list(store.folder(record.uid).glob("[0-9]*/notebook.ipynb"))) == TRIALS
    points.write_text(json.dumps([dict(trial.assignments) for trial in done]))


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

    for _ in range(PARALLEL):
        if os.fork() == 0:
            mine = optuna.load_study(storage=storage(), study_name="digits")
            mine.optimize(objective, n_trials=TRIALS // PARALLEL)
            os._exit(0)
    for _ in range(PARALLEL):
        os.wait()


CASES = {"hpo_lab": hpo_lab, "Optuna": optuna}


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        case, folder, points = options.run
        CASES[case](Path(folder), Path(points))
        return
    walls: dict[str, list[float]] = {name: [] for name in CASES}
    cpus: dict[str, list[float]] = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory() as scratch:
        points = Path(scratch) / "points.json"
        for _ in range(options.rounds):
            for name in CASES:
                with tempfile.TemporaryDirectory() as folder:
                    begun = time.perf_counter()
                    process = subprocess.Popen(
                        [sys.executable, __file__, "--run", name, folder, str(points)]
                    )
                    _, status, usage = os.wait4(process.pid, 0)
                    if status:
                        raise SystemExit(f"{name} failed")
                    walls[name].append(time.perf_counter() - begun)
                    cpus[name].append(usage.ru_utime + usage.ru_stime)
    median = statistics.median
    ratios = [mine / other for mine, other in zip(walls["hpo_lab"], walls["Optuna"], strict=True)]
    rows = [(n, f"{median(walls[n]):.1f}", f"{median(cpus[n]):.1f}") for n in CASES]
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
