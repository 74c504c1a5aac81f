"""Acquisition functions: how much a point promises, given a prediction of its loss.

All are larger where the promise is, and come with their derivatives by the mean and by the
deviation of the prediction. Expected improvement is computed on a log scale, where it does
not vanish: Ament et al., "Unexpected Improvements to Expected Improvement for Bayesian
Optimization", NeurIPS 2023.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr

from hpo_lab.search.gaussian_process import Array, GaussianProcess

__all__ = [
    "Acquisition",
    "Promise",
    "expected_improvement",
    "lower_confidence_bound",
    "probability_of_improvement",
]

Acquisition = Callable[[Array, Array, float], tuple[Array, Array, Array]]
"""From means, deviations and the best loss to values and both derivatives of them."""

_LOG_ROOT_TAU = 0.5 * np.log(2 * np.pi)


def expected_improvement(mean: Array, deviation: Array, best: float) -> tuple[Array, Array, Array]:
    """The logarithm of the expected improvement on *best*."""
    z = np.maximum((best - mean) / deviation, -1e4)
    log_density = -(z**2) / 2 - _LOG_ROOT_TAU
    near = np.maximum(z, -1.0)
    log_near = np.log(np.exp(-(near**2) / 2 - _LOG_ROOT_TAU) + near * ndtr(near))
    # Further down, density and improvement cancel; erfcx is their ratio.
    far = -np.minimum(z, -1.0)
    ratio = far * np.sqrt(np.pi / 2) * erfcx(far / np.sqrt(2))
    log_far = log_density + np.log(np.maximum(1 - ratio, far**-2.0 / 2))
    scaled = np.where(z > -1, log_near, log_far)
    by_mean = -np.exp(log_ndtr(z) - scaled) / deviation
    by_deviation = np.exp(log_density - scaled) / deviation
    return np.log(deviation) + scaled, by_mean, by_deviation


def probability_of_improvement(
    mean: Array, deviation: Array, best: float
) -> tuple[Array, Array, Array]:
    """The logarithm of the probability of a loss of a hundredth below *best*."""
    z = (best - 0.01 - mean) / deviation
    value = np.asarray(log_ndtr(z))
    slope = np.exp(-(z**2) / 2 - _LOG_ROOT_TAU - value) / deviation
    return value, -slope, -slope * z


def lower_confidence_bound(
    mean: Array, deviation: Array, best: float
) -> tuple[Array, Array, Array]:
    """How low the loss may be: 1.96 standard deviations below the mean."""
    ones = np.ones_like(mean)
    return 1.96 * deviation - mean, -ones, 1.96 * ones


@dataclass(frozen=True, slots=True, eq=False)
class Promise:
    """An acquisition function of a process, over the unit cube.

    Attributes:
        process: What predicts the losses.
        acquisition: What is made of a prediction.
        best: The loss to be improved on.
    """

    process: GaussianProcess
    acquisition: Acquisition
    best: float

    def at(self, points: Array) -> Array:
        """The promise of each row of *points*."""
        return self.acquisition(*self.process.predict(points), self.best)[0]

    def slope(self, point: Array) -> tuple[float, Array]:
        """The promise of *point* and its gradient, which is 0 along categories."""
        mean, deviation, mean_slope, deviation_slope = self.process.slope(point)
        value, by_mean, by_deviation = self.acquisition(mean, deviation, self.best)
        return float(value), by_mean * mean_slope + by_deviation * deviation_slope
