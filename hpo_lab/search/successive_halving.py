"""Successive halving and Hyperband: many configurations get little, the best get more.

Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
Optimization", AISTATS 2016; Li et al., "Hyperband", JMLR 18, 2018.

Which bracket and rung a trial belongs to stands in its labels, so a search goes on from the
trials alone. A rung is judged when all its trials have ended; those without a value are its
worst, and are not promoted even where that leaves the next rung smaller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import WAIT, Algorithm, Ask, Setting, Suggestion, Wait
from hpo_lab.search.fidelity import FIDELITY_SETTINGS, Fidelity, fidelity_problems
from hpo_lab.search.promotion import RUNG, Draw, begin, drawn_at_random, promote
from hpo_lab.search.ranking import Group, Groups
from hpo_lab.search.rungs import Rung, bracket, hyperband

__all__ = ["Hyperband", "SuccessiveHalving"]

_BRACKET = "bracket"


class Hyperband(Algorithm):
    """Runs of successive halving from many short trials to few long ones, in this order.

    A bracket that waits for the last trials of a rung holds up the next one only where the
    experiment has a seed; without one, the trials of the next begin in the meantime.
    """

    name = "hyperband"
    settings: ClassVar[Mapping[str, Setting]] = FIDELITY_SETTINGS
    uses_history = True
    uses_prior = False
    takes_points = True
    synchronous = True

    def suggest(self, ask: Ask) -> Suggestion | Wait | None:
        """The next trial of the first bracket that has one; None after the last bracket."""
        fidelity = Fidelity.of(ask.spec, ask.settings)
        draw = self.draw(ask, fidelity)
        waits = False
        for number, rungs in self.brackets(fidelity, ask.settings).items():
            answer = _next(ask, fidelity, rungs, draw, str(number))
            if isinstance(answer, Suggestion):
                return answer
            waits |= answer is WAIT
            if waits and self.synchronous and ask.spec.seed is not None:
                break
        if waits:
            return WAIT
        # No configuration begins any more: points of a person get all there is.
        return begin(ask, fidelity, len(fidelity.resources) - 1, draw) if ask.point else None

    def brackets(
        self, fidelity: Fidelity, settings: Mapping[str, Value]
    ) -> Mapping[int, Sequence[Rung]]:
        """The rungs of every bracket by its `s`, in the order in which they are begun."""
        brackets = hyperband(len(fidelity.resources), fidelity.eta)
        return {len(rungs) - 1: rungs for rungs in brackets}

    def draw(self, ask: Ask, fidelity: Fidelity) -> Draw:
        """Where new configurations come from."""
        return drawn_at_random(fidelity.space)

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """What is wrong with the resource."""
        return fidelity_problems(self, spec)


class SuccessiveHalving(Hyperband):
    """One bracket, from the least resource to the most."""

    name = "successivehalving"
    settings: ClassVar[Mapping[str, Setting]] = {
        **FIDELITY_SETTINGS,
        "n_configurations": Setting(
            int, "Configurations to begin with; as many as leave one for the last rung.", minimum=1
        ),
    }

    def brackets(
        self, fidelity: Fidelity, settings: Mapping[str, Value]
    ) -> Mapping[int, Sequence[Rung]]:
        """The one bracket."""
        last = len(fidelity.resources) - 1
        size = settings["n_configurations"]
        if size is None:
            size = round(fidelity.eta**last)
        assert isinstance(size, int)
        return {last: bracket(size, 0, last, fidelity.eta)}


def _next(
    ask: Ask, fidelity: Fidelity, rungs: Sequence[Rung], draw: Draw, number: str
) -> Suggestion | Wait | None:
    """The next trial of a bracket; WAIT before the end of a rung, None after the last one."""
    groups = ask.history.index(Groups, ask.spec.objective, _BRACKET, RUNG)
    below = Group()
    for index, rung in enumerate(rungs):
        labels = {_BRACKET: number, RUNG: str(index)}
        group = groups[number, labels[RUNG]]
        if group.size < rung.size:
            if index == 0:
                made = begin(ask, fidelity, rung.level, draw, **labels)
            else:
                numbers = below.waiting_among_best(rung.size)
                made = promote(ask, fidelity, rung.level, numbers, **labels)
            if made is not None:
                return made
        if group.unfinished:
            return WAIT
        below = group
    return None
