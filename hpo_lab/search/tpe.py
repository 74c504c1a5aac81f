"""The tree-structured Parzen estimator, computed by Optuna.

Optuna is asked afresh for every trial, on a study in memory made of the trials before it;
it keeps nothing between two questions. Beyond 500 trials the study holds the best,
the running and the latest ones: the estimator of the good trials uses no more than the 25
best, and that of the others weighs old ones little. Parameters are told as indices of
their values where these are few and equally likely, else by their place in the unit
interval, so that every distribution is the estimator's prior.

Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011; Watanabe,
"Tree-Structured Parzen Estimator", arXiv:2304.11127, for the multivariate form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import RANDOM_STATE, Algorithm, Ask, Setting
from hpo_lab.search.space import Assignment, Space

__all__ = ["TPE", "MultivariateTPE"]

_CANDIDATES = ("n_ei_candidates", "n_EI_candidates")
_MOST_GOOD = 25
"""As in Optuna, the most trials that count as good."""


class TPE(Algorithm):
    """Draws where good trials are dense and others are not.

    Running trials count as bad ones, so that trials asked for together keep apart.
    """

    name = "tpe"
    settings: ClassVar[Mapping[str, Setting]] = {
        "n_startup_trials": Setting(
            int, "Random trials before the first estimate.", default=10, minimum=0
        ),
        "n_ei_candidates": Setting(
            int, "Candidates per trial, of which the best is taken; 24.", minimum=1
        ),
        "n_EI_candidates": Setting(int, "Hyperopt's spelling of n_ei_candidates.", minimum=1),
        "gamma": Setting(
            float,
            "The best gamma * sqrt(n) of n trials, at most 25, count as good; "
            "without it n / 10 do.",
            minimum=0,
            maximum=1,
            exclusive=True,
        ),
        "prior_weight": Setting(
            float,
            "Weight of the parameters' distributions beside one trial; 1.",
            minimum=0,
            exclusive=True,
        ),
        "multivariate": Setting(
            bool, "Whether dependencies between parameters are modelled.", default=True
        ),
        "random_state": RANDOM_STATE,
    }
    uses_history = True
    several_objectives = True

    def suggest(self, ask: Ask) -> Assignment | None:
        """The most promising of the candidates."""
        from hpo_lab.search.optuna_parzen import most_promising

        space = Space.of(ask.spec.parameters)
        return most_promising(ask, space, partial(_sampler_options, ask, space))

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """A problem where one setting is given in both of its spellings."""
        names = [setting.name for setting in spec.algorithm.algorithm_settings]
        if not set(_CANDIDATES) <= set(names):
            return []
        where = max(names.index(name) for name in _CANDIDATES)
        return [
            Problem(
                f"spec.algorithm.algorithmSettings[{where}].name",
                f"{names[where]!r} repeats a setting; give one of {' and '.join(_CANDIDATES)}",
            )
        ]


class MultivariateTPE(TPE):
    """`TPE` under the name, and with the settings, that Katib has for its multivariate form."""

    name = "multivariate-tpe"
    settings: ClassVar[Mapping[str, Setting]] = {
        name: TPE.settings[name] for name in ("n_startup_trials", "n_ei_candidates", "random_state")
    }


def _sampler_options(ask: Ask, space: Space, finished: int) -> dict[str, Any]:
    settings = dict.fromkeys(TPE.settings) | {"multivariate": True} | dict(ask.settings)
    candidates = [settings[name] for name in _CANDIDATES if settings[name] is not None]
    options: dict[str, Any] = {
        "seed": ask.seed,
        "n_startup_trials": settings["n_startup_trials"],
        "n_ei_candidates": candidates[0] if candidates else 24,
        "multivariate": settings["multivariate"],
        "group": settings["multivariate"] and space.is_conditional,
        "constant_liar": True,
    }
    if (gamma := settings["gamma"]) is not None:
        good = min(math.ceil(float(gamma) * math.sqrt(finished)), _MOST_GOOD)
        options["gamma"] = lambda _: good
    if (prior_weight := settings["prior_weight"]) is not None:
        options["prior_weight"] = prior_weight
    return options
