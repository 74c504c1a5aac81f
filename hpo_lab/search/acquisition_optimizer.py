"""Where an acquisition function is highest: candidates all over, and ascent from some."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.stats import qmc

from hpo_lab.experiment.model import ParameterType
from hpo_lab.search.acquisition import Promise
from hpo_lab.search.axis import Axis
from hpo_lab.search.gaussian_process import Array

__all__ = ["promising"]

_CANDIDATES = 512
_NEIGHBOURS = 256
_STARTS = 10
_ITERATIONS = 50


def promising(
    promise: Promise,
    axes: Sequence[Axis],
    good: Array,
    rng: np.random.Generator,
    *,
    refine: bool = True,
) -> Array:
    """Points of the unit cube, those that promise most first.

    Args:
        promise: What is maximised.
        axes: The columns; those of equally likely values are searched in the middle of
            their cells only.
        good: The best points so far, one a row, the very best first.
        rng: What draws the candidates.
        refine: Whether to climb from some of the candidates.
    """
    candidates = _candidates(axes, good, rng)
    scores = promise.at(candidates)
    order = np.argsort(-scores, kind="stable")
    candidates, scores = candidates[order], scores[order]
    free = np.array([not axis.is_even for axis in axes])
    if not refine or not free.any():
        return candidates
    starts = np.concatenate([_starts(candidates, scores, rng), good[:1]])
    refined = np.array([_climbed(promise, start, free) for start in starts])
    order = np.argsort(-promise.at(refined), kind="stable")
    return np.concatenate([refined[order], candidates])


def _candidates(axes: Sequence[Axis], good: Array, rng: np.random.Generator) -> Array:
    """Points all over the unit cube, and some near the *good* ones."""
    everywhere: Array = qmc.Sobol(len(axes), rng=rng).random(_CANDIDATES)
    parents = good[rng.integers(len(good), size=_NEIGHBOURS)]
    width = np.exp(rng.uniform(math.log(0.005), math.log(0.3), size=(_NEIGHBOURS, 1)))
    moved = np.clip(parents + width * rng.standard_normal(parents.shape), 0, 1)
    categorical = [axis.parameter.parameter_type is ParameterType.CATEGORICAL for axis in axes]
    redrawn = rng.random(parents.shape) < 1 / len(axes)
    near = np.where(categorical, np.where(redrawn, rng.random(parents.shape), parents), moved)
    return _on_grid(np.concatenate([everywhere, near]), axes)


def _on_grid(points: Array, axes: Sequence[Axis]) -> Array:
    """*points* in the middle of their cells along the axes of equally likely values."""
    for column, axis in enumerate(axes):
        if axis.is_even and axis.size is not None:
            cells = np.minimum(np.floor(points[:, column] * axis.size), axis.size - 1)
            points[:, column] = (cells + 0.5) / axis.size
    return points


def _starts(candidates: Array, scores: Array, rng: np.random.Generator) -> Array:
    """The best of the sorted *candidates*, and others drawn by their promise.

    The runners-up alone are often neighbours of the best, below the same maximum.
    """
    chances = np.exp(scores - scores[0])
    chances[0] = 0
    count = min(_STARTS - 2, int(np.count_nonzero(chances)))
    if count == 0:
        return candidates[:1]
    drawn = rng.choice(len(scores), size=count, replace=False, p=chances / chances.sum())
    return candidates[[0, *drawn]]


def _climbed(promise: Promise, start: Array, free: Array) -> Array:
    """The local maximum above *start* along the *free* columns."""
    # In units of the length scales, in which the promise bends alike along all columns.
    scales = 1 / np.sqrt(promise.process.weights[free])
    point = start.copy()

    def descent(moved: Array) -> tuple[float, Array]:
        point[free] = moved * scales
        value, slope = promise.slope(point)
        return -value, -slope[free] * scales

    ascent = minimize(
        descent,
        start[free] / scales,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, 1 / scale) for scale in scales],
        options={"maxiter": _ITERATIONS, "gtol": 1e-2},
    )
    point[free] = np.clip(ascent.x * scales, 0, 1)
    return point
