"""The cost of asking each search algorithm, by the number of earlier trials.

    python benchmarks/ask_cost.py [--only tpe ...] [--counts 100 1000] [--repeat 5]

Prints a Markdown table of milliseconds of processor time: the median of consecutive
questions, each with a further trial, and in brackets the first question, when the algorithm
has no state yet.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from dataclasses import replace

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.ask import suggest
from hpo_lab.search.history import History
from hpo_lab.search.space import Space

COUNTS = (100, 1000, 10_000, 100_000)
BY_RUNGS = ("successivehalving", "hyperband", "asha", "bohb")
SEVERAL = ("nsga2",)
ALGORITHMS = (
    *("random", "grid", "sobol", "halton", "cmaes", "tpe", "bayesianoptimization"),
    *BY_RUNGS,
    *("pbt", "nsga2"),
)
# More rungs than in practice, so that all trials are in a single bracket.
RESOURCE = {"name": "epochs", "parameterType": "int", "feasibleSpace": {"min": 1, "max": 3**9}}
POPULATION = 20
LOG = {"distribution": "logUniform"}
PARAMETERS = [
    {"name": "lr", "parameterType": "double", "feasibleSpace": {"min": 1e-5, "max": 1, **LOG}},
    {"name": "dropout", "parameterType": "double", "feasibleSpace": {"min": 0, "max": 1}},
    {"name": "units", "parameterType": "int", "feasibleSpace": {"min": 1, "max": 256}},
    {"name": "layers", "parameterType": "int", "feasibleSpace": {"min": 1, "max": 8}},
    {"name": "opt", "parameterType": "categorical", "feasibleSpace": {"list": ["a", "b", "c"]}},
]


def experiment(algorithm: str) -> ExperimentSpec:
    """Five mixed parameters, with steps where a grid needs them, and what an algorithm needs."""
    parameters = [dict(parameter) for parameter in PARAMETERS]
    if algorithm == "grid":
        for parameter in parameters[:2]:
            parameter["feasibleSpace"] = {"min": 0, "max": 1, "step": 0.01}
    settings = {}
    if algorithm in BY_RUNGS:
        parameters.append(RESOURCE)
        settings = {"resource_name": "epochs"}
    elif algorithm == "pbt":
        settings = {"n_population": str(POPULATION)}
    objective: dict[str, object] = {"type": "minimize", "objectiveMetricName": "loss"}
    if algorithm in SEVERAL:
        objective["additionalObjectives"] = [{"type": "minimize", "objectiveMetricName": "size"}]
    return ExperimentSpec.model_validate(
        {
            "parameters": parameters,
            "objective": objective,
            "algorithm": {
                "algorithmName": algorithm,
                "algorithmSettings": [
                    {"name": name, "value": value} for name, value in settings.items()
                ],
            },
        }
    )


def past(spec: ExperimentSpec, count: int) -> list[Trial]:
    """Random trials that have succeeded, with the labels that the algorithm gives them."""
    rng = random.Random(count)
    space = Space(spec.parameters)
    name = spec.algorithm.algorithm_name
    rungs = iter(climbed(count, rng)) if name in BY_RUNGS else None
    trials: list[Trial] = []
    for number in range(count):
        assignment = space.assign(lambda axis: axis.value_at(rng.random()))
        loss = rng.random()
        # A trade-off, so that none is better than another in both.
        metrics = {"loss": Metric.single(loss), "size": Metric.single(1 - loss)}
        trial = Trial(number, assignment, TrialState.SUCCEEDED, metrics)
        if rungs is not None:
            rung, parent = next(rungs)
            if parent is not None:
                assignment = dict(trials[parent].assignments)
            assignment["epochs"] = 3**rung
            labels = {"bracket": "9", "rung": str(rung)}
            trial = replace(trial, assignments=assignment, parent=parent, labels=labels)
        elif name == "pbt":
            generation, member = divmod(number, POPULATION)
            labels = {"generation": str(generation), "member": str(member)}
            trial = replace(
                trial, parent=number - POPULATION if generation else None, labels=labels
            )
        trials.append(trial)
    return trials


def climbed(count: int, rng: random.Random) -> list[tuple[int, int | None]]:
    """Rung and parent of *count* trials, two thirds of which begin and a third of each go on."""
    results: list[tuple[int, int | None]] = []
    members: list[int | None] = [None] * (2 * count // 3)
    rung = 0
    while len(results) < count:
        begin = len(results)
        results += [(rung, parent) for parent in members]
        here = list(range(begin, len(results)))
        members = [*rng.sample(here, max(1, len(here) // 3))]
        rung += 1
    return results[:count]


def costs(algorithm: str, count: int, repeat: int) -> list[float]:
    """Milliseconds of each of `repeat + 1` questions."""
    spec = experiment(algorithm)
    suggest(spec, 0, [])  # imports
    trials = past(spec, count + repeat)
    history = History(trials[:count])
    spent = []
    for number in range(count, count + repeat + 1):
        begun = time.process_time()
        if number > count:
            history.put(trials[number - 1])
        suggest(spec, number, history)
        spent.append(1000 * (time.process_time() - begun))
    return spent


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=ALGORITHMS)
    parser.add_argument("--counts", nargs="*", type=int, default=COUNTS)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    print("| algorithm | " + " | ".join(f"{count} trials" for count in arguments.counts) + " |")
    print("|---" * (1 + len(arguments.counts)) + "|")
    for algorithm in arguments.only or ALGORITHMS:
        cells = []
        for count in arguments.counts:
            first, *rest = costs(algorithm, count, arguments.repeat)
            cells.append(f"{statistics.median(rest):.1f} ({first:.1f})")
        print(f"| `{algorithm}` | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
