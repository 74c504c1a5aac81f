"""Rungs and brackets of successive halving as plain data.

A configuration climbs from rung to rung; of each rung the best `1 / eta` go on to the next,
which gives a trial `eta` times as much. Li et al., "Hyperband: A Novel Bandit-Based Approach
to Hyperparameter Optimization", JMLR 18, 2018, whose names `s`, `n` and `r` are used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Rung", "bracket", "hyperband", "levels"]

# 81 / 3**4 is to be 1 in floating point, too.
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Rung:
    """A place where configurations are compared.

    Attributes:
        size: How many trials it has.
        level: Which of the `levels` its trials get.
    """

    size: int
    level: int


def levels(least: float, most: float, eta: float) -> tuple[float, ...]:
    """The resources of the rungs: *most*, and *most* divided by powers of *eta*, ascending.

    Args:
        least: No level is below it; above 0.
        most: The highest level.
        eta: Above 1.
    """
    count = math.floor(math.log(most / least, eta) + _TOLERANCE) if most >= least else 0
    return tuple(most / eta**power for power in reversed(range(count + 1)))


def bracket(size: int, first: int, last: int, eta: float) -> tuple[Rung, ...]:
    """The rungs of one run of successive halving.

    Args:
        size: How many configurations it begins with.
        first: The level of its first rung.
        last: That of its last one.
        eta: One in so many goes on.
    """
    return tuple(
        Rung(max(1, math.floor(size / eta ** (level - first) + _TOLERANCE)), level)
        for level in range(first, last + 1)
    )


def hyperband(count: int, eta: float) -> tuple[tuple[Rung, ...], ...]:
    """The brackets of Hyperband over *count* levels, the one with the most rungs first.

    Bracket `s`, counted down, has `s + 1` rungs and begins with
    `n = ceil(count * eta**s / (s + 1))` configurations, so that all use about as much.
    """
    return tuple(
        bracket(math.ceil(count * eta**s / (s + 1) - _TOLERANCE), count - 1 - s, count - 1, eta)
        for s in reversed(range(count))
    )
