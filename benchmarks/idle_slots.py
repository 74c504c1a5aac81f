"""How busy the slots are while a costly sampler is asked: `python benchmarks/idle_slots.py`.

    [--trials 60] [--seconds 0.2]

Every trial takes the same time, and a Gaussian process suggests each trial, which costs tens
of milliseconds of CPU. Prints how long the slots stood empty between two trials. Asking
ahead should avoid that time. The same number for random search is the cost of starting a
trial.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from tables import publish, setting, table
from trial_cost import PARALLEL, hpo_lab

from hpo_lab.store import open_store


def idle(algorithm: str, trials: int, seconds: float) -> tuple[float, float]:
    """Seconds a slot stood empty between two trials, median and mean."""
    with tempfile.TemporaryDirectory() as folder:
        hpo_lab(
            "import time",
            trials,
            Path(folder),
            tuned=f"time.sleep({seconds})\nscore = -(x - 0.3) ** 2",
            algorithm=algorithm,
        )
        store = open_store(Path(folder) / "hpo_lab.db")
        (record,) = store.experiments()
        ended = store.trials(record.uid)
        store.close()
    # All trials take equally long, so the n-th start follows the n-th end.
    begins = sorted(trial.started_at or 0.0 for trial in ended)[PARALLEL:]
    ends = sorted(trial.completed_at or 0.0 for trial in ended)
    # The first models are fitted to too little to cost anything.
    gaps = [max(begin - end, 0.0) for begin, end in zip(begins, ends, strict=False)][10:]
    return statistics.median(gaps), statistics.mean(gaps)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    rows = []
    for algorithm in ("random", "bayesianoptimization"):
        median, mean = idle(algorithm, options.trials, options.seconds)
        share = mean / (mean + options.seconds)
        rows.append(
            (f"`{algorithm}`", f"{1000 * median:.1f}", f"{1000 * mean:.1f}", f"{100 * share:.1f}")
        )
    publish(
        "idle-slots",
        [
            *table(("", "empty, median ms", "empty, mean ms", "% of the time"), rows),
            "",
            f"{options.trials} trials of {options.seconds} s, {PARALLEL} at a time. "
            + setting("hpo_lab"),
        ],
        write=options.write,
    )


if __name__ == "__main__":
    main()
