"""The functions on which search algorithms are compared, minus their minimum."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

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
    """Hartmann in six dimensions: a local minimum is 0.12 above the global minimum."""
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


SVM = (whole("C", -10, 15), whole("gamma", -20, 3))
MLP = (
    whole("lr", -14, -2),
    whole("hidden", 2, 8),
    whole("alpha", -20, 0, step=4),
    listed("categorical", "activation", "relu", "tanh"),
)


def svm_error(point: Point) -> float:
    """Error of a support vector machine on digits; the parameters are powers of two."""
    from sklearn.svm import SVC

    return _error(SVC(C=2.0 ** point["C"], gamma=2.0 ** point["gamma"]))


def mlp_error(point: Point) -> float:
    """Error of a small perceptron on digits after 12 epochs; numbers are powers of two."""
    from sklearn.neural_network import MLPClassifier

    return _error(
        MLPClassifier(
            (2 ** point["hidden"],),
            activation=point["activation"],
            alpha=2.0 ** point["alpha"],
            learning_rate_init=2.0 ** point["lr"],
            max_iter=12,
            random_state=0,
        )
    )


def _error(model: Any) -> float:
    import warnings

    from sklearn.datasets import load_digits
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    images, digits = load_digits(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = cross_val_score(make_pipeline(StandardScaler(), model), images, digits, cv=3)
    return 1 - float(scores.mean())


def tabulated(
    name: str,
    parameters: tuple[dict[str, Any], ...],
    error: Callable[[Point], float],
    folder: Path,
) -> Function:
    """A function on a finite grid, evaluated everywhere once and kept in *folder*."""
    path = folder / f"{name.replace(' ', '_')}.json"
    axes = [_values(parameter) for parameter in parameters]
    names = [parameter["name"] for parameter in parameters]
    if not path.exists():
        points = [dict(zip(names, values, strict=True)) for values in itertools.product(*axes)]
        path.write_text(json.dumps({_key(point, names): error(point) for point in points}))
    table: dict[str, float] = json.loads(path.read_text())
    best = min(table.values())
    return Function(name, parameters, lambda point: table[_key(point, names)] - best)


def _values(parameter: dict[str, Any]) -> list[Any]:
    space = parameter["feasibleSpace"]
    return space.get("list") or list(range(space["min"], space["max"] + 1, space.get("step", 1)))


def _key(point: Point, names: list[str]) -> str:
    return "/".join(str(point[name]) for name in names)


def functions(folder: Path, names: Collection[str] = ()) -> list[Function]:
    """Those of *names*, or all; the tables are kept in *folder*."""
    tables = (("digits SVM", SVM, svm_error), ("digits MLP", MLP, mlp_error))
    return [
        *(function for function in FUNCTIONS if not names or function.name in names),
        *(
            tabulated(name, parameters, error, folder)
            for name, parameters, error in tables
            if not names or name in names
        ),
    ]
