"""How near each search algorithm comes to the known minimum of three test functions.

    python benchmarks/search_quality.py [--seeds 5] [--trials 200] [--batch 1] [--only tpe ...]

Prints a Markdown table of the simple regret after 50, 100 and 200 trials: the geometric mean
over the seeds and its 95 % interval by Student's t on the logarithm. Beside each algorithm
stands Optuna's own sampler, asked directly on a study in memory, where it is installed.
"""

from __future__ import annotations

import argparse
import math
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from scipy.stats import t as student

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.ask import suggest

CHECKPOINTS = (50, 100, 200)
Point = Mapping[str, Any]


@dataclass(frozen=True)
class Function:
    """A test function: parameters as in a manifest, and the loss above its minimum."""

    name: str
    parameters: tuple[dict[str, Any], ...]
    regret: Callable[[Point], float]


def double(name: str, low: float, high: float, **space: Any) -> dict[str, Any]:
    """A parameter of type double."""
    limits = {"min": low, "max": high, **space}
    return {"name": name, "parameterType": "double", "feasibleSpace": limits}


def branin(point: Point) -> float:
    """Branin and Hoo: three minima of equal depth."""
    x, y = point["x"], point["y"]
    bend = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return bend**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.39788735772973816


HEIGHT = np.array([1, 1.2, 3, 3.2])
WIDTH = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
CENTRE = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann(point: Point) -> float:
    """Hartmann in six dimensions: a local minimum 0.12 above the global one."""
    x = np.array([point[f"x{i}"] for i in range(6)])
    return 3.322368011415515 - float(HEIGHT @ np.exp(-np.sum(WIDTH * (x - CENTRE) ** 2, axis=1)))


def mixed(point: Point) -> float:
    """Ten parameters of all types, with interactions."""
    loss = ((math.log10(point["lr"]) + 3) / 2) ** 2 + 4 * (point["momentum"] - 0.8) ** 2
    loss += (point["dropout"] - 0.3 * (point["layers"] - 2) / 4) ** 2 * 4
    loss += ((point["layers"] - 4) / 3) ** 2 + (math.log2(point["units"] / 96) / 3) ** 2
    loss += (math.log2(point["batch"]) - 6) ** 2 / 9 + (math.log10(point["decay"]) + 4) ** 2 / 9
    loss += {"sgd": 0.3 * point["momentum"], "adam": 0.0, "lion": 0.2}[point["optimizer"]] * 2
    loss += {"relu": 0.1, "gelu": 0.0, "tanh": 0.5}[point["activation"]]
    return loss + (point["warmup"] - 0.1 * point["layers"] / 4) ** 2 * 2


def listed(kind: str, name: str, *values: Any) -> dict[str, Any]:
    """A parameter with a list of values."""
    return {"name": name, "parameterType": kind, "feasibleSpace": {"list": list(values)}}


def whole(name: str, low: int, high: int, **space: Any) -> dict[str, Any]:
    """A parameter of type int."""
    return double(name, low, high, **space) | {"parameterType": "int"}


LOG = {"distribution": "logUniform"}
FUNCTIONS = (
    Function("Branin", (double("x", -5, 10), double("y", 0, 15)), branin),
    Function("Hartmann 6", tuple(double(f"x{i}", 0, 1) for i in range(6)), hartmann),
    Function(
        "mixed 10",
        (
            double("lr", 1e-5, 1, **LOG),
            double("momentum", 0, 1),
            double("dropout", 0, 0.9),
            whole("layers", 1, 8),
            whole("units", 8, 1024, **LOG),
            listed("discrete", "batch", 16, 32, 64, 128, 256),
            double("decay", 1e-6, 1e-1, **LOG),
            listed("categorical", "optimizer", "sgd", "adam", "lion"),
            listed("categorical", "activation", "relu", "gelu", "tanh"),
            double("warmup", 0, 0.5, step=0.05),
        ),
        mixed,
    ),
)


def ours(function: Function, algorithm: str, seed: int, trials: int, batch: int) -> list[float]:
    """The regret of each trial, asked for through `suggest`."""
    spec = ExperimentSpec.model_validate(
        {
            "parameters": function.parameters,
            "parallelTrialCount": batch,
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {"algorithmName": algorithm},
        }
    )
    known: list[Trial] = []
    while len(known) < trials:
        asked: list[Trial] = []
        for number in range(len(known), min(len(known) + batch, trials)):
            made = suggest(spec, number, [*known, *asked], uid=str(seed))
            assert made is not None
            asked.append(Trial(number, made, TrialState.RUNNING))
        for one in asked:
            metrics = {"loss": Metric.single(function.regret(one.assignments))}
            known.append(Trial(one.number, one.assignments, TrialState.SUCCEEDED, metrics))
    return [trial.metrics["loss"].latest for trial in known]


SAMPLERS: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "sobol": lambda seed: optuna.samplers.QMCSampler(qmc_type="sobol", scramble=True, seed=seed),
    "halton": lambda seed: optuna.samplers.QMCSampler(qmc_type="halton", scramble=True, seed=seed),
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "cmaes": lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
    "bayesianoptimization": lambda seed: optuna.samplers.GPSampler(seed=seed),
}


def theirs(function: Function, algorithm: str, seed: int, trials: int, batch: int) -> list[float]:
    """The regret of each trial, asked for from Optuna's sampler itself."""
    space = {one["name"]: distribution(one) for one in function.parameters}
    study = optuna.create_study(sampler=SAMPLERS[algorithm](seed))
    regrets: list[float] = []
    while len(regrets) < trials:
        asked = [study.ask(space) for _ in range(min(batch, trials - len(regrets)))]
        for one in asked:
            regrets.append(function.regret(one.params))
            study.tell(one, regrets[-1])
    return regrets


def distribution(parameter: dict[str, Any]) -> optuna.distributions.BaseDistribution:
    """Optuna's distribution of a parameter."""
    space = parameter["feasibleSpace"]
    if "list" in space:
        return optuna.distributions.CategoricalDistribution(space["list"])
    log = space.get("distribution") == "logUniform"
    if parameter["parameterType"] == "int":
        return optuna.distributions.IntDistribution(space["min"], space["max"], log=log)
    return optuna.distributions.FloatDistribution(
        space["min"], space["max"], log=log, step=space.get("step")
    )


def cell(regrets: list[list[float]], count: int) -> str:
    """Geometric mean and interval of the best regret within *count* trials."""
    logs = np.log10([max(min(run[:count]), 1e-12) for run in regrets])
    mean, size = float(np.mean(logs)), len(logs)
    if size < 2:
        return f"{10**mean:.2g}"
    half = student.ppf(0.975, size - 1) * float(np.std(logs, ddof=1)) / math.sqrt(size)
    return f"{10**mean:.2g} ({10 ** (mean - half):.1g} to {10 ** (mean + half):.1g})"


def rows(arguments: argparse.Namespace) -> Iterator[str]:
    """The lines of the table."""
    counts = [count for count in CHECKPOINTS if count <= arguments.trials]
    yield "| function | algorithm | " + " | ".join(f"{count} trials" for count in counts) + " |"
    yield "|---" * (2 + len(counts)) + "|"
    makers = {"": ours, " (Optuna)": theirs}
    for function in FUNCTIONS:
        for algorithm in arguments.only or SAMPLERS:
            for label, run in makers.items():
                try:
                    regrets = [
                        run(function, algorithm, seed, arguments.trials, arguments.batch)
                        for seed in range(arguments.seeds)
                    ]
                except ImportError as error:
                    print(f"{algorithm}{label}: {error.msg.splitlines()[0]}", file=sys.stderr)
                    continue
                cells = " | ".join(cell(regrets, count) for count in counts)
                yield f"| {function.name} | `{algorithm}`{label} | {cells} |"


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=SAMPLERS)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    for row in rows(parser.parse_args()):
        print(row, flush=True)


if __name__ == "__main__":
    main()
