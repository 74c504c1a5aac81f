"""BOHB: Hyperband whose new configurations come from a model of what good ones have in common.

Falkner, Klein and Hutter, "BOHB: Robust and Efficient Hyperparameter Optimization at Scale",
ICML 2018, with the tree-structured Parzen estimator of `tpe` for a model.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from hpo_lab.experiment.model import Objective, Value
from hpo_lab.experiment.trial import Trial
from hpo_lab.search.algorithm import Ask, Setting
from hpo_lab.search.fidelity import FIDELITY_SETTINGS, Fidelity
from hpo_lab.search.history import History
from hpo_lab.search.promotion import Draw, drawn_at_random
from hpo_lab.search.ranking import rank_of
from hpo_lab.search.space import Assignment
from hpo_lab.search.successive_halving import Hyperband
from hpo_lab.search.tpe import TPE

__all__ = ["BOHB"]


class BOHB(Hyperband):
    """Draws where good configurations are dense, at the greatest resource that shows it.

    The model is one of the trials at the highest level with two more results than
    `min_points_in_model`. New configurations that run count as bad ones, so that those asked
    for together keep apart; promoted ones do not, being the best so far.
    """

    name = "bohb"
    settings: ClassVar[Mapping[str, Setting]] = {
        **FIDELITY_SETTINGS,
        "random_fraction": Setting(
            float,
            "Share of new configurations that are drawn at random; a third.",
            default=1 / 3,
            minimum=0,
            maximum=1,
        ),
        "min_points_in_model": Setting(
            int, "Results that a model needs, and two more; the parameters and one.", minimum=1
        ),
    }
    uses_prior = True
    # A model learns from every result, so their order would have an influence.
    synchronous = False

    def draw(self, ask: Ask, fidelity: Fidelity) -> Draw:
        """Draws from the model, where there is one, or at random."""
        at_random = drawn_at_random(fidelity.space)
        share = ask.settings["random_fraction"]
        assert isinstance(share, float)

        def draw(rng: random.Random) -> Assignment:
            trials = [] if rng.random() < share else _observed(ask, fidelity)
            return _modelled(ask, fidelity, trials, rng) if trials else at_random(rng)

        return draw


def _modelled(
    ask: Ask, fidelity: Fidelity, trials: Sequence[Trial], rng: random.Random
) -> Assignment:
    """A draw from the model of the configurations *trials*."""
    spec = ask.spec.model_copy(update={"parameters": fidelity.parameters})
    seed = rng.randrange(2**32)
    question = Ask(spec, ask.number, History(trials), seed, settings={"n_startup_trials": 0})
    made = TPE().suggest(question)
    assert made is not None
    return made


def _observed(ask: Ask, fidelity: Fidelity) -> list[Trial]:
    """The configurations of the highest level with enough results, and those that begin."""
    least = ask.settings["min_points_in_model"]
    least = len(fidelity.parameters) + 1 if least is None else least
    assert isinstance(least, int)
    index = ask.history.index(_Configurations, ask.spec.objective, fidelity.name)
    for resource in reversed(fidelity.resources):
        if len(index.measured[resource]) >= least + 2:
            return [*index.ended[resource].values(), *index.begun.values()]
    return []


class _Configurations:
    """The index of the trials without their resource.

    Args:
        objective: Says which of them have a value.
        resource: The parameter that is left out.

    Attributes:
        ended: Those that have ended by their resource and their number.
        measured: The numbers of those with a value by their resource.
        begun: Those of the experiment that run and continue from no other, by number.
    """

    def __init__(self, objective: Objective, resource: str) -> None:
        self._objective = objective
        self._resource = resource
        self.ended: defaultdict[Value, dict[int, Trial]] = defaultdict(dict)
        self.measured: defaultdict[Value, set[int]] = defaultdict(set)
        self.begun: dict[int, Trial] = {}

    def put(self, trial: Trial, before: Trial | None) -> None:
        """Take in a trial."""
        number, assignments = trial.number, dict(trial.assignments)
        resource = assignments.pop(self._resource, None)
        configuration = replace(trial, assignments=assignments)
        self.begun.pop(number, None)
        self.ended[resource].pop(number, None)
        self.measured[resource].discard(number)
        if trial.is_final:
            self.ended[resource][number] = configuration
            if rank_of(self._objective, trial) is not None:
                self.measured[resource].add(number)
        elif trial.parent is None and number >= 0:
            self.begun[number] = configuration
