"""Several objectives as one, weighed at random.

Knowles, "ParEGO: A Hybrid Algorithm With On-Line Landscape Approximation for Expensive
Multiobjective Optimization Problems", IEEE Transactions on Evolutionary Computation 10, 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hpo_lab.search.samples import Sample

__all__ = ["scalarised"]

_RHO = 0.05


def scalarised(samples: Sequence[Sample], rng: np.random.Generator) -> list[Sample]:
    """The *samples* with the augmented Chebyshev norm of their losses as their loss.

    Each objective is scaled to [0, 1] over the samples; the weights are drawn uniformly
    from the simplex. Samples without losses stay as they are.

    Args:
        samples: At least one of them has losses.
        rng: What draws the weights.
    """
    table = np.array([sample.losses for sample in samples if sample.losses])
    low = table.min(axis=0)
    # As wide as a number can be at most: two of them may be further apart.
    spread = table.max(axis=0) / 2 - low / 2
    scaled = (table / 2 - low / 2) / np.where(spread > 0, spread, 1.0)
    weighed = scaled * rng.dirichlet(np.ones(table.shape[1]))
    scalars = iter(weighed.max(axis=1) + _RHO * weighed.sum(axis=1))
    return [
        replace(sample, loss=float(next(scalars))) if sample.losses else sample
        for sample in samples
    ]
