"""What goes wrong between a client and the double."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Faults:
    """Faults, drawn at random for each request; all may be changed at any time.

    Attributes:
        too_many: Share of requests answered with 429.
        retry_after: Seconds that a 429 names.
        internal: Share of requests answered with 500 and not carried out.
        lost: Share of writes that are carried out, and whose connection ends without a reply.
        lost_with_500: Share of writes that are carried out, and answered with 500.
        slow_watch: Seconds by which each event of a watch is late.
        broken_watch: Share of events of a watch after which its connection ends.
        silent_watches: Whether watches say nothing at all, not even bookmarks.
        forbidden: Verb and plural of what is answered with 403, such as `("watch", "jobs")`.
        is_cut_off: Whether the client of this user agent gets no answer, and nothing done.
        chance: Where the draws come from.
    """

    too_many: float = 0.0
    retry_after: int = 1
    internal: float = 0.0
    lost: float = 0.0
    lost_with_500: float = 0.0
    slow_watch: float = 0.0
    broken_watch: float = 0.0
    silent_watches: bool = False
    forbidden: set[tuple[str, str]] = field(default_factory=set)
    is_cut_off: Callable[[str], bool] = lambda user_agent: False
    chance: random.Random = field(default_factory=lambda: random.Random(0))

    def happens(self, share: float) -> bool:
        return share > 0 and self.chance.random() < share

    def clear(self) -> None:
        """Have all go well again."""
        chance = self.chance
        self.__init__()  # type: ignore[misc]
        self.chance = chance
