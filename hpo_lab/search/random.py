"""Random search: every trial draws from the parameters' distributions.

Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13, 2012.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import ClassVar

from hpo_lab.search.algorithm import RANDOM_STATE, Algorithm, Ask, Setting
from hpo_lab.search.space import Assignment, Space

__all__ = ["Random"]


class Random(Algorithm):
    """Independent draws, the same for the same seed whatever came before."""

    name = "random"
    settings: ClassVar[Mapping[str, Setting]] = {"random_state": RANDOM_STATE}
    uses_history = False

    def suggest(self, ask: Ask) -> Assignment | None:
        """One draw from every active parameter."""
        draw = random.Random(ask.seed).random
        return Space.of(ask.spec.parameters).assign(lambda axis: axis.value_at(draw()))
