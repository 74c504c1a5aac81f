"""Quasi-random search: points that fill the space more evenly than random ones.

Trial `n` gets the `n`-th point of one scrambled sequence, which depends on the experiment's
seed alone; nothing is counted or kept. A conditional parameter has a coordinate of its own
whether or not it is active.

Owen, "Scrambling Sobol' and Niederreiter-Xing points", J. Complexity 14, 1998; Owen, "A
randomized Halton algorithm in R", arXiv:1706.02808.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from hpo_lab.search.algorithm import RANDOM_STATE, Algorithm, Ask, Setting
from hpo_lab.search.space import Assignment, Space

__all__ = ["Halton", "Sobol", "sequence"]


@lru_cache(maxsize=8)
def sequence(engine: Any, dimensions: int, seed: int, count: int) -> NDArray[np.float64]:
    """The first *count* points of a scrambled sequence; *count* is a power of two."""
    points: NDArray[np.float64] = engine(dimensions, scramble=True, rng=seed).random(count)
    return points


class _Sequence(Algorithm):
    engine: ClassVar[Any]
    settings: ClassVar[Mapping[str, Setting]] = {"random_state": RANDOM_STATE}
    uses_history = False

    def suggest(self, ask: Ask) -> Assignment | None:
        """The values at the trial's point of the sequence."""
        space = Space.of(ask.spec.parameters)
        index = ask.index
        count = max(64, 1 << index.bit_length())
        points = sequence(self.engine, len(space.axes), ask.shared_seed, count)
        unit = dict(zip(space.axes, points[index].tolist(), strict=True))
        return space.assign(lambda axis: axis.value_at(unit[axis]))


class Sobol(_Sequence):
    """The Sobol' sequence, most even after a power of two of trials."""

    name = "sobol"
    engine = qmc.Sobol


class Halton(_Sequence):
    """The Halton sequence, as even after any number of trials; for up to some 20 parameters."""

    name = "halton"
    engine = qmc.Halton
