"""What looking costs: `python benchmarks/viewers.py`.

Trials a second of a runner that nobody looks at, of `hpo-lab resume` on a terminal, and of a
runner whose progress is shown as the output of a cell, with 100, 1000 and 10 000 trials
recorded before; and `hpo-lab list`, `show` and `trials` of large stores.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import pty
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tables import publish, setting, table

from hpo_lab.dashboard.live import LiveProgress
from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.experiments import Experiments
from hpo_lab.observation import Observation
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_cell
from hpo_lab.running.enrol import enrol
from hpo_lab.store import Store, open_store

NAME = "viewed"
CELL = """lr = 0.01  # tune: loguniform(1e-4, 1e-1)
momentum = 0.9  # tune: uniform(0, 1)
opt = "adam"  # tune: choice("adam", "sgd")
score = lr * momentum
"""


def record(store: Store, name: str, count: int, trials: int) -> None:
    """Make a stopped experiment with *count* trials that have ended, of *trials*."""
    options = TuneOptions(
        direction=ObjectiveType.MAXIMIZE,
        metric="score",
        algorithm="random",
        trials=trials,
        parallel=2,
    )
    prepared = prepare_cell(
        CELL, [], options, where="cell", name=name, working_directory=Path.cwd()
    )
    uid = enrol(store, prepared.experiment, prepared.files)[0].uid
    stream = random.Random(0)
    best = max(range(count), key=lambda number: (number * 7919) % count, default=None)
    for first in range(0, count, 1000):
        with store.transaction(uid) as transaction:
            for number in range(first, min(first + 1000, count)):
                values = {"lr": stream.random(), "momentum": stream.random(), "opt": "adam"}
                transaction.start_trial(number, new=Trial(number, values))
                score = 2.0 if number == best else stream.random()
                seen = Observation(metric="score", value=score, time=time.time())
                transaction.finish_trial(
                    number, TrialState.SUCCEEDED, observations=[seen], offset=1
                )
            transaction.set_best(best)
    store.set_condition(uid, ExperimentState.STOPPED, "ExperimentStopped", "it was stopped")


def nobody(location: str) -> None:
    """Run in the background; looked at is nothing but whether it runs."""
    _resume(location)
    _wait(location)


def command_line(location: str) -> None:
    """Run in the foreground of a terminal."""
    terminal, side = pty.openpty()
    command = [sys.executable, "-m", "hpo_lab", "resume", NAME, "--store", location]
    process = subprocess.Popen(command, stdin=side, stdout=side, stderr=side)
    os.close(side)
    threading.Thread(target=_drain, args=(terminal,), daemon=True).start()
    process.wait()


def cell_output(location: str) -> None:
    """Run in the background; another process shows it as a cell does."""
    _resume(location)
    viewer = multiprocessing.get_context("spawn").Process(target=_show, args=(location,))
    viewer.start()
    _wait(location)
    viewer.join()


VIEWERS: dict[str, Callable[[str], None]] = {
    "nobody": nobody,
    "command line": command_line,
    "cell output": cell_output,
}


def _resume(location: str) -> None:
    Experiments(location).find(NAME).resume()


def _wait(location: str) -> None:
    experiment = Experiments(location).find(NAME)
    while experiment.is_live:
        time.sleep(0.5)


def _show(location: str) -> None:
    """Follow it in a shell whose front end takes everything and does nothing."""
    publisher = SimpleNamespace(publish=lambda *_, **__: None)
    shell: Any = SimpleNamespace(display_pub=publisher, kernel=object())
    LiveProgress(shell, Experiments(location).find(NAME)).follow()


def _drain(terminal: int) -> None:
    try:
        while os.read(terminal, 1 << 16):
            pass
    except OSError:
        return


def throughput(prepared: Path, recorded: int, view: Callable[[str], None]) -> float:
    """Trials a second, but for the first tenth of the new ones, which wait for the set-up."""
    with tempfile.TemporaryDirectory() as folder:
        location = str(Path(folder) / "hpo_lab.db")
        shutil.copy(prepared, location)
        view(location)
        store = open_store(location)
        (experiment,) = store.experiments()
        new = [trial for trial in store.trials(experiment.uid) if trial.number >= recorded]
        store.close()
    assert all(trial.state is TrialState.SUCCEEDED for trial in new), "a trial failed"
    ends = sorted(trial.completed_at or 0.0 for trial in new)[len(new) // 10 :]
    return (len(ends) - 1) / (ends[-1] - ends[0])


def viewed(recorded: int, trials: int, rounds: int) -> tuple[str, ...]:
    """The row of so many recorded trials."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "hpo_lab.db"
        store = open_store(prepared)
        record(store, NAME, recorded, recorded + trials)
        store.close()
        rates: dict[str, list[float]] = {name: [] for name in VIEWERS}
        for _ in range(rounds):
            for name, view in VIEWERS.items():
                rates[name].append(throughput(prepared, recorded, view))
                print(f"{recorded} recorded, {name}: {rates[name][-1]:.0f} a second", flush=True)
    alone = rates.pop("nobody")
    lost = [
        statistics.median(1 - seen / unseen for seen, unseen in zip(rate, alone, strict=True))
        for rate in rates.values()
    ]
    rate = f"{statistics.median(alone):.0f}"
    return (str(recorded), rate, *(f"{100 * share:.1f} %" for share in lost))


def looked(location: Path, *arguments: str) -> tuple[str, ...]:
    """The row of a command: seconds, seconds of processor time, and memory."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "hpo_lab", *arguments, "--store", str(location)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{arguments} failed"
    seconds = time.perf_counter() - began
    cpu = usage.ru_utime + usage.ru_stime
    text = f"`hpo-lab {' '.join(arguments)}`"
    return (text, f"{seconds:.2f}", f"{cpu:.2f}", f"{usage.ru_maxrss / 1024:.0f}")


def large(experiments: int, trials: int) -> list[tuple[str, ...]]:
    """The rows of a store with many experiments, and of an experiment with many trials."""
    with tempfile.TemporaryDirectory() as folder:
        many, deep = Path(folder) / "many.db", Path(folder) / "deep.db"
        store = open_store(many)
        for number in range(experiments):
            record(store, f"{NAME}-{number}", 100, 100)
        store.close()
        store = open_store(deep)
        record(store, NAME, trials, trials)
        store.close()
        return [
            looked(many, "list"),
            looked(deep, "list"),
            looked(deep, "show", NAME),
            looked(deep, "trials", NAME),
            looked(deep, "trials", NAME, "--format", "csv"),
        ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recorded", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--trials", type=int, default=1000, help="that are run and timed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--experiments", type=int, default=500)
    parser.add_argument("--many", type=int, default=50_000, help="trials of one experiment")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    rows = [viewed(recorded, options.trials, options.rounds) for recorded in options.recorded]
    looks = large(options.experiments, options.many)
    publish(
        "viewers",
        [
            *table(("recorded", "trials a second", "lost to command line", "to a cell"), rows),
            "",
            *table(("command", "seconds", "of processor", "MB"), looks),
            "",
            setting("hpo_lab", "sqlalchemy", "rich"),
        ],
        write=options.write,
    )


if __name__ == "__main__":
    main()
