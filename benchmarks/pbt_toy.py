"""Population based training on its paper's toy problem, compared with fixed settings.

    python benchmarks/pbt_toy.py [--seeds 20] [--trials 400] [--population 10]

A model has two weights, theta, that begin at (0.9, 0.9); its value is 1.2 - |theta|**2.
Training climbs the gradient of 1.2 - h * theta_0**2 - (1 - h) * theta_1**2: a parameter h
near 1 trains the first weight alone, near 0 the second. In the setting of Jaderberg et al.
(arXiv:1711.09846, section 3.4) h is 0 or 1, and no fixed h comes near 1.2.

Each trial trains a member for four steps of rate 0.02. A fixed setting trains as many steps
as the members of the population do. Prints a Markdown table of medians and quartiles of the
best value reached: for h out of {0, 1}, and for any h in [0, 1], where the best fixed setting,
0.5, trains both weights at half the rate, so that the population can reach it but not pass it.
"""

from __future__ import annotations

import argparse
import statistics
from typing import Any

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.algorithm import Suggestion
from hpo_lab.search.ask import suggest

BEST = 1.2
STEPS, RATE = 4, 0.02
SPACES: dict[str, dict[str, Any]] = {
    "h is 0 or 1": {"parameterType": "categorical", "feasibleSpace": {"list": [0.0, 1.0]}},
    "h from 0 to 1": {"parameterType": "double", "feasibleSpace": {"min": 0.0, "max": 1.0}},
}

Theta = tuple[float, float]


def trained(theta: Theta, h: float, steps: int) -> Theta:
    """The weights after some steps."""
    for _ in range(steps):
        theta = theta[0] * (1 - 2 * RATE * h), theta[1] * (1 - 2 * RATE * (1 - h))
    return theta


def value(theta: Theta) -> float:
    """The value of a model, at most `BEST`."""
    return BEST - theta[0] ** 2 - theta[1] ** 2


def population(space: dict[str, Any], size: int, trials: int, seed: int) -> float:
    """The best value that a population reaches."""
    spec = ExperimentSpec.model_validate(
        {
            "parameters": [{"name": "h", **space}],
            "objective": {"type": "maximize", "objectiveMetricName": "value"},
            "algorithm": {
                "algorithmName": "pbt",
                "algorithmSettings": [{"name": "n_population", "value": size}],
            },
            "seed": seed,
            "parallelTrialCount": 1,
        }
    )
    history: list[Trial] = []
    weights: dict[int | None, Theta] = {None: (0.9, 0.9)}
    for number in range(trials):
        suggestion = suggest(spec, number, history)
        assert isinstance(suggestion, Suggestion)
        weights[number] = trained(
            weights[suggestion.parent], float(str(suggestion.assignments["h"])), STEPS
        )
        history.append(
            Trial(
                number,
                suggestion.assignments,
                TrialState.SUCCEEDED,
                {"value": Metric.single(value(weights[number]))},
                parent=suggestion.parent,
                labels=suggestion.labels,
            )
        )
    return max(value(theta) for theta in weights.values())


def fixed(space: dict[str, Any], generations: int) -> float:
    """The best value that any fixed setting reaches."""
    bounds = space["feasibleSpace"]
    every = bounds.get("list") or [index / 100 for index in range(101)]
    return max(value(trained((0.9, 0.9), h, generations * STEPS)) for h in every)


def main() -> None:
    """Run the populations and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--population", type=int, default=10)
    options = parser.parse_args()
    print("| | best fixed setting | population |\n|---|---|---|")
    for name, space in SPACES.items():
        scores = [
            population(space, options.population, options.trials, seed)
            for seed in range(options.seeds)
        ]
        low, middle, high = statistics.quantiles(scores, n=4)
        alone = fixed(space, options.trials // options.population)
        print(f"| {name} | {alone:.3f} | {middle:.3f} ({low:.3f} to {high:.3f}) |", flush=True)


if __name__ == "__main__":
    main()
