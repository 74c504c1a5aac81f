"""The covariance matrix adaptation evolution strategy, as a function of its state.

Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772, with positive weights;
samples that were not drawn from the present distribution are taken in as in Hansen,
"Injecting External Solutions Into CMA-ES", arXiv:1110.4181.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Evolution", "default_population"]

Array = NDArray[np.float64]


def default_population(dimensions: int) -> int:
    """The usual number of samples of a generation."""
    return 4 + int(3 * math.log(dimensions))


@dataclass(frozen=True, slots=True, eq=False)
class Evolution:
    """A normal distribution that moves towards better samples, generation by generation.

    Attributes:
        mean: Its centre.
        sigma: The step size: `sigma**2 * covariance` is the distribution's covariance.
        covariance: Its shape.
        population: The number of samples of a generation.
        generation: How many generations it has seen.
        sigma_path, covariance_path: The evolution paths.
    """

    mean: Array
    sigma: float
    covariance: Array
    population: int
    generation: int
    sigma_path: Array
    covariance_path: Array

    @classmethod
    def begin(cls, mean: Array, sigma: float, population: int) -> Evolution:
        """The distribution before the first generation, the same in all directions."""
        zero = np.zeros_like(mean)
        return cls(mean, sigma, np.eye(len(mean)), population, 0, zero, zero)

    @classmethod
    def about(cls, points: Array, blur: float, population: int) -> Evolution:
        """The distribution nearest to a mixture of round ones, *blur* wide, about each point.

        Args:
            points: One row per point.
            blur: Standard deviation about a point.
            population: The number of samples of a generation.
        """
        mean = points.mean(axis=0)
        spread = (points - mean).T @ (points - mean) / len(points)
        covariance = spread + blur**2 * np.eye(len(mean))
        sigma = math.exp(float(np.linalg.slogdet(covariance).logabsdet) / (2 * len(mean)))
        return replace(cls.begin(mean, sigma, population), covariance=covariance / sigma**2)

    @property
    def spread(self) -> Array:
        """The standard deviation along each axis."""
        return self.sigma * np.sqrt(np.diag(self.covariance))

    def widened(self, least: Array) -> Evolution:
        """The same with a standard deviation of at least *least* along each axis."""
        missing = np.maximum(0, (least / self.sigma) ** 2 - np.diag(self.covariance))
        return replace(self, covariance=self.covariance + np.diag(missing))

    @property
    def condition(self) -> float:
        """The ratio of the longest to the shortest axis of the covariance."""
        values = np.linalg.eigvalsh(self.covariance)
        return float(values[-1] / max(values[0], np.finfo(float).tiny))

    def at(self, normal: Array) -> Array:
        """The sample that a standard *normal* vector stands for."""
        root, _ = _roots(self.covariance)
        return np.asarray(self.mean + self.sigma * (root @ normal))

    def after(self, samples: Array) -> Evolution:
        """The distribution after one more generation.

        Args:
            samples: One row per sample, the best first; `population` of them.
        """
        n = len(self.mean)
        selected = self.population // 2
        weights = np.log(self.population / 2 + 0.5) - np.log(np.arange(1, selected + 1))
        weights /= weights.sum()
        mass = 1 / float(np.sum(weights**2))
        c_sigma = (mass + 2) / (n + mass + 5)
        d_sigma = 1 + 2 * max(0.0, math.sqrt((mass - 1) / (n + 1)) - 1) + c_sigma
        c_path = (4 + mass / n) / (n + 4 + 2 * mass / n)
        c_one = 2 / ((n + 1.3) ** 2 + mass)
        c_many = min(1 - c_one, 2 * (0.25 + mass + 1 / mass - 2) / ((n + 2) ** 2 + mass))
        expected = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2))

        _, inverse = _roots(self.covariance)
        steps = (samples[:selected] - self.mean) / self.sigma
        lengths = np.linalg.norm(steps @ inverse, axis=1)
        longest = math.sqrt(n) + 2 * n / (n + 2)
        steps = steps * np.minimum(1, longest / np.maximum(lengths, longest))[:, None]
        step = weights @ steps

        sigma_path = (1 - c_sigma) * self.sigma_path
        sigma_path = sigma_path + math.sqrt(c_sigma * (2 - c_sigma) * mass) * (inverse @ step)
        length = float(np.linalg.norm(sigma_path))
        decayed = math.sqrt(1 - (1 - c_sigma) ** (2 * (self.generation + 1)))
        steady = length / decayed < (1.4 + 2 / (n + 1)) * expected
        path = (1 - c_path) * self.covariance_path
        if steady:
            path = path + math.sqrt(c_path * (2 - c_path) * mass) * step
        lost = 0.0 if steady else c_one * c_path * (2 - c_path)
        covariance = (
            (1 - c_one - c_many + lost) * self.covariance
            + c_one * np.outer(path, path)
            + c_many * (steps.T * weights) @ steps
        )
        return replace(
            self,
            mean=self.mean + self.sigma * step,
            sigma=self.sigma * math.exp(min(1.0, c_sigma / d_sigma * (length / expected - 1))),
            covariance=(covariance + covariance.T) / 2,
            generation=self.generation + 1,
            sigma_path=sigma_path,
            covariance_path=path,
        )


def _roots(covariance: Array) -> tuple[Array, Array]:
    """The symmetric square root of a covariance and its inverse."""
    values, vectors = np.linalg.eigh(covariance)
    values = np.sqrt(np.maximum(values, np.finfo(float).eps * values[-1]))
    return (vectors * values) @ vectors.T, (vectors / values) @ vectors.T
