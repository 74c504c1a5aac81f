"""The distance of each search algorithm from the minimum of five functions.

    python benchmarks/search_quality.py [--seeds 20] [--trials 200] [--batch 1 8]
        [--only tpe ...] [--by Optuna] [--functions Branin ...]
        [--results quality/runs.jsonl] [--table]

Prints a Markdown table of the simple regret after 50, 100 and 200 trials: the geometric mean
over the seeds and its 95 % interval by Student's t on the logarithm. The next column is
Optuna's own sampler, where it has one (`cmaes` needs the package of that name), asked
directly on a study in memory. The last is the ratio of our regret to Optuna's after the last
trial, with the 95 % interval by Welch: ours is not worse where the interval contains 1.

Every run is a line in `--results`. Runs that are in the file are not repeated, so the table
can be made in parts. `--table` prints the recorded runs and runs nothing. The two functions
on scikit-learn's digits are tables, evaluated once (some minutes) and kept with the results.
"""

from __future__ import annotations

import argparse
import json
import math
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
from quality_functions import Function, functions
from scipy.stats import t as student

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.algorithm import Suggestion
from hpo_lab.search.ask import suggest

CHECKPOINTS = (50, 100, 200)
FLOOR = 2e-4
"""Regrets below it count as it: less is reached by who hits the grid of a table."""


class Run(NamedTuple):
    """One search: what was searched by whom, and the best regret at each checkpoint."""

    function: str
    algorithm: str
    by: str
    batch: int
    seed: int
    best: dict[str, float]

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it from others."""
        return self[:5]


def ours(function: Function, algorithm: str, seed: int, trials: int, batch: int) -> list[float]:
    """The regret of each trial, asked for through `suggest`."""
    name, settings = SETTINGS.get(algorithm, (algorithm, {}))
    spec = ExperimentSpec.model_validate(
        {
            "parameters": function.parameters,
            "parallelTrialCount": batch,
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {
                "algorithmName": name,
                "algorithmSettings": [{"name": k, "value": v} for k, v in settings.items()],
            },
        }
    )
    history: list[Trial] = []
    while len(history) < trials:
        batch_trials: list[Trial] = []
        for number in range(len(history), min(len(history) + batch, trials)):
            suggestion = suggest(spec, number, [*history, *batch_trials], uid=str(seed))
            assert isinstance(suggestion, Suggestion)
            batch_trials.append(Trial(number, suggestion.assignments, TrialState.RUNNING))
        for trial in batch_trials:
            metrics = {"loss": Metric.single(function.regret(trial.assignments))}
            history.append(Trial(trial.number, trial.assignments, TrialState.SUCCEEDED, metrics))
    return [trial.metrics["loss"].latest for trial in history]


SAMPLERS: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "sobol": lambda seed: optuna.samplers.QMCSampler(qmc_type="sobol", scramble=True, seed=seed),
    "halton": lambda seed: optuna.samplers.QMCSampler(qmc_type="halton", scramble=True, seed=seed),
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "nsga2": lambda seed: optuna.samplers.NSGAIISampler(seed=seed),
    "cmaes": lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
    "bayesianoptimization": lambda seed: optuna.samplers.GPSampler(seed=seed),
}


def theirs(function: Function, algorithm: str, seed: int, trials: int, batch: int) -> list[float]:
    """The regret of each trial, asked for from Optuna's sampler itself."""
    space = {parameter["name"]: distribution(parameter) for parameter in function.parameters}
    study = optuna.create_study(sampler=SAMPLERS[algorithm](seed))
    regrets: list[float] = []
    while len(regrets) < trials:
        batch_trials = [study.ask(space) for _ in range(min(batch, trials - len(regrets)))]
        for trial in batch_trials:
            regrets.append(function.regret(trial.params))
            study.tell(trial, regrets[-1])
    return regrets


def distribution(parameter: dict[str, Any]) -> optuna.distributions.BaseDistribution:
    """Optuna's distribution of a parameter."""
    space = parameter["feasibleSpace"]
    if "list" in space:
        return optuna.distributions.CategoricalDistribution(space["list"])
    log = space.get("distribution") == "logUniform"
    if parameter["parameterType"] == "int":
        step = space.get("step", 1)
        return optuna.distributions.IntDistribution(space["min"], space["max"], log=log, step=step)
    return optuna.distributions.FloatDistribution(
        space["min"], space["max"], log=log, step=space.get("step")
    )


SETTINGS: dict[str, tuple[str, dict[str, str]]] = {
    "cmaes-ipop": ("cmaes", {"restart_strategy": "ipop"}),
    "cmaes-bipop": ("cmaes", {"restart_strategy": "bipop"}),
}
"""Rows that are an algorithm with settings."""

ALGORITHMS = (
    "random",
    "sobol",
    "halton",
    "tpe",
    "cmaes",
    *SETTINGS,
    "nsga2",
    "bayesianoptimization",
)
MAKERS: dict[str, Callable[[Function, str, int, int, int], list[float]]] = {
    "hpo_lab": ours,
    "Optuna": theirs,
}


def missing(
    arguments: argparse.Namespace, runs: dict[tuple[Any, ...], Run], every: list[Function]
) -> Iterator[Run]:
    """Make the runs that are not among *runs*, seed by seed."""
    for seed in range(arguments.seeds):
        for algorithm in arguments.only or ALGORITHMS:
            for function in every:
                for batch in arguments.batch:
                    for by, make in MAKERS.items():
                        if by not in arguments.by or (by == "Optuna" and algorithm not in SAMPLERS):
                            continue
                        run = Run(function.name, algorithm, by, batch, seed, {})
                        if run.key in runs:
                            continue
                        regrets = make(function, algorithm, seed, arguments.trials, batch)
                        counts = [count for count in CHECKPOINTS if count <= arguments.trials]
                        yield run._replace(best={str(n): min(regrets[:n]) for n in counts})


def logs(runs: list[Run], count: str) -> np.ndarray[Any, Any]:
    """Decimal logarithms of the regrets after *count* trials."""
    return np.log10([max(run.best[count], FLOOR) for run in runs])


def cell(values: np.ndarray[Any, Any]) -> str:
    """Geometric mean and interval."""
    mean, size = float(values.mean()), len(values)
    if size < 2:
        return f"{10**mean:.2g}"
    half = student.ppf(0.975, size - 1) * float(values.std(ddof=1)) / math.sqrt(size)
    return f"{10**mean:.2g} ({10 ** (mean - half):.2g} to {10 ** (mean + half):.2g})"


def ratio(ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]) -> str:
    """How many times the other's regret is ours, with Welch's interval."""
    parts = [values.var(ddof=1) / len(values) for values in (ours, theirs)]
    difference, error = float(ours.mean() - theirs.mean()), math.sqrt(sum(parts))
    if error == 0:
        return f"{10**difference:.2f}"
    freedom = sum(parts) ** 2 / sum(p**2 / (len(ours) - 1) for p in parts)
    half = student.ppf(0.975, freedom) * error
    return (
        f"{10**difference:.2f} ({10 ** (difference - half):.2f} to {10 ** (difference + half):.2f})"
    )


def rows(runs: list[Run]) -> Iterator[str]:
    """The lines of the table."""
    counts = [str(n) for n in CHECKPOINTS if all(str(n) in run.best for run in runs)]
    head = [*(f"{count} trials" for count in counts), "seeds", "ours / Optuna's"]
    yield "| function | batch | algorithm | " + " | ".join(head) + " |"
    yield "|---" * (3 + len(head)) + "|"
    groups: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(run.key[:4], []).append(run)
    order = {name: index for index, name in enumerate(ALGORITHMS)}
    for key in sorted(groups, key=lambda k: (k[0], k[3], order[k[1]], k[2] == "Optuna")):
        function, algorithm, by, batch = key
        group, other = groups[key], groups.get((function, algorithm, "Optuna", batch), [])
        compared = ""
        if by == "hpo_lab" and len(other) > 1 and len(group) > 1:
            compared = ratio(logs(group, counts[-1]), logs(other, counts[-1]))
        cells = " | ".join(cell(logs(group, count)) for count in counts)
        name = f"`{algorithm}`" + " (Optuna)" * (by == "Optuna")
        yield f"| {function} | {batch} | {name} | {cells} | {len(group)} | {compared} |"


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--batch", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--only", nargs="*", choices=ALGORITHMS)
    parser.add_argument("--by", nargs="*", choices=MAKERS, default=list(MAKERS))
    parser.add_argument("--functions", nargs="*")
    parser.add_argument("--results", type=Path, default=Path("quality/runs.jsonl"))
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    arguments.results.touch()
    lines = arguments.results.read_text().splitlines()
    runs = {run.key: run for run in (Run(**json.loads(line)) for line in lines)}
    if not arguments.table:
        every = functions(arguments.results.parent, arguments.functions or ())
        for run in missing(arguments, runs, every):
            runs[run.key] = run
            with arguments.results.open("a") as file:
                file.write(json.dumps(run._asdict()) + "\n")
    print("\n".join(rows(list(runs.values()))))


if __name__ == "__main__":
    main()
