"""Gaussian process regression on the unit cube.

Matern 5/2 kernel with one length scale per parameter, fitted by maximum a posteriori.
Values of a category are either equal or one unit apart. Rasmussen and Williams, "Gaussian
Processes for Machine Learning", 2006.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

__all__ = ["Array", "GaussianProcess", "fit"]

Array = NDArray[np.float64]

_ROOT5 = math.sqrt(5)
# Means and deviations of logarithms, for values of unit variance. A priori a length scale
# is about the width of the cube, half or twice that: with longer ones the model takes what
# few points show for noise. And the model explains most of what it sees.
_WEIGHT_PRIOR = 0.0, 1.0
_AMPLITUDE_PRIOR = 0.0, 1.0
_NOISE_PRIOR = -9.0, 2.0
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
        whitener: The inverse of the lower Cholesky factor of the points' covariance with noise.
        solved: That covariance's inverse applied to the values.
    """

    points: Array
    categorical: NDArray[np.bool_]
    weights: Array
    amplitude: float
    noise: float
    whitener: Array
    solved: Array

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the noiseless function at *points*."""
        squares = _squares(points, self.points, self.categorical)
        covariance = self.amplitude * _matern(squares @ self.weights)
        return covariance @ self.solved, self._deviation(covariance @ self.whitener.T)

    def slope(self, point: Array) -> tuple[Array, Array, Array, Array]:
        """Mean and standard deviation at one *point*, and the gradients of both."""
        squares = _squares(point, self.points, self.categorical) @ self.weights
        covariance = self.amplitude * _matern(squares)
        part = self.whitener @ covariance
        deviation = self._deviation(part)
        slope = np.where(self.categorical, 0.0, (point - self.points) * (2 * self.weights))
        slope *= self.amplitude * _matern_slope(squares)[:, None]
        of_mean, of_deviation = self.solved @ slope, -(part @ self.whitener) @ slope / deviation
        return covariance @ self.solved, deviation, of_mean, of_deviation

    def conditioned(self, points: Array) -> GaussianProcess:
        """The process after its own predictions have been observed at *points*.

        Its mean stays as it is and its uncertainty shrinks about them.
        """
        everything = np.concatenate([self.points, points])
        logs = np.log([*self.weights, self.amplitude, self.noise])
        # What was expected changes no mean, so it has no weight in it.
        solved = np.concatenate([self.solved, np.zeros(len(points))])
        whitener = _whitener(everything, self.categorical, logs)
        return replace(self, points=everything, whitener=whitener, solved=solved)

    def _deviation(self, part: Array) -> Array:
        return np.asarray(np.sqrt(np.maximum(self.amplitude - np.sum(part**2, axis=-1), 1e-12)))


def fit(points: Array, categorical: NDArray[np.bool_], values: Array) -> GaussianProcess:
    """The process most probable after *values*, of mean 0 and variance 1, at *points*."""
    squares = _squares(points, points, categorical)
    dimensions = points.shape[1]
    priors = [*[_WEIGHT_PRIOR] * dimensions, _AMPLITUDE_PRIOR, _NOISE_PRIOR]
    means, deviations = np.array(priors).T

    def loss(logs: Array) -> tuple[float, Array]:
        weights, amplitude, noise = np.exp(logs[:-2]), math.exp(logs[-2]), math.exp(logs[-1])
        distance = squares @ weights
        kernel = amplitude * _matern(distance)
        covariance = kernel + (noise + _JITTER) * np.eye(len(values))
        factor = np.linalg.cholesky(covariance)
        solved = cho_solve((factor, True), values, check_finite=False)
        # The lower half of the inverse, in a third of the time that solving takes.
        inverse = dpotri(factor, lower=True)[0]
        inverse += np.tril(inverse, -1).T
        away = (logs - means) / deviations
        result = values @ solved / 2 + np.sum(np.log(np.diag(factor))) + away @ away / 2
        outer = inverse - np.outer(solved, solved)
        sloped = outer * (amplitude * _matern_slope(distance))
        gradient = np.empty_like(logs)
        gradient[:-2] = weights * np.tensordot(sloped, squares, axes=2) / 2
        gradient[-2] = np.sum(outer * kernel) / 2
        gradient[-1] = noise * np.trace(outer) / 2
        return float(result), gradient + away / deviations

    # From a length scale that suits few points.
    start = np.array([*[math.log(4.0 / dimensions)] * dimensions, 0.0, math.log(1e-3)])
    bounds = [*[(math.log(1e-4), math.log(1e4))] * dimensions, (-4.0, 4.0), _NOISE_BOUNDS]
    fitted = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60}
    )
    whitener = _whitener(points, categorical, fitted.x)
    *weights, amplitude, noise = np.exp(fitted.x)
    solved = whitener.T @ (whitener @ values)
    return GaussianProcess(
        points, categorical, np.array(weights), amplitude, noise, whitener, solved
    )


def _whitener(points: Array, categorical: NDArray[np.bool_], logs: Array) -> Array:
    *weights, amplitude, noise = np.exp(logs)
    covariance = amplitude * _matern(_squares(points, points, categorical) @ weights)
    covariance += (noise + _JITTER) * np.eye(len(points))
    factor = np.linalg.cholesky(covariance)
    inverse = solve_triangular(factor, np.eye(len(points)), lower=True, check_finite=False)
    return np.asarray(inverse, dtype=np.float64)


def _squares(points: Array, other: Array, categorical: NDArray[np.bool_]) -> Array:
    """Squared distances by pair and column."""
    difference = points[..., None, :] - other
    return np.where(categorical, difference != 0, difference**2)


def _matern(squares: Array) -> Array:
    scaled = _ROOT5 * np.sqrt(squares)
    return np.asarray((1 + scaled + scaled**2 / 3) * np.exp(-scaled))


def _matern_slope(squares: Array) -> Array:
    """The derivative of `_matern` by the squared distance."""
    scaled = _ROOT5 * np.sqrt(squares)
    return np.asarray(-5 / 6 * (1 + scaled) * np.exp(-scaled))
