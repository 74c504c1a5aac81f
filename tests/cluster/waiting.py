"""Waiting for what comes in its own time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    check: Callable[[], T | Awaitable[T]], *, seconds: float = 60.0, every: float = 0.02
) -> T:
    """What *check* says when it first says something true."""
    ends = time.monotonic() + seconds
    while True:
        answer = check()
        value: T = await answer if isawaitable(answer) else answer  # type: ignore[assignment]
        if value:
            return value
        assert time.monotonic() < ends, f"not within {seconds} s: {check}"
        await asyncio.sleep(every)
