"""Population based training: parameters change while models are trained.

Jaderberg et al., "Population Based Training of Neural Networks", arXiv:1711.09846.

A trial trains one member of the population for one generation, from the checkpoint of its
parent. Member and generation stand in its labels, so the population is rebuilt from the
trials alone.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hpo_lab.experiment.model import ParameterType, Value
from hpo_lab.experiment.trial import Trial
from hpo_lab.search.algorithm import RANDOM_STATE, WAIT, Ask, Setting, Suggestion, Wait
from hpo_lab.search.axis import Axis
from hpo_lab.search.distinct import is_used
from hpo_lab.search.promotion import best, drawn_at_random
from hpo_lab.search.space import Assignment, Space

__all__ = ["PBT", "perturbed"]

_GENERATION, _MEMBER, _ORIGIN = "generation", "member", "origin"
_FACTORS = (0.8, 1.2)
_TRIES = 4


class _OrNull(Setting):
    """A setting whose default can be written out as `null`."""

    def parse(self, text: str) -> Value:
        return None if text.lower() in ("null", "none") else super().parse(text)


class PBT:
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
        latest: dict[int, Trial] = {}
        ended: dict[int, list[Trial]] = defaultdict(list)
        for trial in ask.own:
            if _MEMBER not in trial.labels:
                continue  # Drawn for Katib when there was nothing to go on with.
            latest[int(trial.labels[_MEMBER])] = trial
            if trial.is_final:
                ended[int(trial.labels[_GENERATION])].append(trial)
        ready = []
        for member in range(size):
            before = latest.get(member)
            generation = -1 if before is None else int(before.labels[_GENERATION])
            # Half of the population is enough to see who falls behind: no one waits for the
            # slow, and the fast are not compared with themselves alone.
            if before is None or (before.is_final and 2 * len(ended[generation]) >= size):
                ready.append((generation + 1, member))
        if not ready:
            return WAIT
        generation, member = min(ready)
        labels = {_GENERATION: str(generation), _MEMBER: str(member)}
        objective = ask.spec.objective
        ranked = best(objective, ended[generation - 1], size) or best(objective, ask.own, size)
        return _next(ask, latest.get(member), ranked, labels)


def _next(
    ask: Ask, latest: Trial | None, ranked: Sequence[Trial], labels: Mapping[str, str]
) -> Suggestion:
    """How a member goes on whose latest trial is *latest*.

    Args:
        ask: The question.
        latest: None where the member has none yet.
        ranked: The trials with a value that it is compared with, best first.
        labels: Generation and member.
    """
    rng = random.Random(ask.seed)
    space = Space.of(ask.spec.parameters)
    given = ask.point
    if latest is None or not ranked:
        assignments = _new(ask, space, rng) if given is None else given.assignments
        return Suggestion(assignments, labels=_labels(labels, "new", given))
    threshold = ask.settings["truncation_threshold"]
    assert isinstance(threshold, float)
    share = min(math.ceil(threshold * len(ranked)), len(ranked) // 2)
    healthy = any(one is latest for one in ranked)
    if healthy and not any(one is latest for one in ranked[len(ranked) - share :]):
        return Suggestion(
            dict(latest.assignments), latest.number, _labels(labels, "continued", None)
        )
    leader = rng.choice(ranked[: max(1, share)])
    assignments = _explored(ask, space, leader, rng) if given is None else given.assignments
    return Suggestion(assignments, leader.number, _labels(labels, "exploited", given))


def _labels(labels: Mapping[str, str], origin: str, point: Suggestion | None) -> Mapping[str, str]:
    return {**labels, _ORIGIN: origin, **(point.labels if point is not None else {})}


def _new(ask: Ask, space: Space, rng: random.Random) -> Assignment:
    draw = drawn_at_random(space)
    made = draw(rng)
    for _ in range(_TRIES):
        if not is_used(made, ask.own):
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
