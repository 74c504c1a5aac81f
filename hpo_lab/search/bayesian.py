"""Bayesian optimisation with a Gaussian process.

The process models the unconditional parameters; conditional ones are drawn at random.
Points that are still running are conditioned on with the model's own prediction (Ginsbourger
et al., "Kriging Is Well-Suited to Parallelize Optimization", 2010), so that trials asked
for together keep apart. Losses above the median count by the logarithm of their distance
from it: a few failures or diverged losses would otherwise flatten the rest.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from threadpoolctl import ThreadpoolController

from hpo_lab.experiment.model import ParameterType, Value
from hpo_lab.search.acquisition import (
    Acquisition,
    Promise,
    expected_improvement,
    lower_confidence_bound,
    probability_of_improvement,
)
from hpo_lab.search.acquisition_optimizer import promising
from hpo_lab.search.algorithm import RANDOM_STATE, Algorithm, Ask, Setting
from hpo_lab.search.axis import Axis
from hpo_lab.search.gaussian_process import Array, fit
from hpo_lab.search.quasirandom import Sobol
from hpo_lab.search.samples import Sample, SampleOutcome, Samples
from hpo_lab.search.scalarisation import scalarised
from hpo_lab.search.space import Assignment, Space
from hpo_lab.search.tpe import TPE

__all__ = ["MOST_TRIALS", "BayesianOptimization"]

MOST_TRIALS = 250
"""Finished trials beyond which the cubic cost of the model buys nothing over `tpe`."""

_PARENTS = 5
_PRECISION = 7
_APART = 1e-5

# The matrices are small: threads would cost more than they gain, a hundredfold where the
# processors are busy, and the last digits would depend on their number. The limit belongs
# to the process, so it is set and given back by one thread of it at a time.
_limit = threading.Lock()
_pools = ThreadpoolController()

_ACQUISITIONS: Mapping[str, Acquisition] = {
    "EI": expected_improvement,
    "PI": probability_of_improvement,
    "LCB": lower_confidence_bound,
}


class BayesianOptimization(Algorithm):
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
        samples = ask.history.index(Samples, space, ask.spec.objective)
        if samples.count_finished > MOST_TRIALS:
            defaults = {name: setting.default for name, setting in TPE.settings.items()}
            return TPE().suggest(replace(ask, settings=defaults))
        finished = samples.finished
        measured = [sample for sample in finished if sample.outcome is SampleOutcome.MEASURED]
        if not axes or len(finished) < int(str(ask.settings["n_initial_points"])) or not measured:
            return Sobol().suggest(ask)
        rng = np.random.default_rng(ask.seed)
        if ask.spec.objective.additional_objectives:
            finished = scalarised(finished, rng)
        pending = samples.pending
        with _limit, _pools.limit(limits=1, user_api="blas"):
            point = _next(axes, finished, pending, ask.settings, rng)
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


def _next(
    axes: Sequence[Axis],
    finished: Sequence[Sample],
    pending: Sequence[Sample],
    settings: Mapping[str, Value],
    rng: np.random.Generator,
) -> list[float]:
    """The point of the unit cube where the acquisition function is highest."""
    losses = _normalised(finished)
    kinds = [axis.parameter.parameter_type is ParameterType.CATEGORICAL for axis in axes]
    process = fit(_points(axes, finished), np.array(kinds), losses)
    good = process.points[np.argsort(losses, kind="stable")[:_PARENTS]]
    if pending:
        process = process.conditioned(_points(axes, pending))
    # Predicted, not observed, so that a lucky draw of a noisy loss is no record; and the
    # pending count, or the belief in a pending point would promise an improvement next to it.
    best = float(np.min(process.predict(process.points)[0]))
    promise = Promise(process, _acquisition(str(settings["acq_func"]), rng), best)
    refine = settings["acq_optimizer"] != "sampling"
    proposed = promising(promise, axes, good, rng, refine=refine)
    # A point that is measured or running is not asked for again, however flat the promise.
    distance = np.max(np.abs(proposed[:, None, :] - process.points[None, :, :]), axis=2)
    apart = proposed[np.min(distance, axis=1) > _APART]
    return [float(unit) for unit in (apart if len(apart) else proposed)[0]]


def _acquisition(name: str, rng: np.random.Generator) -> Acquisition:
    chosen = str(rng.choice(sorted(_ACQUISITIONS))) if name == "gp_hedge" else name
    return _ACQUISITIONS[chosen.removesuffix("ps")]


def _points(axes: Sequence[Axis], samples: Sequence[Sample]) -> Array:
    return np.array([[sample.units[axis.parameter.name] for axis in axes] for sample in samples])


def _normalised(finished: Sequence[Sample]) -> Array:
    """The losses with a mean of 0 and a variance of 1, those above the median compressed.

    A trial that was stopped early is no better than the median, a failed one the worst.
    """
    raw = np.array([sample.loss for sample in finished])
    stopped = np.array([sample.outcome is SampleOutcome.STOPPED for sample in finished])
    measured = raw[np.isfinite(raw) & ~stopped]
    scale = max(1.0, float(np.max(np.abs(measured))))
    above = raw / scale - float(np.median(measured / scale))
    above[stopped] = np.maximum(above[stopped], 0.0)
    worse, failed = above > 0, np.isinf(above)
    above /= float(np.sqrt(np.mean(above[~worse] ** 2))) or 1.0
    above[worse] = np.log1p(above[worse])
    above[failed] = np.max(above[~failed], initial=1.0)
    above -= above.mean()
    return np.asarray(above / (above.std() or 1.0))
