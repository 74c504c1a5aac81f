"""BOHB: Hyperband whose new configurations come from a model of what good ones have in common.

Falkner, Klein and Hutter, "BOHB: Robust and Efficient Hyperparameter Optimization at Scale",
ICML 2018, with the tree-structured Parzen estimator of `tpe` for a model.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hpo_lab.experiment.trial import Trial
from hpo_lab.search.algorithm import Ask, Setting
from hpo_lab.search.fidelity import FIDELITY_SETTINGS, Fidelity
from hpo_lab.search.promotion import Draw, best, drawn_at_random
from hpo_lab.search.space import Assignment
from hpo_lab.search.successive_halving import Hyperband
from hpo_lab.search.tpe import TPE

__all__ = ["BOHB"]


class BOHB(Hyperband):
    """Draws where good configurations are dense, at the greatest resource that shows it.

    The model is one of the trials at the highest level with two more results than
    `min_points_in_model`. New configurations that run count as bad ones, so that those asked
    for together keep apart; promoted ones do not, being the best that are known.
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
            known = [] if rng.random() < share else _observed(ask, fidelity)
            return _modelled(ask, fidelity, known, rng) if known else at_random(rng)

        return draw


def _modelled(
    ask: Ask, fidelity: Fidelity, known: Sequence[Trial], rng: random.Random
) -> Assignment:
    """A draw from the model of the trials *known*, without their resource."""
    trials = [fidelity.configuration(trial) for trial in known]
    spec = ask.spec.model_copy(update={"parameters": fidelity.parameters})
    question = Ask(spec, ask.number, trials, rng.randrange(2**32), settings={"n_startup_trials": 0})
    made = TPE().suggest(question)
    assert made is not None
    return made


def _observed(ask: Ask, fidelity: Fidelity) -> list[Trial]:
    """The trials of the highest level with enough results, and what begins; or none."""
    least = ask.settings["min_points_in_model"]
    least = len(fidelity.parameters) + 1 if least is None else least
    assert isinstance(least, int)
    begun = {trial.number for trial in ask.own if not trial.is_final and trial.parent is None}
    for level in reversed(range(len(fidelity.resources))):
        there = {trial.number for trial in fidelity.at(level, ask.trials) if trial.is_final}
        there |= begun
        known = [trial for trial in ask.trials if trial.number in there]
        if len(best(ask.spec.objective, known, least + 2)) == least + 2:
            return known
    return []
