"""What a trial has reported of its objective, in the order of its steps."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from hpo_lab.experiment.model import MetricStrategyType

__all__ = ["Curve"]


@dataclass(frozen=True)
class Curve:
    """The values of one metric by step; a step has one value.

    Attributes:
        strategy: Which of several values counts: of those reported at one step, and of
            those up to a step.
        steps: Strictly ascending.
        values: One for each step; NaN and infinities are kept.
        reports: How many values were reported.
    """

    strategy: MetricStrategyType
    steps: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    reports: int = 0

    def then(self, reported: Iterable[tuple[int | None, float]]) -> Curve:
        """The curve continued by what was *reported*: steps and values in the order of time.

        A value without a step has the number of the report as its step, counted from 1.
        """
        count = self.reports
        steps, values = list(self.steps), list(self.values)
        for reported_step, value in reported:
            count += 1
            step = count if reported_step is None else reported_step
            if not steps or step > steps[-1]:
                steps.append(step)
                values.append(value)
                continue
            place = bisect_right(steps, step)
            if steps[place - 1] == step:
                values[place - 1] = self._pick(values[place - 1], value)
            else:
                steps.insert(place, step)
                values.insert(place, value)
        return Curve(self.strategy, tuple(steps), tuple(values), count)

    @property
    def last_step(self) -> int | None:
        """The highest step; None when nothing was reported."""
        return self.steps[-1] if self.steps else None

    def value(self, until: int | None = None) -> float | None:
        """The value that counts of those up to the step *until*, by the strategy.

        Returns:
            A finite number, or None when there is none.
        """
        end = self._end(until)
        value = self._counting[end - 1] if end else math.nan
        return value if math.isfinite(value) else None

    def best(self, *, minimize: bool) -> float | None:
        """The best of the finite values, None when there is none."""
        finite = [value for value in self.values if math.isfinite(value)]
        if not finite:
            return None
        return min(finite) if minimize else max(finite)

    def mean(self, until: int | None = None) -> float | None:
        """The mean of the finite values up to the step *until*, None when there is none."""
        end = self._end(until)
        total, count = self._sums[end]
        return total / count if count else None

    def _end(self, until: int | None) -> int:
        return len(self.steps) if until is None else bisect_right(self.steps, until)

    @cached_property
    def _sums(self) -> tuple[tuple[float, int], ...]:
        """Sum and number of the finite values before each place."""

        def add(before: tuple[float, int], value: float) -> tuple[float, int]:
            total, count = before
            return (total + value, count + 1) if math.isfinite(value) else before

        return tuple(accumulate(self.values, add, initial=(0.0, 0)))

    @cached_property
    def _counting(self) -> tuple[float, ...]:
        """The value that counts at each place."""
        return tuple(accumulate(self.values, self._pick))

    def _pick(self, before: float, value: float) -> float:
        if self.strategy is MetricStrategyType.LATEST:
            return value
        finite = [number for number in (before, value) if math.isfinite(number)]
        if not finite:
            return value
        return min(finite) if self.strategy is MetricStrategyType.MIN else max(finite)

    def __iter__(self) -> Iterator[tuple[int, float]]:
        """Pairs of step and value."""
        return zip(self.steps, self.values, strict=True)
