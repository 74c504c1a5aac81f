"""The cost of finding a well-trained model: the epochs until a trial reaches a target.

    python benchmarks/multi_fidelity.py [--seeds 20] [--budget 8100] [--only asha ...]

Each trial trains a simulated model of four hyperparameters. A model with a better final loss
learns more slowly, so that a short run ranks configurations only roughly. A promoted trial
continues from the epoch where its parent stopped. The table compares our algorithms with
Optuna's pruners, run directly with the same epochs, and with Ray's ASHA scheduler where Ray
is installed; both stop trials and never continue them. A single trial runs at a time.

Prints a Markdown table: how many of the seeds reached each target within the budget, and the
median and quartiles of the epochs that took (the budget where the target was not reached).
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import random
import statistics
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import optuna

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.algorithm import Suggestion
from hpo_lab.search.ask import suggest

MOST, ETA = 81, 3
TARGETS = (0.20, 0.16, 0.14)
PARAMETERS = [
    {
        "name": "lr",
        "parameterType": "double",
        "feasibleSpace": {"min": 1e-5, "max": 1, "distribution": "logUniform"},
    },
    {"name": "momentum", "parameterType": "double", "feasibleSpace": {"min": 0, "max": 1}},
    {"name": "dropout", "parameterType": "double", "feasibleSpace": {"min": 0, "max": 1}},
    {"name": "depth", "parameterType": "int", "feasibleSpace": {"min": 1, "max": 16}},
]
EPOCHS = {"name": "epochs", "parameterType": "int", "feasibleSpace": {"min": 1, "max": MOST}}

Losses = Iterator[float]
"""The loss after each further epoch that was paid for, over all trials of a search."""


def loss(model: dict[str, Any], epoch: int) -> float:
    """The loss of a model after *epoch* epochs; 0.05 is the best that can be reached."""
    rate = math.log10(model["lr"])
    end = (
        0.05
        + 0.25 * ((rate + 2.5) / 2.5) ** 2
        + 0.8 * (model["momentum"] - 0.85) ** 2
        + 0.6 * (model["dropout"] - 0.3) ** 2
        + 0.3 * ((model["depth"] - 11) / 16) ** 2
    )
    # Large rates are fast at first, and deep models slow.
    pace = 0.5 + 0.15 * (rate + 5) - 0.02 * model["depth"]
    noise = random.Random(f"{model}/{epoch}").gauss(0, 0.01)
    return min(end, 1.0) + 2.0 * (1 + epoch) ** -pace + noise


def ours(algorithm: str, seed: int, **settings: str) -> Losses:
    """A search through `suggest`; epochs before those of the parent are not paid again."""
    options = (
        settings if algorithm in ("random", "tpe") else {"resource_name": "epochs", **settings}
    )
    fixed = {**EPOCHS, "feasibleSpace": {"min": MOST, "max": MOST}}
    spec = ExperimentSpec.model_validate(
        {
            "parameters": [*PARAMETERS, EPOCHS if "resource_name" in options else fixed],
            "parallelTrialCount": 1,
            "objective": {
                "type": "minimize",
                "objectiveMetricName": "loss",
                "metricStrategies": [{"name": "loss", "value": "latest"}],
            },
            "algorithm": {
                "algorithmName": algorithm,
                "algorithmSettings": [{"name": k, "value": v} for k, v in options.items()],
            },
        }
    )
    for run in range(1000):
        # Hyperband ends after its last bracket and starts again, as in the paper.
        trials: list[Trial] = []
        while isinstance(
            suggestion := suggest(spec, len(trials), trials, uid=f"{seed}/{run}"), Suggestion
        ):
            first = (
                0
                if suggestion.parent is None
                else int(str(trials[suggestion.parent].assignments["epochs"]))
            )
            model = {k: v for k, v in suggestion.assignments.items() if k != "epochs"}
            value = math.inf
            for epoch in range(first, int(str(suggestion.assignments["epochs"]))):
                value = loss(model, epoch + 1)
                yield value
            trials.append(
                Trial(
                    len(trials),
                    suggestion.assignments,
                    TrialState.SUCCEEDED,
                    {"loss": Metric.single(value)},
                    parent=suggestion.parent,
                    labels=suggestion.labels,
                )
            )


def drawn(seed: int) -> Iterator[dict[str, Any]]:
    """Random models."""
    rng = random.Random(seed)
    while True:
        yield {
            "lr": 10 ** rng.uniform(-5, 0),
            "momentum": rng.random(),
            "dropout": rng.random(),
            "depth": rng.randint(1, 16),
        }


def of_optuna(pruner: optuna.pruners.BasePruner, sampler: str, seed: int) -> Losses:
    """A study with Optuna's own sampler and pruner."""
    sampler_class = {"random": optuna.samplers.RandomSampler, "tpe": optuna.samplers.TPESampler}[
        sampler
    ]
    study = optuna.create_study(sampler=sampler_class(seed=seed), pruner=pruner)
    while True:
        trial = study.ask()
        model = {
            "lr": trial.suggest_float("lr", 1e-5, 1, log=True),
            "momentum": trial.suggest_float("momentum", 0, 1),
            "dropout": trial.suggest_float("dropout", 0, 1),
            "depth": trial.suggest_int("depth", 1, 16),
        }
        state = optuna.trial.TrialState.COMPLETE
        for epoch in range(1, MOST + 1):
            value = loss(model, epoch)
            yield value
            trial.report(value, epoch)
            if epoch < MOST and trial.should_prune():
                state = optuna.trial.TrialState.PRUNED
                break
        study.tell(trial, value if state.name == "COMPLETE" else None, state)


def of_ray(seed: int) -> Losses:
    """Random models stopped by Ray's `ASHAScheduler`, which is asked directly."""
    from ray.tune.schedulers import ASHAScheduler, TrialScheduler

    scheduler = ASHAScheduler(
        metric="loss", mode="min", time_attr="epoch", max_t=MOST, reduction_factor=ETA
    )
    for number, model in enumerate(drawn(seed)):
        trial = SimpleNamespace(trial_id=str(number), status="RUNNING", stopped=False)
        scheduler.on_trial_add(None, trial)
        for epoch in range(1, MOST + 1):
            value = loss(model, epoch)
            yield value
            result = {"epoch": epoch, "loss": value}
            if scheduler.on_trial_result(None, trial, result) == TrialScheduler.STOP:
                break


def halving(**settings: Any) -> Callable[[int], Losses]:
    """Optuna's successive halving with random models."""
    return lambda seed: of_optuna(
        optuna.pruners.SuccessiveHalvingPruner(
            min_resource=1, reduction_factor=ETA, min_early_stopping_rate=0
        ),
        settings["sampler"],
        seed,
    )


def brackets(sampler: str) -> Callable[[int], Losses]:
    """Optuna's Hyperband."""
    return lambda seed: of_optuna(
        optuna.pruners.HyperbandPruner(1, MOST, reduction_factor=ETA), sampler, seed
    )


SEARCHES: dict[str, Callable[[int], Losses]] = {
    "hyperband": lambda seed: ours("hyperband", seed),
    "asha": lambda seed: ours("asha", seed),
    "bohb": lambda seed: ours("bohb", seed),
    "random, every trial to its end": lambda seed: ours("random", seed),
    "tpe, every trial to its end": lambda seed: ours("tpe", seed),
    "Optuna: HyperbandPruner, random": brackets("random"),
    "Optuna: HyperbandPruner, TPE": brackets("tpe"),
    "Optuna: SuccessiveHalvingPruner, random": halving(sampler="random"),
    "Optuna: SuccessiveHalvingPruner, TPE": halving(sampler="tpe"),
    "Ray: ASHAScheduler, random": of_ray,
}


def spent(losses: Losses, budget: int) -> list[int | None]:
    """For each target, the epochs until it was reached; None where the budget was not enough."""
    reached: list[int | None] = [None] * len(TARGETS)
    for epochs, value in enumerate(losses, start=1):
        for index, target in enumerate(TARGETS):
            if reached[index] is None and value <= target:
                reached[index] = epochs
        if epochs >= budget or None not in reached:
            break
    return reached


def cell(spent: list[int | None], budget: int) -> str:
    """Seeds that reached the target, and the median and quartiles of what it took."""
    epochs = [budget if epoch is None else epoch for epoch in spent]
    low, middle, high = statistics.quantiles(epochs, n=4)
    count = sum(epoch is not None for epoch in spent)
    return f"{count}/{len(spent)}: {middle:.0f} ({low:.0f} to {high:.0f})"


def main() -> None:
    """Run the searches and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=100 * MOST, help="epochs of one search")
    parser.add_argument("--only", nargs="*", default=list(SEARCHES), choices=list(SEARCHES))
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print("| search |", " | ".join(f"loss {target}" for target in TARGETS), "|")
    print("|---" * (len(TARGETS) + 1) + "|")
    for name in options.only:
        if name.startswith("Ray") and importlib.util.find_spec("ray") is None:
            continue
        runs = [spent(SEARCHES[name](seed), options.budget) for seed in range(options.seeds)]
        cells = [cell(list(column), options.budget) for column in zip(*runs, strict=True)]
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
