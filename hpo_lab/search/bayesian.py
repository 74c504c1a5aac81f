"""Bayesian optimisation with a Gaussian process.

The process models the unconditional parameters; conditional ones are drawn at random.
Points that are still running are conditioned on with the model's own prediction (Ginsbourger
et al., "Kriging Is Well-Suited to Parallelize Optimization", 2010), so that trials asked
for together keep apart. Losses above the median are replaced by their rank's normal
quantile, as in Vizier (Song et al., arXiv:2408.11527): a few failures or diverged losses
would otherwise flatten the rest.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtri
from scipy.stats import qmc, rankdata
from threadpoolctl import ThreadpoolController

from hpo_lab.experiment.model import ParameterType, Value
from hpo_lab.search.acquisition import (
    expected_improvement,
    lower_confidence_bound,
    probability_of_improvement,
)
from hpo_lab.search.algorithm import RANDOM_STATE, Ask, Setting
from hpo_lab.search.axis import Axis
from hpo_lab.search.gaussian_process import Array, GaussianProcess, fit
from hpo_lab.search.history import Observation, Outcome, observations
from hpo_lab.search.quasirandom import Sobol
from hpo_lab.search.scalarisation import scalarised
from hpo_lab.search.space import Assignment, Space
from hpo_lab.search.tpe import TPE

__all__ = ["MOST_TRIALS", "BayesianOptimization"]

MOST_TRIALS = 250
"""Finished trials beyond which the cubic cost of the model buys nothing over `tpe`."""

_CANDIDATES = 512
_NEIGHBOURS = 256
_PARENTS = 5
_REFINED = 3
_PRECISION = 7
_APART = 1e-5

# The matrices are small: threads would cost more than they gain, a hundredfold where the
# processors are busy, and the last digits would depend on their number. The limit belongs
# to the process, so it is set and given back by one thread of it at a time.
_limit = threading.Lock()
_pools = ThreadpoolController()

_Score = Callable[[Array], Array]
_ACQUISITIONS = {
    "EI": expected_improvement,
    "PI": probability_of_improvement,
    "LCB": lower_confidence_bound,
}


class BayesianOptimization:
    """Asks where a Gaussian process promises most, and hands over to `tpe` in the long run."""

    name = "bayesianoptimization"
    settings: ClassVar[Mapping[str, Setting]] = {
        "n_initial_points": Setting(
            int, "Trials on a Sobol' sequence before the first model.", default=10, minimum=0
        ),
        "acq_func": Setting(
            str,
            "What is maximised: EI, PI or LCB; gp_hedge draws one of them for each trial. "
            "EIps and PIps are taken as EI and PI.",
            default="EI",
            choices=("gp_hedge", "LCB", "EI", "PI", "EIps", "PIps"),
        ),
        "acq_optimizer": Setting(
            str,
            "sampling takes the best of some candidates; lbfgs, and auto, refine it.",
            default="auto",
            choices=("auto", "sampling", "lbfgs"),
        ),
        "base_estimator": Setting(
            str,
            "Accepted for Katib's sake; the model is a Gaussian process (GP) always.",
            default="GP",
            choices=("GP", "RF", "ET", "GBRT"),
        ),
        "random_state": RANDOM_STATE,
    }
    uses_history = True
    several_objectives = True

    def suggest(self, ask: Ask) -> Assignment | None:
        """The most promising point."""
        space = Space.of(ask.spec.parameters)
        axes = _axes(space)
        known = observations(space, ask.spec.objective, ask.trials)
        finished = [one for one in known if one.outcome is not Outcome.PENDING]
        measured = [one for one in finished if one.outcome is Outcome.MEASURED]
        if len(finished) > MOST_TRIALS:
            defaults = {name: setting.default for name, setting in TPE.settings.items()}
            return TPE().suggest(replace(ask, settings=defaults))
        if not axes or len(finished) < int(str(ask.settings["n_initial_points"])) or not measured:
            return Sobol().suggest(ask)
        rng = np.random.default_rng(ask.seed)
        if ask.spec.objective.additional_objectives:
            finished = scalarised(finished, rng)
        pending = [one for one in known if one.outcome is Outcome.PENDING]
        with _limit, _pools.limit(limits=1, user_api="blas"):
            point = _promising(axes, finished, pending, ask.settings, rng)
        # The last digits depend on the library of linear algebra and mean nothing.
        units = {
            axis.parameter.name: round(u, _PRECISION) for axis, u in zip(axes, point, strict=True)
        }

        def choose(axis: Axis) -> Value:
            name = axis.parameter.name
            return axis.value_at(units[name] if name in units else rng.random())

        return space.assign(choose)


def _axes(space: Space) -> list[Axis]:
    return [axis for axis in space.axes if axis.parameter.when is None and axis.size != 1]


def _promising(
    axes: Sequence[Axis],
    finished: Sequence[Observation],
    pending: Sequence[Observation],
    settings: Mapping[str, Value],
    rng: np.random.Generator,
) -> list[float]:
    """The point of the unit cube where the acquisition function is highest."""
    losses = _normalised(finished)
    kinds = [axis.parameter.parameter_type is ParameterType.CATEGORICAL for axis in axes]
    process = fit(_points(axes, finished), np.array(kinds), losses)
    if pending:
        process = process.given(_points(axes, pending))
    score = _score(process, str(settings["acq_func"]), len(finished), rng)
    best = np.argsort(losses, kind="stable")[:_PARENTS]
    candidates = _candidates(axes, process.points[best], rng)
    scores = score(candidates)
    tops = candidates[np.argsort(-scores, kind="stable")]
    refined = tops[:0]
    if settings["acq_optimizer"] != "sampling" and not all(axis.is_even for axis in axes):
        refined = _refined(score, tops[:_REFINED], axes)
    proposed = np.concatenate([refined, tops])
    # What is known or running is not asked for again, however flat the score.
    distance = np.max(np.abs(proposed[:, None, :] - process.points[None, :, :]), axis=2)
    proposed = proposed[np.min(distance, axis=1) > _APART]
    return [float(unit) for unit in (proposed if len(proposed) else tops)[0]]


def _points(axes: Sequence[Axis], known: Sequence[Observation]) -> Array:
    return np.array([[one.units[axis.parameter.name] for axis in axes] for one in known])


def _normalised(finished: Sequence[Observation]) -> Array:
    """The losses with a mean of 0 and a variance of 1, the worse half by rank.

    A trial that was stopped early is no better than the median, a failed one the worst.
    """
    raw = np.array([one.loss for one in finished])
    stopped = np.array([one.outcome is Outcome.STOPPED for one in finished])
    measured = raw[np.isfinite(raw) & ~stopped]
    scale = max(1.0, float(np.max(np.abs(measured))))
    losses, median = raw / scale, float(np.median(measured / scale))
    losses[stopped] = np.maximum(losses[stopped], median)
    worse = losses > median
    spread = float(np.sqrt(np.mean((losses[~worse] - median) ** 2))) or 1.0
    if worse.any():
        share = (rankdata(losses[worse]) - 0.5) / worse.sum()
        losses[worse] = median + spread * ndtri(0.5 + share / 2)
    losses -= losses.mean()
    return np.asarray(losses / (losses.std() or 1.0))


def _score(process: GaussianProcess, name: str, count: int, rng: np.random.Generator) -> _Score:
    """The acquisition function *name*, against the best of the first *count* points."""
    chosen = str(rng.choice(sorted(_ACQUISITIONS))) if name == "gp_hedge" else name
    acquisition = _ACQUISITIONS[chosen.removesuffix("ps")]
    # Predicted, not observed, so that a lucky draw of a noisy loss is no record.
    best = float(np.min(process.predict(process.points[:count])[0]))
    return lambda points: acquisition(*process.predict(points), best)


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


def _refined(score: _Score, starts: Array, axes: Sequence[Axis]) -> Array:
    """The local maxima of the score above *starts*, the highest first."""
    free = np.array([not axis.is_even for axis in axes])
    count, step = int(free.sum()), 1e-5
    points = starts.copy()
    for start, point in zip(starts, points, strict=True):

        def descent(moved: Array, start: Array = start) -> tuple[float, Array]:
            batch = np.tile(start, (count + 1, 1))
            batch[:, free] = moved
            inward = np.where(moved > 0.5, -step, step)
            batch[np.arange(1, count + 1), np.flatnonzero(free)] += inward
            values = -score(batch)
            return float(values[0]), (values[1:] - values[0]) / inward

        point[free] = minimize(
            descent,
            start[free],
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, 1.0)] * count,
            options={"maxiter": 30},
        ).x
    return points[np.argsort(-score(points), kind="stable")]
