"""Made-up experiments to draw: usual ones, and those that are hard to draw."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hpo_lab.dashboard.figures import ExperimentData
from hpo_lab.experiment.model import ExperimentDocument, Value
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.algorithm import Suggestion
from hpo_lab.search.ask import suggest

__all__ = ["EXPERIMENTS", "experiment", "searched"]

Loss = Callable[[Mapping[str, Value], random.Random], float]


def parameter(name: str, kind: str, when: str | None = None, **space: Any) -> dict[str, Any]:
    """A parameter of a manifest."""
    made = {"name": name, "parameterType": kind, "feasibleSpace": space}
    return made | ({"when": when} if when else {})


MLP = [
    parameter("learning_rate", "double", min=1e-4, max=0.1, distribution="logUniform"),
    parameter("hidden", "int", min=16, max=512, distribution="logUniform"),
    parameter("layers", "int", min=1, max=4),
    parameter("dropout", "double", min=0.0, max=0.6),
    parameter("optimizer", "categorical", list=["adam", "sgd", "rmsprop"]),
    parameter("momentum", "double", "optimizer == 'sgd'", min=0.5, max=0.99),
    parameter("nesterov", "categorical", "optimizer == 'sgd'", list=[True, False]),
]


def accuracy(values: Mapping[str, Any], rng: random.Random) -> float:
    """What a small network might reach with *values*."""
    rate = math.exp(-((math.log10(values["learning_rate"]) + 2.7) ** 2) / 1.1)
    size = 0.9 + 0.1 * math.log(values["hidden"] / 16) / math.log(32)
    kind = {"adam": 1.0, "rmsprop": 0.985, "sgd": 0.94}[values["optimizer"]]
    drop = 1 - 0.35 * (values["dropout"] - 0.2) ** 2
    return min(
        0.995,
        max(0.1, 0.97 * rate * size * kind * drop - 0.004 * values["layers"] + rng.gauss(0, 0.006)),
    )


def experiment(
    trials: Sequence[Trial],
    parameters: Sequence[Mapping[str, Any]] = MLP,
    *,
    objective: Mapping[str, Any] | None = None,
    algorithm: Mapping[str, Any] | None = None,
    curves: Mapping[int, Mapping[int, float]] | None = None,
    **spec: Any,
) -> ExperimentData:
    """The data of an experiment."""
    document = ExperimentDocument.model_validate(
        {
            "metadata": {"name": "digits-mlp"},
            "spec": {
                "parameters": list(parameters),
                "objective": objective or {"type": "maximize", "objectiveMetricName": "accuracy"},
                "algorithm": algorithm or {"algorithmName": "tpe"},
                **spec,
            },
        }
    )
    return ExperimentData(document, trials, lambda metric, numbers: curves or {}, now=1000.0)


def searched(
    count: int,
    parameters: Sequence[Mapping[str, Any]],
    algorithm: Mapping[str, Any],
    value: Loss,
    *,
    seed: int = 3,
    objective: Mapping[str, Any] | None = None,
) -> ExperimentData:
    """An experiment whose trials an algorithm has asked for, one after the other."""
    bare = experiment([], parameters, algorithm=algorithm, objective=objective, seed=seed)
    metric = bare.metric
    rng, trials = random.Random(seed), list[Trial]()
    clock = 0.0
    for number in range(count):
        answer = suggest(bare.spec, number, trials)
        if not isinstance(answer, Suggestion):
            break
        clock += rng.uniform(1, 3)
        trials.append(
            Trial(
                number,
                answer.assignments,
                TrialState.SUCCEEDED,
                {metric: Metric.single(value(answer.assignments, rng))},
                started_at=clock,
                completed_at=clock + rng.uniform(2, 8),
                parent=answer.parent,
                labels=answer.labels,
            )
        )
    return experiment(trials, parameters, algorithm=algorithm, objective=objective)


def _mlp(count: int, *, rough: bool = True, running: int = 0, seed: int = 11) -> ExperimentData:
    rng = random.Random(seed)
    trials, curves = [], {}
    free = [0.0, 0.0]
    for number in range(count):
        kind = rng.choice(["adam", "sgd", "rmsprop"])
        near = min(1.0, number / 40)
        values: dict[str, Value] = {
            "learning_rate": 10
            ** (rng.uniform(-4, -1) * (1 - near) - 2.7 * near + rng.gauss(0, 0.3) * near),
            "hidden": int(16 * 32 ** rng.random()),
            "layers": rng.randint(1, 4),
            "dropout": rng.uniform(0, 0.6),
            "optimizer": kind,
        }
        values["learning_rate"] = min(0.1, max(1e-4, float(values["learning_rate"])))  # type: ignore[arg-type]
        if kind == "sgd":
            values |= {"momentum": rng.uniform(0.5, 0.99), "nesterov": rng.random() < 0.5}
        reached = accuracy(values, rng)
        curve = {
            step: reached - (reached - 0.1) * math.exp(-step / 3) + rng.gauss(0, 0.006)
            for step in range(1, 13)
        }
        state, metrics = TrialState.SUCCEEDED, {"accuracy": Metric.of(curve.values())}
        message = ""
        slot = free.index(min(free))
        start = free[slot]
        end = start + rng.uniform(2, 9)
        if rough and number % 13 == 5:
            state, metrics, curve = TrialState.FAILED, {}, {}
            message = "ValueError: Solver produced non-finite parameter weights."
            end = start + 1
        elif rough and number == 21:
            state, metrics, curve = (
                TrialState.METRICS_UNAVAILABLE,
                {"accuracy": Metric.single(math.nan)},
                {1: math.nan},
            )
            message = "the objective accuracy is nan"
        elif rough and number == 30:
            state, message = TrialState.KILLED, "killed by a person"
        elif rough and reached < 0.6 and number > 5 and number % 2:
            state = TrialState.EARLY_STOPPED
            curve = {step: value for step, value in curve.items() if step <= 4}
            metrics = {"accuracy": Metric.of(curve.values())}
            end = start + 2
        if number >= count - running:
            state, metrics = TrialState.RUNNING, {}
            curve = {step: value for step, value in curve.items() if step <= 6}
        free[slot] = end + 0.3
        curves[number] = curve
        is_over = state.is_final
        trials.append(
            Trial(
                number,
                values,
                state,
                metrics,
                started_at=start,
                message=message,
                completed_at=end if is_over else None,
            )
        )
    more: dict[str, Any] = {"max_trial_count": count + 16} if running else {}
    data = experiment(trials, curves=curves, **more)
    return ExperimentData(data.document, trials, data.read_curves, now=max(free))


def _front(count: int, objectives: int) -> ExperimentData:
    rng = random.Random(5)
    names = ["error", "latency in ms", "memory in GB"][:objectives]
    trials = []
    for number in range(count):
        x, y = rng.random(), rng.random()
        error = 0.05 + 0.2 * (1 - x) ** 2 + 0.12 * abs(rng.gauss(0, 0.5))
        metrics = [error, 1.3 * 15**x * (1 + 0.3 * y), 0.5 + 6 * x * y + rng.random()]
        state = TrialState.FAILED if number % 17 == 4 else TrialState.SUCCEEDED
        trials.append(
            Trial(
                number,
                {"width": x, "depth": y},
                state,
                {}
                if state is TrialState.FAILED
                else {
                    name: Metric.single(value) for name, value in zip(names, metrics, strict=False)
                },
                started_at=number,
                completed_at=number + 1.0,
            )
        )
    return experiment(
        trials,
        [parameter("width", "double", min=0, max=1), parameter("depth", "double", min=0, max=1)],
        objective={
            "type": "minimize",
            "objectiveMetricName": names[0],
            "additionalObjectives": [
                {"type": "minimize", "objectiveMetricName": name} for name in names[1:]
            ],
        },
    )


def _bounded() -> ExperimentData:
    rng = random.Random(8)
    trials = []
    for number in range(40):
        width = rng.random()
        trials.append(
            Trial(
                number,
                {"width": width},
                TrialState.SUCCEEDED,
                {
                    "accuracy": Metric.single(0.7 + 0.25 * width + rng.gauss(0, 0.02)),
                    "memory in GB": Metric.single(2 + 9 * width + rng.gauss(0, 0.4)),
                    "latency in ms": Metric.single(math.nan if number == 7 else 5 * 40**width),
                },
                started_at=number,
                completed_at=number + 1.0,
            )
        )
    return experiment(
        trials,
        [parameter("width", "double", min=0, max=1)],
        objective={
            "type": "maximize",
            "objectiveMetricName": "accuracy",
            "constraints": [
                {"name": "memory in GB", "max": 8, "min": 1},
                {"name": "latency in ms", "max": 100},
            ],
        },
    )


def _many(count: int, names: Sequence[str]) -> ExperimentData:
    rng = random.Random(2)
    parameters = []
    for place, name in enumerate(names):
        match place % 4:
            case 0:
                parameters.append(
                    parameter(name, "double", min=1e-6, max=1.0, distribution="logUniform")
                )
            case 1:
                parameters.append(parameter(name, "int", min=0, max=2000))
            case 2:
                parameters.append(
                    parameter(
                        name, "categorical", list=["a rather long choice of words", "b", None, True]
                    )
                )
            case 3:
                parameters.append(parameter(name, "discrete", list=[16, 32, 64, 128]))
    trials = []
    for number in range(count):
        values: dict[str, Value] = {}
        for each in parameters:
            space = each["feasibleSpace"]
            if "list" in space:
                values[each["name"]] = rng.choice(space["list"])
            elif each["parameterType"] == "int":
                values[each["name"]] = rng.randint(0, 2000)
            else:
                values[each["name"]] = 10 ** rng.uniform(-6, 0)
        first, second = values[names[0]], values[names[1]]
        assert isinstance(first, float) and isinstance(second, int)
        value = 0.5 + 0.07 * math.log10(first) + second / 9000 + rng.gauss(0, 0.02)
        trials.append(
            Trial(
                number,
                values,
                TrialState.SUCCEEDED,
                {"accuracy": Metric.single(value)},
                started_at=number * 2.0,
                completed_at=number * 2.0 + 3,
            )
        )
    return experiment(trials, parameters)


def _valued(values: Sequence[float | None]) -> ExperimentData:
    rng = random.Random(4)
    trials = []
    for number, value in enumerate(values):
        failed = value is None
        trials.append(
            Trial(
                number,
                {
                    "learning_rate": 10 ** rng.uniform(-4, -1),
                    "hidden": rng.randint(16, 512),
                    "layers": 2,
                    "dropout": rng.random() * 0.6,
                    "optimizer": "adam",
                },
                TrialState.FAILED if failed else TrialState.SUCCEEDED,
                {} if value is None else {"accuracy": Metric.single(value)},
                message="RuntimeError: CUDA out of memory" if failed else "",
                started_at=number * 3.0,
                completed_at=number * 3.0 + 2.5,
            )
        )
    return experiment(trials)


_EPOCHS = parameter("epochs", "int", min=1, max=27)
_SMALL = [MLP[0], MLP[3]]


def _with_epochs(values: Mapping[str, Any], rng: random.Random) -> float:
    full = {"hidden": 128, "layers": 2, "optimizer": "adam", **values}
    reached = accuracy(full, rng)
    return reached - 0.45 * reached / (1 + values["epochs"] / 3)


def _population(values: Mapping[str, Any], rng: random.Random) -> float:
    return accuracy({"hidden": 128, "layers": 2, "optimizer": "adam", **values}, rng)


def _fidelity(name: str) -> dict[str, Any]:
    settings = {"resource_name": "epochs", "r_l": "27", "eta": "3"}
    return {
        "algorithmName": name,
        "algorithmSettings": [{"name": key, "value": text} for key, text in settings.items()],
    }


def _stopped() -> ExperimentData:
    """Trials that the rule `asha` stops at its rungs."""
    rng, trials, curves = random.Random(6), list[Trial](), dict[int, dict[int, float]]()
    at_rung: dict[int, list[float]] = {rung: [] for rung in (1, 3, 9)}
    for number in range(60):
        values: dict[str, Value] = {
            "learning_rate": 10 ** rng.uniform(-4, -1),
            "dropout": rng.uniform(0, 0.6),
        }
        state, curve = TrialState.SUCCEEDED, dict[int, float]()
        for step in range(1, 28):
            curve[step] = _with_epochs({**values, "epochs": step}, rng)
            if step in at_rung:
                at_rung[step].append(curve[step])
                places = max(1, len(at_rung[step]) // 3)
                if curve[step] < sorted(at_rung[step])[-places]:
                    state = TrialState.EARLY_STOPPED
                    break
        curves[number] = curve
        metric = {"accuracy": Metric.of(curve.values())}
        trials.append(Trial(number, values, state, metric, started_at=0, completed_at=1))
    settings = [{"name": "max_resource", "value": "27"}]
    rule = {"algorithmName": "asha", "algorithmSettings": settings}
    return experiment(trials, _SMALL, curves=curves, early_stopping=rule)


EXPERIMENTS: Mapping[str, Callable[[], ExperimentData]] = {
    "usual": lambda: _mlp(60),
    "mid-run": lambda: _mlp(24, running=2),
    "hyperband": lambda: searched(90, [*_SMALL, _EPOCHS], _fidelity("hyperband"), _with_epochs),
    "asha": lambda: searched(70, [*_SMALL, _EPOCHS], _fidelity("asha"), _with_epochs),
    "asha rule": _stopped,
    "pbt": lambda: searched(
        72,
        _SMALL,
        {"algorithmName": "pbt", "algorithmSettings": [{"name": "n_population", "value": "8"}]},
        _population,
    ),
    "two objectives": lambda: _front(60, 2),
    "three objectives": lambda: _front(80, 3),
    "constraints": _bounded,
    "forty parameters": lambda: _many(
        60, [f"encoder.layers.{place}.attention.dropout_probability" for place in range(40)]
    ),
    "no trial": lambda: experiment([]),
    "one trial": lambda: _valued([0.8]),
    "all failed": lambda: _valued([None] * 8),
    "equal values": lambda: _valued([0.5] * 14),
    "wide values": lambda: _valued([10.0 ** (place - 12) for place in range(25)]),
    "wide signed values": lambda: _valued(
        [(-1) ** place * 10.0 ** (place - 12) for place in range(25)]
    ),
    "ten thousand": lambda: _mlp(10_000),
}
"""Makers of experiments by name."""
