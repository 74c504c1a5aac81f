"""What one question to each search algorithm costs, by the number of trials before it.

    python benchmarks/ask_cost.py [--only tpe ...] [--repeat 5]

Prints a Markdown table of milliseconds of processor time: the median of some questions in
a row, each with one more trial, and in brackets the first one, which knows nothing yet.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.ask import suggest
from hpo_lab.search.space import Space

COUNTS = (100, 1000, 10_000)
RESOURCE = {"name": "epochs", "parameterType": "int", "feasibleSpace": {"min": 1, "max": 81}}
BY_RUNGS = ("successivehalving", "hyperband", "asha", "bohb")
ALGORITHMS = (
    *("random", "grid", "sobol", "halton", "cmaes", "tpe", "bayesianoptimization"),
    *BY_RUNGS,
    *("pbt", "nsga2"),
)
SECOND = {"type": "minimize", "objectiveMetricName": "size"}
SEVERAL = ("nsga2",)
LOG = {"distribution": "logUniform"}
PARAMETERS = [
    {"name": "lr", "parameterType": "double", "feasibleSpace": {"min": 1e-5, "max": 1, **LOG}},
    {"name": "dropout", "parameterType": "double", "feasibleSpace": {"min": 0, "max": 1}},
    {"name": "units", "parameterType": "int", "feasibleSpace": {"min": 1, "max": 256}},
    {"name": "layers", "parameterType": "int", "feasibleSpace": {"min": 1, "max": 8}},
    {"name": "opt", "parameterType": "categorical", "feasibleSpace": {"list": ["a", "b", "c"]}},
]


def experiment(algorithm: str) -> ExperimentSpec:
    """Five mixed parameters, with steps where a grid needs them."""
    parameters = [dict(parameter) for parameter in PARAMETERS]
    if algorithm == "grid":
        for parameter in parameters[:2]:
            parameter["feasibleSpace"] = {"min": 0, "max": 1, "step": 0.01}
    return ExperimentSpec.model_validate(
        {
            "parameters": parameters,
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {"algorithmName": algorithm},
        }
    )


def history(spec: ExperimentSpec, count: int) -> list[Trial]:
    """Random trials that have succeeded."""
    rng = random.Random(count)
    space = Space(spec.parameters)
    made = [space.assign(lambda axis: axis.value_at(rng.random())) for _ in range(count)]
    return [
        Trial(number, one, TrialState.SUCCEEDED, {"loss": Metric.single(rng.random())})
        for number, one in enumerate(made)
    ]


def costs(algorithm: str, count: int, repeat: int) -> list[float]:
    """Milliseconds of each of `repeat + 1` questions."""
    spec = experiment(algorithm)
    suggest(spec, 0, [])  # imports
    trials = history(spec, count + repeat)
    spent = []
    for number in range(count, count + repeat + 1):
        told = trials[:number]
        begun = time.process_time()
        suggest(spec, number, told)
        spent.append(1000 * (time.process_time() - begun))
    return spent


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=ALGORITHMS)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    print("| algorithm | " + " | ".join(f"{count} trials" for count in COUNTS) + " |")
    print("|---" * (1 + len(COUNTS)) + "|")
    for algorithm in arguments.only or ALGORITHMS:
        cells = []
        for count in COUNTS:
            first, *rest = costs(algorithm, count, arguments.repeat)
            cells.append(f"{statistics.median(rest):.1f} ({first:.1f})")
        print(f"| `{algorithm}` | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
