"""The cost of a report with each early stopping rule, by the number of ended trials.

    python benchmarks/stopping_cost.py [--only asha ...] [--steps 10] [--write]

The rules first get the ended trials, as after a restart, and then decide about four running
trials at each report. Prints a Markdown table of milliseconds of processor time: the median,
and in brackets the maximum, which for `medianstop` is the first question about a step. The
last columns are, for the highest number of trials, the cost of recording a trial's end and
the memory that the rule keeps.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import time
import tracemalloc
from collections.abc import Iterator

from tables import publish, setting, table

from hpo_lab.engine.early_stopping import EarlyStopper
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import TrialState
from hpo_lab.observation import Observation

COUNTS = (100, 1000, 10_000)
RUNNING = 4
# No trial is stopped by these, so that every rule looks at everything it has.
RULES: dict[str, dict[str, str]] = {
    "medianstop": {"start_step": "1"},
    "asha": {},
    "hyperband": {"max_resource": "1000"},
    "wilcoxon": {"p_threshold": "0.000001"},
    "threshold": {"lower": "-1"},
    "patience": {"rounds": "1000"},
}


def stopping(rule: str) -> EarlyStopper:
    """Early stopping by *rule* before the first trial."""
    settings = [{"name": name, "value": value} for name, value in RULES[rule].items()]
    space = {"min": 0, "max": 1}
    return EarlyStopper(
        ExperimentSpec.model_validate(
            {
                "parameters": [{"name": "x", "parameterType": "double", "feasibleSpace": space}],
                "objective": {"type": "minimize", "objectiveMetricName": "loss"},
                "algorithm": {"algorithmName": "random"},
                "earlyStopping": {"algorithmName": rule, "algorithmSettings": settings},
            }
        )
    )


def losses(rng: random.Random, steps: int) -> list[Observation]:
    """What a trial reports: losses that fall with the *steps*."""
    level = rng.random()
    return [
        Observation(metric="loss", value=level + 1 / step + rng.gauss(0, 0.1), step=step, time=0.0)
        for step in range(1, steps + 1)
    ]


def with_ended(rule: str, count: int, steps: int) -> EarlyStopper:
    """Early stopping by *rule* after *count* trials that have succeeded."""
    rng = random.Random(count)
    stopper = stopping(rule)
    for number in range(count):
        stopper.report(number, losses(rng, steps))
        stopper.set_state(number, TrialState.SUCCEEDED)
    return stopper


def costs(stopper: EarlyStopper, count: int, steps: int) -> Iterator[float]:
    """Milliseconds of each report of the trials that run after *count* ended ones."""
    rng = random.Random(0)
    running = [losses(rng, steps) for _ in range(RUNNING)]
    for reports in zip(*running, strict=True):
        for number, report in enumerate(reports, start=count):
            start = time.process_time()
            stopper.report(number, [report])
            stopper.reason(number)
            yield 1000 * (time.process_time() - start)


def end_cost(stopper: EarlyStopper, count: int) -> float:
    """Milliseconds in which the end of a running trial is told, after *count* ended ones."""
    spent = []
    for number in range(count, count + RUNNING):
        start = time.process_time()
        stopper.set_state(number, TrialState.SUCCEEDED)
        spent.append(1000 * (time.process_time() - start))
    return statistics.median(spent)


def memory(rule: str, count: int, steps: int) -> float:
    """Megabytes that are kept of *count* ended trials, once every step was asked about."""
    gc.collect()
    tracemalloc.start()
    stopper = with_ended(rule, count, steps)
    for _ in costs(stopper, count, steps):
        pass
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=RULES)
    parser.add_argument("--steps", type=int, default=10, help="reports of each trial")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    rows = []
    for rule in options.only or RULES:
        # What is imported at the first question.
        list(costs(with_ended(rule, 1, 8), 1, 8))
        spent = {}
        for count in COUNTS:
            stopper = with_ended(rule, count, options.steps)
            spent[count] = list(costs(stopper, count, options.steps))
        medians = [statistics.median(times) for times in spent.values()]
        rows.append(
            (
                f"`{rule}`",
                *(
                    f"{middle:.2f} ({max(times):.2f})"
                    for middle, times in zip(medians, spent.values(), strict=True)
                ),
                f"{medians[-1] / medians[0]:.1f}",
                f"{end_cost(stopper, COUNTS[-1]):.2f}",
                f"{memory(rule, COUNTS[-1], options.steps):.1f}",
            )
        )
        print(rows[-1], flush=True)
    header = ("rule", *(f"{count} ended" for count in COUNTS), "last by first", "an end", "MB")
    publish(
        "stopping-cost",
        [
            *table(header, rows),
            "",
            f"Milliseconds of CPU a report, with {options.steps} steps a trial and {RUNNING} "
            f"trials running. {setting('hpo_lab', 'scipy')}",
        ],
        write=options.write,
    )


if __name__ == "__main__":
    main()
