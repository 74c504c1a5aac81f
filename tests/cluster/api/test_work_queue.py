"""Keys wait once, are in work once, and are not forgotten."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress

import pytest

from hpo_lab.cluster.api.api_error import ApiError
from hpo_lab.cluster.api.work_queue import WorkQueue
from tests.cluster.waiting import eventually


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("seed", range(10))
async def test_every_key_is_in_work_once_and_after_it_was_added(seed: int) -> None:
    chance = random.Random(seed)
    queue: WorkQueue[int] = WorkQueue(pauses=(0.001, 0.01))
    wanted: Counter[int] = Counter()
    done: Counter[int] = Counter()
    in_work: set[int] = set()
    most = 0

    async def work(key: int) -> float | None:
        nonlocal most
        assert key not in in_work
        in_work.add(key)
        most = max(most, len(in_work))
        sees = wanted[key]
        try:
            await asyncio.sleep(chance.choice((0, 0.001, 0.003)))
            if chance.random() < 0.2:
                raise ApiError(409, "Conflict", "changed")
            if chance.random() < 0.1:
                return 0.002
        finally:
            in_work.discard(key)
        done[key] = max(done[key], sees)
        return None

    running = asyncio.ensure_future(queue.run(work, workers=4))
    for _ in range(400):
        key = chance.randrange(15)
        wanted[key] += 1
        if chance.random() < 0.3:
            queue.add_after(key, chance.choice((0, 0.001, 0.005)))
        else:
            queue.add(key)
        if chance.random() < 0.2:
            await asyncio.sleep(0.001)

    # What asked to be looked at again, with no new wish, may go on.
    await eventually(lambda: done == wanted)
    assert 1 < most <= 4
    assert queue.retries > 0
    assert queue.in_work <= 4
    await cancelled(running)


async def test_a_key_waits_once_and_again_when_it_is_added_during_its_work() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for key in ("a", "b", "a", "a"):
        queue.add(key)
    assert len(queue) == 2
    assert await queue.get() == "a"
    queue.add("a")
    queue.add("a")
    assert (len(queue), queue.in_work) == (2, 1)
    assert await queue.get() == "b"
    assert len(queue) == 1
    queue.done("a")
    assert await queue.get() == "a"
    queue.done("a")
    queue.done("b")
    assert (len(queue), queue.in_work) == (0, 0)


async def test_the_earliest_time_counts() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("a", 3600)
    queue.add_after("a", 0.01)
    queue.add_after("a", 1800)
    assert (len(queue), queue.delayed) == (0, 1)
    assert await queue.get() == "a"
    assert queue.delayed == 0


async def test_the_pause_after_a_failure_grows_and_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue: WorkQueue[str] = WorkQueue()
    pauses = []
    monkeypatch.setattr(queue, "add_after", lambda key, seconds: pauses.append(seconds))
    for _ in range(15):
        queue.retry("a")
    queue.forget("a")
    queue.retry("a")
    queue.retry("b")
    longest = [min(0.1 * 2**failures, 60) for failures in range(15)] + [0.1, 0.1]
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, longest, strict=True))


async def test_a_worker_outlives_work_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    queue: WorkQueue[str] = WorkQueue(pauses=(0.001, 0.001))
    tries: Counter[str] = Counter()

    async def work(key: str) -> None:
        tries[key] += 1
        if tries[key] < 3:
            raise ZeroDivisionError(key)

    running = asyncio.ensure_future(queue.run(work, workers=1))
    queue.add("a")
    queue.add("b")
    await eventually(lambda: tries == {"a": 3, "b": 3})
    assert queue.retries == 4
    assert "ZeroDivisionError: a" in caplog.text
    await cancelled(running)
