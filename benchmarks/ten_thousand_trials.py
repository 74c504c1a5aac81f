"""Ten thousand trivial trials: `python benchmarks/ten_thousand_trials.py [--trials N]`.

Prints the throughput of every tenth of the trials, the runner's peak memory, and the numbers
of leaked descriptors and processes. Fails when a trial is missing or anything leaked.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from pathlib import Path

import psutil
from tables import publish, setting, table
from trial_cost import PARALLEL, SET_UPS, hpo_lab

from hpo_lab.store import open_store


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    me = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        # Once before, so that what stays open for good is open.
        (Path(folder) / "first").mkdir()
        hpo_lab(SET_UPS["trivial"], 4, Path(folder) / "first")
        descriptors = me.num_fds()
        hpo_lab(SET_UPS["trivial"], options.trials, Path(folder))
        open_files = me.num_fds() - descriptors
        processes = me.children(recursive=True)
        store = open_store(Path(folder) / "hpo_lab.db")
        (record,) = store.experiments()
        ends = sorted(trial.completed_at or 0.0 for trial in store.trials(record.uid))
        store.close()
    size = len(ends) // 10
    rates = [(size - 1) / (ends[(part + 1) * size - 1] - ends[part * size]) for part in range(10)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    publish(
        "ten-thousand",
        [
            *table(
                ("tenth", *map(str, range(1, 11))),
                [("trials a second", *(f"{rate:.0f}" for rate in rates))],
            ),
            "",
            f"{len(ends)} trials, {PARALLEL} at a time, in {ends[-1] - ends[0]:.0f} s; the last "
            f"tenth runs at {rates[-1] / rates[0]:.2f} of the pace of the first. Peak memory of "
            f"the runner {memory:.0f} MB; descriptors left {open_files}, processes left "
            f"{len(processes)}. {setting('hpo_lab')}",
        ],
        write=options.write,
    )
    if open_files > 0 or processes or len(ends) != options.trials:
        raise SystemExit("something is left or missing")


if __name__ == "__main__":
    main()
