"""Population based training: parameters change while models are trained.

Jaderberg et al., "Population Based Training of Neural Networks", arXiv:1711.09846.

A trial trains one member of the population for one generation, from the checkpoint of its
parent. Member and generation stand in its labels, so the population is rebuilt from the
trials alone.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hpo_lab.experiment.model import ParameterType, Value
from hpo_lab.experiment.trial import Trial
from hpo_lab.search.algorithm import RANDOM_STATE, WAIT, Algorithm, Ask, Setting, Suggestion, Wait
from hpo_lab.search.axis import Axis
from hpo_lab.search.distinct import Used
from hpo_lab.search.promotion import drawn_at_random
from hpo_lab.search.ranking import Groups
from hpo_lab.search.space import Assignment, Space

__all__ = ["PBT", "perturbed"]

_GENERATION, _MEMBER, _ORIGIN = "generation", "member", "origin"
_FACTORS = (0.8, 1.2)
_TRIES = 4


class _OrNull(Setting):
    """A setting whose default can be written out as `null`."""

    def parse(self, text: str) -> Value:
        return None if text.lower() in ("null", "none") else super().parse(text)


class PBT(Algorithm):
    """Members that fall behind continue with a copy of a leading one, changed a little.

    The others continue with their own parameters. Members are compared at the same
    generation, which is as soon as half of them have ended it. One whose trial failed is
    replaced in any case, and never copied from.
    """

    name = "pbt"
    settings: ClassVar[Mapping[str, Setting]] = {
        "n_population": Setting(int, "Members of the population.", default=10, minimum=5),
        "truncation_threshold": Setting(
            float,
            "The share of members that counts as leading, and the share that is replaced.",
            default=0.2,
            minimum=0,
            maximum=1,
        ),
        "resample_probability": _OrNull(
            float,
            "How likely a copied value is drawn anew; without it all are changed by a fifth.",
            minimum=0,
            maximum=1,
        ),
        "suggestion_trial_dir": Setting(
            str, "The path under which a trial's container knows its checkpoint folder."
        ),
        "random_state": RANDOM_STATE,
    }
    uses_history = True
    uses_prior = False
    takes_points = True

    def suggest(self, ask: Ask) -> Suggestion | Wait:
        """The next generation of the member that is furthest behind and can go on."""
        size = ask.settings["n_population"]
        assert isinstance(size, int)
        objective = ask.spec.objective
        members = ask.history.index(Groups, objective, _MEMBER)
        generations = ask.history.index(Groups, objective, _GENERATION)
        ready = []
        for member in range(size):
            latest = members[(str(member),)].latest
            if latest is None:
                ready.append((0, member))
                continue
            before = ask.history[latest]
            generation = generations[(before.labels[_GENERATION],)]
            # Half of the population is enough to see who falls behind: no one waits for the
            # slow, and the fast are not compared with themselves alone.
            if before.is_final and 2 * (generation.size - generation.unfinished) >= size:
                ready.append((int(before.labels[_GENERATION]) + 1, member))
        if not ready:
            return WAIT
        number, member = min(ready)
        labels = {_GENERATION: str(number), _MEMBER: str(member)}
        # Where the whole generation failed, the member is compared with all trials.
        ranked = generations[(str(number - 1),)].best(size) or (
            ask.history.index(Groups, objective)[()].best(size)
        )
        return _next(ask, members[(str(member),)].latest, ranked, labels)


def _next(
    ask: Ask, latest: int | None, ranked: Sequence[int], labels: Mapping[str, str]
) -> Suggestion:
    """How a member goes on.

    Args:
        ask: The question.
        latest: Its latest trial; None where the member has none yet.
        ranked: The trials with a value that it is compared with, best first.
        labels: Generation and member.
    """
    rng = random.Random(ask.seed)
    space = Space.of(ask.spec.parameters)
    point = ask.point
    if latest is None or not ranked:
        assignments = _new(ask, space, rng) if point is None else point.assignments
        return Suggestion(assignments, labels=_labels(labels, "new", point))
    threshold = ask.settings["truncation_threshold"]
    assert isinstance(threshold, float)
    share = min(math.ceil(threshold * len(ranked)), len(ranked) // 2)
    if latest in ranked[: len(ranked) - share]:
        assignments = dict(ask.history[latest].assignments)
        return Suggestion(assignments, latest, _labels(labels, "continued", None))
    leader = rng.choice(ranked[: max(1, share)])
    if point is None:
        assignments = _explored(ask, space, ask.history[leader], rng)
    else:
        assignments = point.assignments
    return Suggestion(assignments, leader, _labels(labels, "exploited", point))


def _labels(labels: Mapping[str, str], origin: str, point: Suggestion | None) -> Mapping[str, str]:
    return {**labels, _ORIGIN: origin, **(point.labels if point is not None else {})}


def _new(ask: Ask, space: Space, rng: random.Random) -> Assignment:
    draw = drawn_at_random(space)
    made = draw(rng)
    for _ in range(_TRIES):
        if made not in ask.history.index(Used):
            break
        # A space may have fewer assignments than the population members.
        made = draw(rng)
    return made


def _explored(ask: Ask, space: Space, leader: Trial, rng: random.Random) -> Assignment:
    probability = ask.settings["resample_probability"]
    assert probability is None or isinstance(probability, float)

    def choose(axis: Axis) -> Value:
        name = axis.parameter.name
        resampled = probability is not None and rng.random() < probability
        if resampled or name not in leader.assignments:
            return axis.value_at(rng.random())
        return perturbed(axis, leader.assignments[name], rng)

    return space.assign(choose)


def perturbed(axis: Axis, value: Value, rng: random.Random) -> Value:
    """A value beside *value*: a number times 0.8 or 1.2, or a neighbour in a list.

    It stays inside the range and on its grid, where it moves by one step at least; 0, which
    no factor changes, is drawn anew in a continuous range. The neighbours of a categorical
    value are cyclic.
    """
    factor = rng.choice(_FACTORS)
    up = 1 if factor > 1 else -1
    parameter = axis.parameter
    if parameter.parameter_type is ParameterType.CATEGORICAL:
        return axis.level((axis.level_of(value) + up) % len(parameter.choices))
    assert isinstance(value, int | float)
    if parameter.parameter_type is ParameterType.DISCRETE:
        numbers = sorted(parameter.choices, key=float)  # type: ignore[arg-type]
        return numbers[min(max(numbers.index(value) + up, 0), len(numbers) - 1)]
    if axis.size is None:
        space = parameter.feasible_space
        if value == 0:
            return axis.value_at(rng.random())
        return min(max(value * factor, float(space.min or 0)), float(space.max or 0))
    here, there = axis.level_of(value), axis.level_of(value * factor)
    return axis.level(min(max(here + up, 0), axis.size - 1) if there == here else there)
