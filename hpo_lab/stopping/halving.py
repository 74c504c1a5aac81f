"""Stops the trials that are not among the best of their rung.

Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020 (ASHA, in its
form that stops and never pauses); Li et al., "Hyperband", JMLR 18, 2018.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import ClassVar

from hpo_lab.experiment.model import ExperimentSpec, MetricStrategyType, Value
from hpo_lab.experiment.trial import TrialState
from hpo_lab.problems import Problem
from hpo_lab.search.setting import Setting, read_settings
from hpo_lab.stopping.curve import Curve
from hpo_lab.stopping.rule import EarlyStoppingRule, Progress, Question

__all__ = ["AshaRule", "HyperbandRule", "rungs_of_trials"]

_MOST, _MOST_IN_KATIB = "max_resource", "r_l"
_GOLDEN = (math.sqrt(5) - 1) / 2

_MIN_RESOURCE = Setting(int, "The step of the first rung.", default=1, minimum=1)
_ETA = Setting(int, "One in so many goes on from a rung to the next.", default=3, minimum=2)


class AshaRule(EarlyStoppingRule):
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

    def __init__(self) -> None:
        # By the lowest rung of their bracket and the rung, sorted.
        self._losses: dict[tuple[int | None, int], array[float]] = {}
        # Of running trials by rung and number: the curve, and its loss there. A question
        # compares with a thousand of them, most of which are as they were at the last one.
        self._running: dict[int, dict[int, tuple[Curve, float]]] = {}
        self._firsts: dict[int, int | None] = {}

    def tell(self, ended: Progress) -> None:
        """Remember the value of a trial at each rung that it has reached."""
        first = self._first_rung(ended, ended.number)
        self._firsts.pop(ended.number, None)
        for rung in _reached(ended, first):
            self._running.get(rung, {}).pop(ended.number, None)
            losses = self._losses.setdefault((first, rung), array("d"))
            insort(losses, _loss(ended, ended.curve, rung))

    def should_stop(self, question: Question) -> str | None:
        """Why the trial is to be stopped, if it is."""
        first = self._first_rung(question, question.number)
        reached = _reached(question, first)
        if not reached:
            return None
        rung = reached[-1]
        ended = self._losses.get((first, rung), array("d"))
        running = [
            self._loss_at(question, number, curve, rung)
            for number, curve in question.others.items()
            if curve.steps[-1] >= rung
            and number != question.number
            and self._first_rung_of(question, number) == first
        ]
        mine = _loss(question, question.curve, rung)
        before = bisect_left(ended, mine) + sum(loss < mine for loss in running)
        count = 1 + len(ended) + len(running)
        places = max(1, count // question.integer("eta"))
        if count == 1 or (before < places and mine < math.inf):
            return None
        value = question.curve.value(rung)
        shown = "no finite value" if value is None else f"{value:.6g}"
        return (
            f"its value at step {rung}, {shown}, is not among the best {places} of the "
            f"{count} trials that have reached it"
        )

    def _loss_at(self, asked: Progress, number: int, curve: Curve, rung: int) -> float:
        """The loss of a running trial at a *rung*, worked out once for each curve."""
        before = self._running.setdefault(rung, {})
        entry = before.get(number)
        if entry is None or entry[0] is not curve:
            entry = before[number] = curve, _loss(asked, curve, rung)
        return entry[1]

    def _first_rung_of(self, asked: Progress, number: int) -> int | None:
        """What `_first_rung` says of a running trial, worked out once."""
        if number not in self._firsts:
            self._firsts[number] = self._first_rung(asked, number)
        return self._firsts[number]

    def _first_rung(self, asked: Progress, number: int) -> int | None:
        """The lowest rung at which the trial *number* is judged, None for no rung at all."""
        return asked.integer("min_resource")

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """A problem where there is no room for a rung."""
        return _range_problems(read_settings(self, _settings(spec)), spec)


class HyperbandRule(AshaRule):
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

    def _first_rung(self, asked: Progress, number: int) -> int | None:
        eta, most = asked.integer("eta"), _most(asked.settings)
        assert most is not None
        firsts = _rungs(asked.integer("min_resource"), eta, most)
        # The last bracket is that of trials which are never stopped.
        return [*firsts, None][_bracket(number, len(firsts) + 1, eta)]

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """A problem where the brackets cannot be laid out."""
        settings = read_settings(self, _settings(spec))
        if _most(settings) is None:
            path = "spec.earlyStopping.algorithmSettings"
            return [Problem(path, f"lacks {_MOST!r}, the last step of a trial")]
        return _range_problems(settings, spec)


def rungs_of_trials(spec: ExperimentSpec) -> Callable[[int, int], list[int]] | None:
    """What says at which steps, up to its last one, a trial is judged, by number and last step.

    None where *spec* has no rule, or one without rungs.
    """
    rules = {rule.name: rule for rule in (AshaRule, HyperbandRule)}
    name = spec.early_stopping.algorithm_name if spec.early_stopping else ""
    if name not in rules:
        return None
    rule = rules[name]()
    settings = read_settings(rule, _settings(spec))

    def steps(number: int, last: int) -> list[int]:
        curve = Curve(MetricStrategyType.LATEST, (last,), (0.0,))
        asked = Progress(spec, settings, number, TrialState.RUNNING, curve)
        return _reached(asked, rule._first_rung(asked, number))

    return steps


def _reached(asked: Progress, first: int | None) -> list[int]:
    """The rungs that a trial has reached, where the lowest, if there is any, is *first*."""
    if first is None:
        return []
    ceiling = _most(asked.settings) or math.inf
    return _rungs(first, asked.integer("eta"), min(ceiling, asked.curve.steps[-1] + 1))


def _loss(asked: Progress, curve: Curve, rung: int) -> float:
    """The value of a trial at a *rung* as a loss, infinite where it has none."""
    value = curve.value(rung)
    if value is None:
        return math.inf
    return value if asked.minimize else -value


def _rungs(first: int, eta: int, ceiling: float) -> list[int]:
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
    most = settings[_MOST] if settings[_MOST] is not None else settings[_MOST_IN_KATIB]
    assert most is None or isinstance(most, int)
    return most


def _settings(spec: ExperimentSpec) -> Mapping[str, str]:
    assert spec.early_stopping is not None
    return spec.early_stopping.settings


def _range_problems(settings: Mapping[str, Value], spec: ExperimentSpec) -> list[Problem]:
    path = "spec.earlyStopping.algorithmSettings"
    problems = []
    if {_MOST, _MOST_IN_KATIB} <= _settings(spec).keys():
        problems.append(Problem(path, f"{_MOST_IN_KATIB!r} repeats {_MOST!r}; give one of them"))
    most, least = _most(settings), settings["min_resource"]
    assert isinstance(least, int)
    if most is not None and most <= least:
        message = f"min_resource is {least}; must be below {_MOST}, which is {most}"
        problems.append(Problem(path, message))
    return problems
