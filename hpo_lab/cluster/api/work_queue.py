"""What is to be looked at: each key once, however often it is named."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from hpo_lab.cluster.api.api_error import ApiError
from hpo_lab.cluster.api.pace import BackOff

__all__ = ["WorkQueue"]

K = TypeVar("K", bound=Hashable)

_log = logging.getLogger(__name__)


class WorkQueue(Generic[K]):
    """Keys that wait for a worker, of which each is waiting at most once and in work at most once.

    A key that is added while it is in work waits again when that work is done, since the work may
    have begun with what was there before. It belongs to the tasks of a single loop.

    Attributes:
        retries: How often work has failed and was put off.
    """

    def __init__(self, *, pauses: tuple[float, float] = (0.1, 60.0)) -> None:
        """Prepare.

        Args:
            pauses: Seconds until work that failed is done again: the first pause and the longest.
        """
        self.retries = 0
        self._pauses = pauses
        self._waiting: deque[K] = deque()
        self._is_waiting: set[K] = set()
        self._again: set[K] = set()
        self._in_work: set[K] = set()
        self._failures: dict[K, BackOff] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._ready = asyncio.Semaphore(0)

    def __len__(self) -> int:
        """How many keys wait for a worker."""
        return len(self._is_waiting) + len(self._again)

    @property
    def in_work(self) -> int:
        """How many keys are in work."""
        return len(self._in_work)

    @property
    def delayed(self) -> int:
        """How many keys wait for their time."""
        return len(self._timers)

    def add(self, key: K) -> None:
        """Have *key* looked at as soon as a worker is free."""
        if key in self._in_work:
            self._again.add(key)
        elif key not in self._is_waiting:
            self._is_waiting.add(key)
            self._waiting.append(key)
            self._ready.release()

    def add_after(self, key: K, seconds: float) -> None:
        """Have *key* looked at in some *seconds*, or before, if an earlier time was named."""
        loop = asyncio.get_running_loop()
        moment = loop.time() + seconds
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= moment:
                return
            timer.cancel()
        self._timers[key] = loop.call_at(moment, self._due, key)

    def retry(self, key: K) -> None:
        """Have *key*, whose work failed, looked at again after a pause, which doubles each time."""
        self.retries += 1
        pauses = self._failures.setdefault(key, BackOff(*self._pauses))
        self.add_after(key, pauses.next())

    def forget(self, key: K) -> None:
        """Note that the work of *key* did not fail: its next pause is the first again."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """The key that waits longest, which is in work until `done`."""
        await self._ready.acquire()
        key = self._waiting.popleft()
        self._is_waiting.discard(key)
        self._in_work.add(key)
        return key

    def done(self, key: K) -> None:
        """Note that the work of *key* is over."""
        self._in_work.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    async def run(self, work: Callable[[K], Awaitable[float | None]], *, workers: int = 16) -> None:
        """Have *workers* tasks work until cancelled.

        Args:
            work: Looks at a key; it may return seconds after which to look again. Where it raises,
                the key is looked at again after a pause.
            workers: Keys in work at once.
        """
        async with asyncio.TaskGroup() as tasks:
            for _ in range(workers):
                tasks.create_task(self._work(work))

    async def _work(self, work: Callable[[K], Awaitable[float | None]]) -> None:
        while True:
            key = await self.get()
            try:
                seconds = await work(key)
            except ApiError as error:
                _log.info("%s is tried again: %s", key, error)
                self.retry(key)
            except Exception:
                _log.exception("%s failed and is tried again", key)
                self.retry(key)
            else:
                self.forget(key)
                if seconds is not None:
                    self.add_after(key, seconds)
            finally:
                self.done(key)

    def _due(self, key: K) -> None:
        del self._timers[key]
        self.add(key)
