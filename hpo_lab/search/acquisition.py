"""Acquisition functions: how much a point promises, given a prediction of its loss.

All are larger where the promise is. Expected improvement is computed on a log scale, where
it does not vanish: Ament et al., "Unexpected Improvements to Expected Improvement for
Bayesian Optimization", NeurIPS 2023.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, log_ndtr, ndtr

__all__ = [
    "expected_improvement",
    "lower_confidence_bound",
    "probability_of_improvement",
]

Array = NDArray[np.float64]

_LOG_ROOT_TAU = 0.5 * np.log(2 * np.pi)


def expected_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """The logarithm of the expected improvement on *best*."""
    z = (best - mean) / deviation
    near = np.maximum(z, -1.0)
    density = np.exp(-(near**2) / 2 - _LOG_ROOT_TAU)
    # Further down, density and improvement cancel; erfcx is their ratio.
    far = -np.clip(z, -1e4, -1.0)
    ratio = far * np.sqrt(np.pi / 2) * erfcx(far / np.sqrt(2))
    log_far = -(far**2) / 2 - _LOG_ROOT_TAU + np.log(np.maximum(1 - ratio, far**-2.0 / 2))
    scale = np.where(z > -1, np.log(density + near * ndtr(near)), log_far)
    return np.asarray(np.log(deviation) + scale)


def probability_of_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """The logarithm of the probability of a loss of a hundredth below *best*."""
    return np.asarray(log_ndtr((best - 0.01 - mean) / deviation))


def lower_confidence_bound(mean: Array, deviation: Array, best: float) -> Array:
    """How low the loss may be: 1.96 standard deviations below the mean."""
    return 1.96 * deviation - mean
