"""Waiting for a store that does not answer: a lock, a full disk, a server that restarts."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from hpo_lab.store import Store, StoreGone, StoreUnavailable, outage

__all__ = ["Retry", "say"]

Answer = TypeVar("Answer")

_LONGEST = 300.0
"""Seconds for which a store is waited for."""

_PAUSE = 0.5


class Retry:
    """Asks a store, and asks again while it is away.

    Attributes:
        is_spent: Whether the store was given up.
    """

    def __init__(self, store: Store, is_over: Callable[[], bool]) -> None:
        """Prepare.

        Args:
            store: The store.
            is_over: Whether there is no time to wait any longer, such as after a signal.
        """
        self.is_spent = False
        self.title = "it"
        self._store = store
        self._is_over = is_over

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """What *question* returns, which can be asked twice.

        Raises:
            StoreGone: The store was deleted or replaced.
            StoreUnavailable: It did not answer for minutes.
        """
        began = time.monotonic()
        has_told = False
        while True:
            try:
                answer = question()
            except Exception as error:
                reason = outage(error)
                self.check()
                if not reason:
                    raise
                self._wait(reason, began, has_told)
                has_told = True
            else:
                if has_told:
                    say("The store answers again")
                return answer

    def check(self) -> None:
        """Check that the store is the one that was opened.

        Raises:
            StoreGone: It is not.
        """
        if not self._store.is_there():
            self.is_spent = True
            raise StoreGone(
                f"the store {self._store} was deleted or replaced while {self.title} ran; what "
                "ran was ended, and nothing was recorded since"
            )

    def _wait(self, reason: str, began: float, has_told: bool) -> None:
        waited = time.monotonic() - began
        if waited > _LONGEST or self._is_over():
            self.is_spent = True
            resume = self._store.command(f"resume {self.title}")
            raise StoreUnavailable(
                f"the store {self._store} did not answer for {waited:.0f} seconds ({reason}); "
                f"what was recorded is whole, and goes on with: {resume}"
            )
        if not has_told:
            say(
                f"The store {self._store} does not answer ({reason}); it is asked again for up "
                f"to {_LONGEST / 60:.0f} minutes"
            )
        time.sleep(_PAUSE)


def say(text: str) -> None:
    """Print *text* to standard error, which may be on a full disk."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
