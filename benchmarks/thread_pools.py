"""200 trials forked after torch and scikit-learn used their threads; none may hang.

    python benchmarks/thread_pools.py [--trials 200]

The set-up of each experiment uses the library's thread pool, and so does every trial.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tables import publish, setting, table

SET_UPS = {
    "scikit-learn": (
        "import numpy as np\nfrom sklearn.cluster import KMeans\n"
        "data = np.random.default_rng(0).random((2000, 8))\nKMeans(3, n_init=1).fit(data)",
        "KMeans(2, n_init=1, max_iter=2).fit(data[:600])",
    ),
    "torch": (
        "import torch\nweights = torch.ones(1 << 18, requires_grad=True)\n"
        "(weights * 2).sum().backward()\ntorch.ones(1 << 20).sum()",
        "(weights * x).sum().backward()\nassert weights.grad is not None",
    ),
}


def run(library: str, trials: int, folder: Path) -> tuple[int, float]:
    """How many trials succeeded, and the seconds that all took."""
    from hpo_lab.experiment.model import ObjectiveType
    from hpo_lab.facade.enrolling import enrol_prepared
    from hpo_lab.local.runner import local_runner
    from hpo_lab.notebook.parsed_cell import ParsedCell
    from hpo_lab.options import TuneOptions
    from hpo_lab.prepare import Prepared
    from hpo_lab.prepare.notebook import prepare_cell
    from hpo_lab.store import open_store

    set_up, tuned = SET_UPS[library]
    options = TuneOptions(
        direction=ObjectiveType.MAXIMIZE,
        metric="score",
        trials=trials,
        parallel=2,
        algorithm="random",
        isolation="fork",
        trial_timeout=60.0,
        keep="none",
    )
    prepared = prepare_cell(
        f"x = 0.5  # tune: uniform(0, 1)\n{tuned}\nscore = x",
        [ParsedCell(set_up)],
        options,
        where="cell",
        name="pools",
        working_directory=folder,
    )
    store = open_store(folder / "hpo_lab.db")
    record = enrol_prepared(store, Prepared(prepared.experiment, prepared.files)).record
    start = time.monotonic()
    local_runner(store, record.uid).run()
    seconds = time.monotonic() - start
    ended = store.trials(record.uid)
    store.close()
    return sum(trial.state.value == "Succeeded" for trial in ended), seconds


def main() -> None:
    """Run and print; fails when a trial did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    rows, good = [], True
    for library in SET_UPS:
        with tempfile.TemporaryDirectory() as folder:
            done, seconds = run(library, options.trials, Path(folder))
        good &= done == options.trials
        rows.append((library, f"{done} of {options.trials}", f"{seconds:.0f}"))
    publish(
        "thread-pools",
        [
            *table(("set-up", "succeeded", "s"), rows),
            "",
            setting("hpo_lab", "scikit-learn", "torch"),
        ],
        write=options.write,
    )
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
