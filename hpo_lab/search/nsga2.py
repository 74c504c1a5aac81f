"""NSGA-II, an evolutionary search for the Pareto front of several objectives.

The population is made of the trials whenever it is asked: the best of all that have ended,
by constrained domination and crowding distance. That is the algorithm's own selection of
survivors, applied after every trial and not after every generation, so that slow trials hold
up none and a restart changes nothing.

Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", IEEE Transactions
on Evolutionary Computation 6, 2002; Deb & Agrawal, "Simulated Binary Crossover for Continuous
Search Space", Complex Systems 9, 1995.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from heapq import nlargest
from operator import attrgetter
from typing import ClassVar

from hpo_lab.experiment.model import ParameterType, Value
from hpo_lab.experiment.pareto import fronts
from hpo_lab.search.algorithm import RANDOM_STATE, Algorithm, Ask, Setting
from hpo_lab.search.axis import Axis
from hpo_lab.search.samples import Sample, Samples
from hpo_lab.search.space import Assignment, Space

__all__ = ["NSGA2"]

_SPREAD = 20.0
"""The distribution index of crossover and mutation: children are near their parents."""


class NSGA2(Algorithm):
    """Crosses and mutates the trials that are best and furthest apart."""

    name = "nsga2"
    settings: ClassVar[Mapping[str, Setting]] = {
        "population_size": Setting(
            int, "Random trials at first, and parents later on.", default=20, minimum=2
        ),
        "crossover_prob": Setting(
            float, "How often two parents are crossed.", default=0.9, minimum=0, maximum=1
        ),
        "mutation_prob": Setting(
            float, "How often a parameter is mutated; one in a trial.", minimum=0, maximum=1
        ),
        "random_state": RANDOM_STATE,
    }
    uses_history = True
    several_objectives = True

    def suggest(self, ask: Ask) -> Assignment | None:
        """A child of two members of the population, or a random assignment at first."""
        space, rng = Space.of(ask.spec.parameters), random.Random(ask.seed)
        size = int(str(ask.settings["population_size"]))
        samples = ask.history.index(Samples, space, ask.spec.objective)
        ended = [sample for sample in samples.finished if sample.losses]
        if len(ended) < size:
            return space.assign(lambda axis: axis.value_at(rng.random()))
        population = _survivors(ended, size)
        # In order of selection, so that the lower place wins a tournament.
        first, second = (
            population[min(rng.randrange(size), rng.randrange(size))].units for _ in range(2)
        )
        crossed = rng.random() < float(str(ask.settings["crossover_prob"]))
        probability = ask.settings["mutation_prob"]
        mutation = 1 / len(space.axes) if probability is None else float(probability)

        def choose(axis: Axis) -> Value:
            mine, others = first.get(axis.parameter.name), second.get(axis.parameter.name)
            if mine is None:
                mine = others
            if mine is None:
                return axis.value_at(rng.random())
            unordered = axis.parameter.parameter_type is ParameterType.CATEGORICAL
            if crossed and others is not None and rng.random() < 0.5:
                mine = others if unordered else _crossed(mine, others, rng)
            if rng.random() < mutation:
                mine = rng.random() if unordered else _mutated(mine, rng)
            return axis.value_at(mine)

        return space.assign(choose)


def _survivors(ended: Sequence[Sample], size: int) -> list[Sample]:
    """The *size* best, those of the first front first, the least crowded of a front first."""
    by_broken: dict[float, list[Sample]] = {}
    for sample in ended:
        by_broken.setdefault(sample.broken, []).append(sample)
    chosen: list[Sample] = []
    # A trial that breaks the constraints less dominates all that break them more.
    for broken in sorted(by_broken):
        group = sorted(by_broken[broken], key=attrgetter("losses"))
        losses = [sample.losses for sample in group]
        for front in fronts(losses, size - len(chosen)):
            crowding = _crowding([losses[place] for place in front])
            order = nlargest(size - len(chosen), range(len(front)), key=crowding.__getitem__)
            chosen += [group[front[place]] for place in order]
        if len(chosen) >= size:
            break
    return chosen


def _crowding(front: Sequence[tuple[float, ...]]) -> list[float]:
    """How far each point of a *front* is from its neighbours; infinite at the ends."""
    distances = [0.0] * len(front)
    for values in zip(*front, strict=True):
        order = sorted(range(len(front)), key=values.__getitem__)
        distances[order[0]] = distances[order[-1]] = math.inf
        halves = [values[place] / 2 for place in order]
        spread = halves[-1] - halves[0]
        if spread > 0:
            for place, below, above in zip(order[1:], halves, halves[2:], strict=False):
                distances[place] += (above - below) / spread
    return distances


def _crossed(mine: float, others: float, rng: random.Random) -> float:
    """A child of two places in [0, 1) by simulated binary crossover."""
    u = rng.random()
    beta = (2 * min(u, 1 - u)) ** (math.copysign(1, 0.5 - u) / (_SPREAD + 1))
    sign = rng.choice((-1, 1))
    return _inside((mine + others) / 2 + sign * beta * (mine - others) / 2)


def _mutated(place: float, rng: random.Random) -> float:
    """A place near *place* in [0, 1) by polynomial mutation."""
    u = rng.random()
    if u < 0.5:
        moved = place + ((2 * u) ** (1 / (_SPREAD + 1)) - 1) * place
    else:
        moved = place + (1 - (2 * (1 - u)) ** (1 / (_SPREAD + 1))) * (1 - place)
    return _inside(moved)


def _inside(place: float) -> float:
    return min(max(place, 0.0), math.nextafter(1.0, 0.0))
