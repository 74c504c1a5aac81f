"""CMA-ES on the numeric parameters, its course computed anew from the trials.

A generation is the next `population` finished trials in the order of their numbers. As
trials run side by side, some of a generation were drawn from an earlier distribution;
the strategy takes them in as foreign samples, so none is wasted or waited for. The course
so far is kept between questions and continued; it is the same when it is not.

Trials of earlier experiments give the first distribution: Nomura et al., "Warm Starting
CMA-ES for Hyperparameter Optimization", AAAI 2021. Restarts: Auger and Hansen, "A Restart
CMA Evolution Strategy With Increasing Population Size", CEC 2005; Hansen, "Benchmarking a
BI-Population CMA-ES", GECCO 2009.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter
from typing import ClassVar

import numpy as np

from hpo_lab.experiment.model import ExperimentSpec, ParameterType, Value
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import RANDOM_STATE, Algorithm, Ask, Setting
from hpo_lab.search.axis import Axis
from hpo_lab.search.evolution import Array, Evolution, default_population
from hpo_lab.search.samples import Sample, Samples
from hpo_lab.search.space import Assignment, Space

__all__ = ["CMAES", "Course", "Run", "StrategyParameters"]

_CONVERGED = 1e-4
"""Spread, in parts of a range, below which a run has converged."""
_ILL_CONDITIONED = 1e14
_RESAMPLES = 20
_PROMISING = 0.1
"""The part of the trials of earlier experiments that says where to begin."""
_BLUR = 0.1
"""Standard deviation about each of them, in parts of a range."""


class CMAES(Algorithm):
    """Draws from a normal distribution that adapts to the better trials.

    Failed trials are the worst of their generation. Categorical and conditional
    parameters are drawn at random.
    """

    name = "cmaes"
    settings: ClassVar[Mapping[str, Setting]] = {
        "sigma": Setting(
            float,
            "Initial standard deviation, in parts of each parameter's range (on a log scale "
            "where the parameter has one).",
            default=0.2,
            minimum=0,
            exclusive=True,
        ),
        "restart_strategy": Setting(
            str,
            "What follows when a run has converged: nothing, runs with ever larger "
            "populations (ipop), or these and runs with small ones in turn (bipop).",
            default="none",
            choices=("none", "ipop", "bipop"),
        ),
        "random_state": RANDOM_STATE,
    }
    uses_history = True

    def suggest(self, ask: Ask) -> Assignment | None:
        """A draw from the distribution that the finished trials lead to."""
        space = Space.of(ask.spec.parameters)
        axes = _axes(space)
        rng = np.random.default_rng(ask.seed)
        units: dict[str, float] = {}
        if axes:
            finished = ask.history.index(Samples, space, ask.spec.objective).finished
            # Trials of other experiments come first, and all of them have ended.
            prior = bisect_left(finished, True, key=lambda sample: not sample.is_prior)
            promising = _promising(finished[:prior], axes)
            run = _course(space, _parameters(ask, len(axes)), promising).after(finished[prior:])
            drawn = _draw(run.evolution, axes, rng)
            units = {axis.parameter.name: u for axis, u in zip(axes, drawn, strict=True)}

        def choose(axis: Axis) -> Value:
            name = axis.parameter.name
            return axis.value_at(units[name] if name in units else rng.random())

        return space.assign(choose)

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """A problem where nothing is numeric and unconditional."""
        if any(
            _is_numeric(parameter.parameter_type, parameter.when) for parameter in spec.parameters
        ):
            return []
        message = (
            "have no unconditional one of type double, int or discrete; "
            "'cmaes' adapts to these alone, choose 'tpe'"
        )
        return [Problem("spec.parameters", message)]


def _is_numeric(kind: ParameterType, when: str | None) -> bool:
    return kind is not ParameterType.CATEGORICAL and when is None


def _axes(space: Space) -> list[Axis]:
    return [
        axis
        for axis in space.axes
        if _is_numeric(axis.parameter.parameter_type, axis.parameter.when) and axis.size != 1
    ]


def _promising(prior: Sequence[Sample], axes: Sequence[Axis]) -> tuple[tuple[float, ...], ...]:
    """Where the best of the trials of earlier experiments lie."""
    best = sorted(prior, key=_rank)[: math.ceil(_PROMISING * len(prior))]
    return tuple(tuple(sample.units[axis.parameter.name] for axis in axes) for sample in best)


_rank = attrgetter("rank")


def _draw(evolution: Evolution, axes: Sequence[Axis], rng: np.random.Generator) -> list[float]:
    """A point of the unit cube; on stepped axes the neighbours always keep a chance."""
    for _ in range(_RESAMPLES):
        point = evolution.at(rng.standard_normal(len(axes)))
        if np.all((point >= 0) & (point < 1)):
            break
    point = np.clip(point, 0, math.nextafter(1, 0))
    margin = 1 / (evolution.population * len(axes))
    for index, axis in enumerate(axes):
        chance, side = rng.random(2)
        if axis.size is not None and chance < margin:
            neighbours = _neighbours(axis, float(point[index]))
            point[index] = neighbours[0 if side < 0.5 else -1]
    return [float(unit) for unit in point]


def _neighbours(axis: Axis, unit: float) -> list[float]:
    """Where the values before and after that at *unit* of a stepped axis lie."""
    assert axis.size is not None
    level = axis.level_of(axis.value_at(unit))
    levels = [other for other in (level - 1, level + 1) if 0 <= other < axis.size]
    return [axis.unit_of(axis.level(other)) for other in levels]


def _least_spread(axis: Axis, unit: float) -> float:
    """The least standard deviation about *unit*: on a stepped axis a fifth of the step.

    A distribution much narrower than a step would never leave it. Hansen, "A CMA-ES for
    Mixed-Integer Nonlinear Optimization", INRIA RR-7751, 2011.
    """
    if axis.size is None:
        return 0.0
    here = axis.unit_of(axis.value_at(unit))
    return min(abs(other - here) for other in _neighbours(axis, unit)) / 5


@dataclass(frozen=True, slots=True)
class StrategyParameters:
    """What a course depends on beside the trials."""

    sigma: float
    strategy: str
    population: int
    seed: int


def _parameters(ask: Ask, dimensions: int) -> StrategyParameters:
    # A generation smaller than what runs side by side would be outdated when it ends.
    population = max(default_population(dimensions), ask.spec.parallel_trial_count)
    settings = ask.settings
    sigma, strategy = float(str(settings["sigma"])), str(settings["restart_strategy"])
    return StrategyParameters(sigma, strategy, population, ask.shared_seed)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One run of the strategy, and the trials that the runs before it have used.

    Attributes:
        evolution: Its distribution.
        best: The best rank of each of its generations.
        number: Counted from 0.
        large: The population of the latest run with a large one.
        spent_large, spent_small: Trials used by runs with large and with small populations,
            the first run in neither.
    """

    evolution: Evolution
    best: tuple[tuple[int, float], ...] = ()
    number: int = 0
    large: int = 0
    spent_large: int = 0
    spent_small: int = 0

    @property
    def is_flat(self) -> bool:
        """Whether many generations in turn were equally good."""
        evolution = self.evolution
        recent = 10 + math.ceil(30 * len(evolution.mean) / evolution.population)
        return len(self.best) >= recent and len(set(self.best[-recent:])) == 1


class Course:
    """The runs of the strategy over the finished trials of an experiment.

    Args:
        axes: The parameters it searches.
        parameters: What else it depends on.
        promising: Where good points lie.
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        parameters: StrategyParameters,
        promising: Sequence[Sequence[float]] = (),
    ) -> None:
        self._axes = axes
        self._parameters = parameters
        if promising:
            first = Evolution.about(np.array(promising), _BLUR, parameters.population)
        else:
            first = Evolution.begin(
                np.full(len(axes), 0.5), parameters.sigma, parameters.population
            )
        self._first = Run(first, large=parameters.population)
        self._generations: list[tuple[tuple[Sample, ...], Run]] = []

    def after(self, finished: Sequence[Sample]) -> Run:
        """The run that the *finished* trials lead to, in their order."""
        run, begin, before = self._first, 0, self._generations
        course: list[tuple[tuple[Sample, ...], Run]] = []
        while (end := begin + run.evolution.population) <= len(finished):
            members = tuple(finished[begin:end])
            if len(course) < len(before) and before[len(course)][0] == members:
                run = before[len(course)][1]
            else:
                before = []
                run = self._next(run, members)
            course.append((members, run))
            begin = end
        self._generations = course
        return run

    def _next(self, run: Run, members: Sequence[Sample]) -> Run:
        ranked = sorted(members, key=_rank)
        places = np.array([self._place(sample, run.evolution.mean) for sample in ranked])
        evolution = run.evolution.after(places)
        centre = np.clip(evolution.mean, 0, 1).tolist()
        least = np.array(
            [_least_spread(axis, u) for axis, u in zip(self._axes, centre, strict=True)]
        )
        evolution = evolution.widened(least)
        run = replace(run, evolution=evolution, best=(*run.best, ranked[0].rank))
        narrow = bool(np.all(evolution.spread < np.maximum(_CONVERGED, 1.01 * least)))
        converged = narrow or run.is_flat or evolution.condition > _ILL_CONDITIONED
        return self._restart(run) if converged and self._parameters.strategy != "none" else run

    def _place(self, sample: Sample, mean: Array) -> list[float]:
        """Where a sample lies; a value on the step of the mean says nothing of a move."""
        place = []
        for axis, centre in zip(self._axes, mean.tolist(), strict=True):
            unit = sample.units[axis.parameter.name]
            same = axis.size is not None and axis.unit_of(axis.value_at(centre)) == unit
            place.append(centre if same else unit)
        return place

    def _restart(self, run: Run) -> Run:
        parameters = self._parameters
        rng = np.random.default_rng((parameters.seed, run.number))
        mean = rng.random(len(self._axes))
        spent = run.evolution.generation * run.evolution.population
        small, large = run.spent_small, run.spent_large
        if run.number > 0 and run.evolution.population < run.large:
            small += spent
        elif run.number > 0:
            large += spent
        population, sigma, size = 2 * run.large, parameters.sigma, 2 * run.large
        if parameters.strategy == "bipop" and small < large:
            share = float(rng.random()) ** 2
            population = int(
                parameters.population * (0.5 * run.large / parameters.population) ** share
            )
            population = max(population, parameters.population)
            sigma, size = parameters.sigma * 10 ** (-2 * float(rng.random())), run.large
        evolution = Evolution.begin(mean, sigma, population)
        return Run(
            evolution,
            number=run.number + 1,
            large=size,
            spent_large=large,
            spent_small=small,
        )


@lru_cache(maxsize=8)
def _course(
    space: Space, parameters: StrategyParameters, promising: tuple[tuple[float, ...], ...]
) -> Course:
    return Course(_axes(space), parameters, promising)
