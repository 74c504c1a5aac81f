"""How fast, and how soon again: a limit of requests, and growing pauses."""

from __future__ import annotations

import asyncio
import random
import time

__all__ = ["BackOff", "RateLimit"]


class RateLimit:
    """A token bucket: *rate* requests a second for long, *burst* of them at once."""

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = 1 / rate
        self._most_ahead = (burst - 1) / rate
        self._due = 0.0

    async def take(self) -> None:
        """Wait for the turn of this request; turns are in the order of the calls."""
        now = time.monotonic()
        # The moment at which a bucket without burst would let this request pass.
        self._due = max(self._due + self._interval, now)
        delay = self._due - self._most_ahead - now
        if delay > 0:
            await asyncio.sleep(delay)


class BackOff:
    """Pauses that double from *first* to *longest* seconds, each shortened at random by up to half.

    The chance keeps clients apart that lost the same server at the same moment.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._failures = 0

    def next(self) -> float:
        """Seconds to wait after a further failure."""
        pause = min(self._first * 2.0 ** min(self._failures, 60), self._longest)
        self._failures += 1
        return pause * random.uniform(0.5, 1)

    def reset(self) -> None:
        """Begin with the first pause again."""
        self._failures = 0
