"""Asynchronous successive halving: no trial waits for a rung to be complete.

Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020, algorithm 2:
the form that promotes. The early stopping rule of the same name is the form that stops.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import WAIT, Algorithm, Ask, Setting, Suggestion, Wait
from hpo_lab.search.fidelity import FIDELITY_SETTINGS, Fidelity, fidelity_problems
from hpo_lab.search.promotion import RUNG, begin, drawn_at_random, promote
from hpo_lab.search.ranking import Groups

__all__ = ["Asha"]


class Asha(Algorithm):
    """Promotes the best of a rung as soon as it is among the top `1 / eta` of those ended there.

    Otherwise a new configuration begins, until the experiment ends or the space is used up.
    """

    name = "asha"
    settings: ClassVar[Mapping[str, Setting]] = FIDELITY_SETTINGS
    uses_history = True
    uses_prior = False
    takes_points = True

    def suggest(self, ask: Ask) -> Suggestion | Wait | None:
        """The promotion to the highest rung, else a new configuration."""
        fidelity = Fidelity.of(ask.spec, ask.settings)
        groups = ask.history.index(Groups, ask.spec.objective, RUNG)
        for rung in reversed(range(len(fidelity.resources) - 1)):
            group = groups[(str(rung),)]
            ended = group.size - group.unfinished
            numbers = group.waiting_among_best(int(ended / fidelity.eta))
            made = promote(ask, fidelity, rung + 1, numbers, **{RUNG: str(rung + 1)})
            if made is not None:
                return made
        made = begin(ask, fidelity, 0, drawn_at_random(fidelity.space), **{RUNG: "0"})
        if made is None and ask.history.has_unfinished:
            return WAIT
        return made

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """What is wrong with the resource."""
        return fidelity_problems(self, spec)
