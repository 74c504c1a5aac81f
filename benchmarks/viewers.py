"""What looking costs: `python benchmarks/viewers.py`.

Trials a second of a runner that nobody looks at, of `hpo-lab resume` on a terminal, and of a
runner whose progress is shown as the output of a cell, with 100, 1000 and 10 000 trials
recorded before; the share of all processor time that the viewer took, which is exact where the
throughput is not; and `hpo-lab list`, `show`, `trials` and `resume` of large stores.
"""

from __future__ import annotations

import argparse
import contextlib
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
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tables import publish, setting, table

from hpo_lab import cli
from hpo_lab.dashboard.live import LiveProgress
from hpo_lab.experiment.document import Value
from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.facade.experiments import Experiments
from hpo_lab.observation import Observation
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import Prepared, prepare_cell
from hpo_lab.store import Store, open_store

NAME = "viewed"
CELL = """lr = 0.01  # tune: loguniform(1e-4, 1e-1)
momentum = 0.9  # tune: uniform(0, 1)
opt = "adam"  # tune: choice("adam", "sgd")
depth = 3  # tune: int(1, 8)
width = 64  # tune: int(16, 512)
dropout = 0.1  # tune: uniform(0, 0.6)
decay = 1e-5  # tune: loguniform(1e-8, 1e-2)
nesterov = True  # tune: choice(True, False)
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
    uid = enrol_prepared(store, Prepared(prepared.experiment, prepared.files)).record.uid
    stream = random.Random(0)
    best = max(range(count), key=lambda number: (number * 7919) % count, default=None)
    for first in range(0, count, 1000):
        with store.transaction(uid) as transaction:
            for number in range(first, min(first + 1000, count)):
                values: dict[str, Value] = {
                    "lr": 10 ** stream.uniform(-4, -1),
                    "momentum": stream.random(),
                    "opt": stream.choice(["adam", "sgd"]),
                    "depth": stream.randint(1, 8),
                    "width": stream.randint(16, 512),
                    "dropout": 0.6 * stream.random(),
                    "decay": 10 ** stream.uniform(-8, -2),
                    "nesterov": stream.random() < 0.5,
                }
                transaction.start_trial(number, new=Trial(number, values))
                score = 2.0 if number == best else stream.random()
                # Every tenth reports four times.
                values_so_far = [score] if number % 10 else [score / 4, score / 3, score / 2, score]
                reports = [
                    Observation(metric="score", value=value, time=time.time(), step=step)
                    for step, value in enumerate(values_so_far)
                ]
                transaction.observe(number, reports, 1)
                transaction.finish_trial(number, TrialState.SUCCEEDED)
            transaction.set_best(best)
    store.set_condition(uid, ExperimentState.STOPPED, "ExperimentStopped", "it was stopped")


def nobody(location: str) -> float:
    """Run in the background; looked at is nothing but whether it runs."""
    _resume(location)
    _wait(location)
    return 0.0


def command_line(location: str) -> float:
    """Run in the foreground of a terminal; the thread that draws is the viewer."""
    terminal, side = pty.openpty()
    threading.Thread(target=_drain, args=(terminal,), daemon=True).start()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_resume_on, args=(os.ttyname(side), location, theirs))
    process.start()
    share = float(ours.recv())
    process.join()
    os.close(side)
    return share / CORES


def _resume_on(terminal: str, location: str, pipe: Connection) -> None:
    device = os.open(terminal, os.O_RDWR)
    for standard in range(3):
        os.dup2(device, standard)
    seconds = [0.0]
    threading.Thread(target=_time_drawing, args=(seconds,), daemon=True).start()
    began = time.monotonic()
    cli.main(["resume", NAME, "--store", location], standalone_mode=False)
    pipe.send(seconds[0] / (time.monotonic() - began))


def _time_drawing(seconds: list[float]) -> None:
    """Keep the processor time of the thread that draws, for as long as there is one."""
    while True:
        for thread in threading.enumerate():
            if thread.name == "hpo-lab-progress" and thread.native_id:
                with contextlib.suppress(OSError):
                    seconds[0] = _cpu(thread.native_id)
        time.sleep(0.2)


def cell_output(location: str) -> float:
    """Run in the background; another process, which is up like a kernel, shows it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    viewer = context.Process(target=_show, args=(location, theirs))
    viewer.start()
    ours.recv()
    _resume(location)
    ours.send("it runs")
    share = float(ours.recv())
    viewer.join()
    _wait(location)
    return share / CORES


CORES = len(os.sched_getaffinity(0))
VIEWERS: dict[str, Callable[[str], float]] = {
    "nobody": nobody,
    "command line": command_line,
    "cell output": cell_output,
}
"""Each runs the experiment; returned is the share of all processor time that looking took."""


def _cpu(thread: int) -> float:
    """Seconds of processor time of a thread of this process."""
    fields = Path(f"/proc/self/task/{thread}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resume(location: str) -> None:
    Experiments(location).find(NAME).resume()


def _wait(location: str) -> None:
    experiment = Experiments(location).find(NAME)
    while experiment.is_live:
        time.sleep(0.5)


def _show(location: str, pipe: Connection) -> None:
    """Follow it in a shell whose front end takes everything and does nothing."""
    publisher = SimpleNamespace(publish=lambda *_, **__: None)
    shell: Any = SimpleNamespace(display_pub=publisher, kernel=object())
    pipe.send("ready")
    pipe.recv()
    began, started = time.monotonic(), time.process_time()
    LiveProgress(shell, Experiments(location).find(NAME)).follow()
    pipe.send((time.process_time() - started) / (time.monotonic() - began))


def _drain(terminal: int) -> None:
    try:
        while os.read(terminal, 1 << 16):
            pass
    except OSError:
        return


def throughput(prepared: Path, recorded: int, view: Callable[[str], float]) -> tuple[float, float]:
    """Trials a second after the first tenth, which waits for the set-up, and the viewer's share."""
    # The runner may still write its log when the experiment has ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        location = str(Path(folder) / "hpo_lab.db")
        shutil.copy(prepared, location)
        share = view(location)
        store = open_store(location)
        (experiment,) = store.experiments()
        new = [trial for trial in store.trials(experiment.uid) if trial.number >= recorded]
        store.close()
    assert all(trial.state is TrialState.SUCCEEDED for trial in new), "a trial failed"
    ends = sorted(trial.completed_at or 0.0 for trial in new)[len(new) // 10 :]
    return (len(ends) - 1) / (ends[-1] - ends[0]), share


def viewed(recorded: int, trials: int, rounds: int) -> tuple[str, ...]:
    """The row of so many recorded trials."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "hpo_lab.db"
        store = open_store(prepared)
        record(store, NAME, recorded, recorded + trials)
        store.close()
        rates: dict[str, list[float]] = {name: [] for name in VIEWERS}
        shares: dict[str, list[float]] = {name: [] for name in VIEWERS}
        for _ in range(rounds):
            for name, view in VIEWERS.items():
                rate, share = throughput(prepared, recorded, view)
                rates[name].append(rate)
                shares[name].append(share)
                text = f"{rate:.0f} a second, the viewer {100 * share:.2f} %"
                print(f"{recorded} recorded, {name}: {text}", flush=True)
    alone = rates.pop("nobody")
    cells = [str(recorded), f"{statistics.median(alone):.0f}"]
    for name, seen in rates.items():
        lost = statistics.median(
            1 - rate / unseen for rate, unseen in zip(seen, alone, strict=True)
        )
        cells += [f"{100 * statistics.median(shares[name]):.1f} %", f"{100 * lost:.1f} %"]
    return tuple(cells)


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
        record(store, NAME, trials, trials + 10)
        store.close()
        return [
            looked(many, "list"),
            looked(deep, "list"),
            looked(deep, "show", NAME),
            looked(deep, "trials", NAME),
            looked(deep, "trials", NAME, "--format", "csv"),
            looked(deep, "resume", NAME),
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
            *table(
                (
                    "recorded",
                    "trials a second",
                    "command line: processor",
                    "throughput lost",
                    "cell: processor",
                    "throughput lost",
                ),
                rows,
            ),
            "",
            *table(("command", "seconds", "of processor", "MB"), looks),
            "",
            setting("hpo_lab", "sqlalchemy", "rich"),
        ],
        write=options.write,
    )


if __name__ == "__main__":
    main()
