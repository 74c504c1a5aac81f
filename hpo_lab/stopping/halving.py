"""Stops the trials that are not among the best of their rung.

Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020 (ASHA, in its
form that stops and never pauses); Li et al., "Hyperband", JMLR 18, 2018.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import ClassVar

from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import Setting, read_settings
from hpo_lab.stopping.rule import Question

__all__ = ["Asha", "Hyperband"]

_MOST, _MOST_IN_KATIB = "max_resource", "r_l"
_GOLDEN = (math.sqrt(5) - 1) / 2

_MIN_RESOURCE = Setting(int, "The step of the first rung.", default=1, minimum=1)
_ETA = Setting(int, "One in so many goes on from a rung to the next.", default=3, minimum=2)


class Asha:
    """Asynchronous successive halving: of each rung the best `1/eta` so far go on.

    The rungs are the steps `min_resource * eta**k`. A trial is judged at the highest rung it
    has reached, by its value there, against all trials that have reached it, and again at
    every report until the next rung.
    """

    name = "asha"
    settings: ClassVar[Mapping[str, Setting]] = {
        "min_resource": _MIN_RESOURCE,
        _MOST: Setting(int, "No rung is at this step or above it.", minimum=1),
        _MOST_IN_KATIB: Setting(int, f"Katib's name for {_MOST}.", minimum=1),
        "eta": _ETA,
    }

    def should_stop(self, question: Question) -> str | None:
        """Why the trial is to be stopped, if it is."""
        return _judge(question, question.integer("min_resource"), lambda number: True)

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """A problem where there is no room for a rung."""
        return _range_problems(read_settings(self, _given(spec)), spec)


class Hyperband:
    """Several brackets of `asha`, which differ in their first rung.

    Every trial belongs to one of them by its number, in the proportions of Hyperband and
    evenly mixed, and is judged against the trials of its bracket.
    """

    name = "hyperband"
    settings: ClassVar[Mapping[str, Setting]] = {
        "min_resource": _MIN_RESOURCE,
        _MOST: Setting(int, "The last step of a trial.", minimum=1),
        _MOST_IN_KATIB: Setting(int, f"Katib's name for {_MOST}.", minimum=1),
        "eta": _ETA,
    }

    def should_stop(self, question: Question) -> str | None:
        """Why the trial is to be stopped, if it is."""
        eta, most = question.integer("eta"), _most(question.settings)
        assert most is not None
        firsts = _rungs(question.integer("min_resource"), eta, most)
        mine = _bracket(question.number, len(firsts) + 1, eta)
        if mine == len(firsts):
            # The last bracket is that of trials which are never stopped.
            return None
        return _judge(
            question, firsts[mine], lambda number: _bracket(number, len(firsts) + 1, eta) == mine
        )

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """A problem where the brackets cannot be laid out."""
        settings = read_settings(self, _given(spec))
        if _most(settings) is None:
            path = "spec.earlyStopping.algorithmSettings"
            return [Problem(path, f"lacks {_MOST!r}, the last step of a trial")]
        return _range_problems(settings, spec)


def _judge(question: Question, first: int, competes: Callable[[int], bool]) -> str | None:
    """Why the trial is to be stopped at its rung, where the lowest rung is *first*."""
    eta, step = question.integer("eta"), question.curve.last_step
    if step is None or step < first:
        return None
    ceiling = _most(question.settings) or math.inf
    rung = first
    while rung * eta <= step and rung * eta < ceiling:
        rung *= eta
    if rung >= ceiling:
        return None
    sign = 1.0 if question.minimize else -1.0

    def loss(value: float | None) -> float:
        return math.inf if value is None else sign * value

    reached = [
        loss(one.curve.value(rung))
        for number, one in question.trials.items()
        if one.curve.steps and one.curve.steps[-1] >= rung and competes(number)
    ]
    places = max(1, len(reached) // eta)
    limit = heapq.nsmallest(places, reached)[-1]
    mine = loss(question.curve.value(rung))
    if mine <= limit < math.inf or len(reached) == 1:
        return None
    found = "no finite value" if math.isinf(mine) else f"{sign * mine:.6g}"
    return (
        f"its value at step {rung}, {found}, is not among the best {places} of the "
        f"{len(reached)} trials that have reached it"
    )


def _rungs(first: int, eta: int, ceiling: int) -> list[int]:
    """The steps `first * eta**k` below *ceiling*."""
    rungs = []
    while first < ceiling:
        rungs.append(first)
        first *= eta
    return rungs


def _bracket(number: int, brackets: int, eta: int) -> int:
    """The bracket of a trial: 0 for the one that begins at the first rung."""
    sizes = _sizes(brackets, eta)
    place = (number * _GOLDEN) % 1.0 * sum(sizes)
    for bracket, size in enumerate(sizes):
        place -= size
        if place < 0:
            return bracket
    return brackets - 1


@lru_cache(maxsize=8)
def _sizes(brackets: int, eta: int) -> tuple[int, ...]:
    """How many trials Hyperband begins in each bracket: eta**s * (s_max + 1) / (s + 1)."""
    return tuple(math.ceil(brackets / (s + 1) * eta**s) for s in reversed(range(brackets)))


def _most(settings: Mapping[str, Value]) -> int | None:
    given = settings[_MOST] if settings[_MOST] is not None else settings[_MOST_IN_KATIB]
    assert given is None or isinstance(given, int)
    return given


def _given(spec: ExperimentSpec) -> Mapping[str, str]:
    assert spec.early_stopping is not None
    return spec.early_stopping.settings


def _range_problems(settings: Mapping[str, Value], spec: ExperimentSpec) -> list[Problem]:
    path = "spec.earlyStopping.algorithmSettings"
    found = []
    if {_MOST, _MOST_IN_KATIB} <= _given(spec).keys():
        found.append(Problem(path, f"{_MOST_IN_KATIB!r} repeats {_MOST!r}; give one of them"))
    most, least = _most(settings), settings["min_resource"]
    assert isinstance(least, int)
    if most is not None and most <= least:
        message = f"min_resource is {least}; must be below {_MOST}, which is {most}"
        found.append(Problem(path, message))
    return found
