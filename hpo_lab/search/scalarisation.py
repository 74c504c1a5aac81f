"""Several objectives as one, weighed at random.

Knowles, "ParEGO: A Hybrid Algorithm With On-Line Landscape Approximation for Expensive
Multiobjective Optimization Problems", IEEE Transactions on Evolutionary Computation 10, 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hpo_lab.search.history import Observation

__all__ = ["scalarised"]

_RHO = 0.05


def scalarised(known: Sequence[Observation], rng: np.random.Generator) -> list[Observation]:
    """The observations with the augmented Chebyshev norm of their losses as their loss.

    Each objective is scaled to [0, 1] over what is known; the weights are drawn uniformly
    from the simplex. Observations without losses stay as they are.

    Args:
        known: What is known, at least one with losses.
        rng: What draws the weights.
    """
    table = np.array([one.losses for one in known if one.losses])
    low = table.min(axis=0)
    # As wide as a number can be at most: two of them may be further apart.
    spread = table.max(axis=0) / 2 - low / 2
    scaled = (table / 2 - low / 2) / np.where(spread > 0, spread, 1.0)
    weighed = scaled * rng.dirichlet(np.ones(table.shape[1]))
    scalars = iter(weighed.max(axis=1) + _RHO * weighed.sum(axis=1))
    return [replace(one, loss=float(next(scalars))) if one.losses else one for one in known]
