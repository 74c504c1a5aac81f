"""An event loop that costs nothing where nobody uses it."""

from __future__ import annotations

import asyncio
import threading
from asyncio import events
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["LateLoop", "run_without_waiting"]

_Result = TypeVar("_Result")


class LateLoop(asyncio.SelectorEventLoop):
    """The event loop of a kernel, which makes its descriptors and the rest at its first use.

    In a kernel every cell runs inside of a loop, and few know. To make one takes longer than
    a small trial runs, and a loop that was made before a fork would be shared by all forks.
    """

    is_made = False

    def __init__(self) -> None:
        """Leave everything for later."""

    def __getattr__(self, name: str) -> Any:
        if self.is_made:
            raise AttributeError(name)
        self.is_made = True
        given = dict(self.__dict__)
        super().__init__()
        self.__dict__ |= given
        if events._get_running_loop() is self:
            self._thread_id = threading.get_ident()
        return getattr(self, name)

    def __del__(self) -> None:
        if self.is_made:
            super().__del__()


def run_without_waiting(loop: LateLoop, work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run in *loop* what never waits.

    Args:
        loop: Is only made if *work* asks for it; what it began then gets its turn afterwards.
        work: What to do.
    """
    if loop.is_made:
        return loop.run_until_complete(work)
    events._set_running_loop(loop)
    try:
        work.send(None)
    except StopIteration as end:
        result: _Result = end.value
    else:
        raise RuntimeError("a cell without `await` waited")
    finally:
        events._set_running_loop(None)
        if loop.is_made:
            loop._thread_id = None
    if loop.is_made:
        loop.run_until_complete(asyncio.sleep(0))
    return result
