"""The event loop that is made when somebody uses it."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from hpo_lab.execution.loop import LateLoop, run_without_waiting


async def answer() -> int:
    return 42


async def wait() -> None:
    await asyncio.sleep(0.01)


def test_a_loop_that_nobody_uses_is_not_made() -> None:
    loop = LateLoop()

    assert run_without_waiting(loop, answer(), contextvars.copy_context()) == 42
    assert not loop.is_made


def test_threads_that_use_it_at_the_same_time_make_one() -> None:
    for _ in range(20):
        loop, barrier = LateLoop(), Barrier(4)
        called: list[int] = []

        def use(
            number: int,
            loop: LateLoop = loop,
            barrier: Barrier = barrier,
            called: list[int] = called,
        ) -> None:
            barrier.wait()
            loop.call_soon_threadsafe(called.append, number)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(use, range(4)))
        # A loop made again would have forgotten what it was to call.
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        assert sorted(called) == [0, 1, 2, 3]


def test_a_loop_made_inside_runs() -> None:
    loop = LateLoop()

    async def is_running() -> bool:
        return asyncio.get_running_loop().is_running()

    assert run_without_waiting(loop, is_running(), contextvars.copy_context())
    assert loop.is_made and not loop.is_running()
    loop.close()


def test_what_waits_is_an_error() -> None:
    loop = LateLoop()
    with pytest.raises(RuntimeError, match="waited"):
        run_without_waiting(loop, wait(), contextvars.copy_context())
    loop.close()
