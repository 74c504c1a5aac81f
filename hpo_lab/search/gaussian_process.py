"""Gaussian process regression on the unit cube.

Matern 5/2 kernel with one length scale per parameter, fitted by maximum a posteriori.
Values of a category are either equal or one unit apart. Rasmussen and Williams, "Gaussian
Processes for Machine Learning", 2006; the prior of the length scales is that of Hvarfner
et al., "Vanilla Bayesian Optimization Performs Great in High Dimensions", ICML 2024.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

__all__ = ["Array", "GaussianProcess", "fit"]

Array = NDArray[np.float64]

_ROOT5 = math.sqrt(5)
# Means and deviations of the logarithms of amplitude and noise variance, for values of
# unit variance: a priori the model explains most of what it sees.
_AMPLITUDE_PRIOR = 0.0, 1.0
_NOISE_PRIOR = -6.0, 2.0
_NOISE_BOUNDS = math.log(1e-6), 0.0
_JITTER = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class GaussianProcess:
    """A process conditioned on values at points.

    Attributes:
        points: One row per point.
        categorical: Which columns are categories.
        weights: The inverse squared length scale of each column.
        amplitude, noise: Variances.
        factor: The lower Cholesky factor of the points' covariance with noise.
        solved: That covariance's inverse applied to the values.
    """

    points: Array
    categorical: NDArray[np.bool_]
    weights: Array
    amplitude: float
    noise: float
    factor: Array
    solved: Array

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the noiseless function at *points*."""
        squares = _squares(points, self.points, self.categorical)
        covariance = self.amplitude * _matern(squares @ self.weights)
        part = solve_triangular(self.factor, covariance.T, lower=True, check_finite=False)
        variance = self.amplitude - np.sum(part**2, axis=0)
        return covariance @ self.solved, np.sqrt(np.maximum(variance, 1e-12))

    def given(self, points: Array) -> GaussianProcess:
        """The process after its own predictions have been observed at *points*.

        Its mean stays as it is and its uncertainty shrinks about them.
        """
        values = self.factor @ (self.factor.T @ self.solved)
        believed = np.concatenate([values, self.predict(points)[0]])
        everything = np.concatenate([self.points, points])
        logs = np.log([*self.weights, self.amplitude, self.noise])
        return _condition(everything, self.categorical, believed, logs)


def fit(points: Array, categorical: NDArray[np.bool_], values: Array) -> GaussianProcess:
    """The process most probable after *values*, of mean 0 and variance 1, at *points*."""
    squares = _squares(points, points, categorical)
    dimensions = points.shape[1]
    # The prior of a length scale, told for the logarithm of its inverse square.
    centre = -2 * (math.sqrt(2) + math.log(dimensions) / 2)
    means = np.array([*[centre] * dimensions, _AMPLITUDE_PRIOR[0], _NOISE_PRIOR[0]])
    deviations = np.array([*[2 * math.sqrt(3)] * dimensions, _AMPLITUDE_PRIOR[1], _NOISE_PRIOR[1]])

    def loss(logs: Array) -> tuple[float, Array]:
        weights, amplitude, noise = np.exp(logs[:-2]), math.exp(logs[-2]), math.exp(logs[-1])
        distance = squares @ weights
        kernel = amplitude * _matern(distance)
        covariance = kernel + (noise + _JITTER) * np.eye(len(values))
        factor = cho_factor(covariance, lower=True, check_finite=False)
        inverse = cho_solve(factor, np.eye(len(values)), check_finite=False)
        solved = inverse @ values
        away = (logs - means) / deviations
        result = values @ solved / 2 + np.sum(np.log(np.diag(factor[0]))) + away @ away / 2
        outer = inverse - np.outer(solved, solved)
        sloped = outer * (amplitude * _matern_slope(distance))
        gradient = np.empty_like(logs)
        gradient[:-2] = weights * np.tensordot(sloped, squares, axes=2) / 2
        gradient[-2] = np.sum(outer * kernel) / 2
        gradient[-1] = noise * np.trace(outer) / 2
        return float(result), gradient + away / deviations

    # From a length scale that suits few points; the prior's own would start nearly flat.
    start = np.array([*[math.log(4.0 / dimensions)] * dimensions, 0.0, math.log(1e-3)])
    bounds = [*[(math.log(1e-4), math.log(1e4))] * dimensions, (-4.0, 4.0), _NOISE_BOUNDS]
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60}
    )
    return _condition(points, categorical, values, found.x)


def _condition(
    points: Array, categorical: NDArray[np.bool_], values: Array, logs: Array
) -> GaussianProcess:
    weights, amplitude, noise = np.exp(logs[:-2]), math.exp(logs[-2]), math.exp(logs[-1])
    covariance = amplitude * _matern(_squares(points, points, categorical) @ weights)
    covariance += (noise + _JITTER) * np.eye(len(values))
    factor = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    solved = cho_solve((factor, True), values, check_finite=False)
    return GaussianProcess(points, categorical, weights, amplitude, noise, factor, solved)


def _squares(one: Array, other: Array, categorical: NDArray[np.bool_]) -> Array:
    """Squared distances by pair and column."""
    difference = one[:, None, :] - other[None, :, :]
    return np.where(categorical, difference != 0, difference**2)


def _matern(squares: Array) -> Array:
    scaled = _ROOT5 * np.sqrt(squares)
    return np.asarray((1 + scaled + scaled**2 / 3) * np.exp(-scaled))


def _matern_slope(squares: Array) -> Array:
    """The derivative of `_matern` by the squared distance."""
    scaled = _ROOT5 * np.sqrt(squares)
    return np.asarray(-5 / 6 * (1 + scaled) * np.exp(-scaled))
