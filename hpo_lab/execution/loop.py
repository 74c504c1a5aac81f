"""An event loop that costs nothing until it is used."""

from __future__ import annotations

import asyncio
import threading
from asyncio import events
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

__all__ = ["LateLoop", "run_without_waiting"]

_Result = TypeVar("_Result")


class LateLoop(asyncio.SelectorEventLoop):
    """The event loop of a kernel, which makes its descriptors and the rest at its first use.

    In a kernel every cell runs inside of a loop, and few cells use it. To make a loop takes
    longer than a small trial runs, and a loop made before a fork would be shared by all forks.

    Attributes:
        is_made: Whether it has been used.
        held_by: The thread that runs something which may not know that it is in a loop.
    """

    is_made = False
    held_by: int | None = None
    _is_being_made = False

    def __init__(self) -> None:
        """Leave everything for later."""
        self._making = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        with self._making:
            if not self.is_made:
                if self._is_being_made:
                    raise AttributeError(name)
                self._is_being_made = True
                attributes = dict(self.__dict__)
                super().__init__()
                self.__dict__ |= attributes
                self._thread_id = self.held_by
                self.is_made = True
        return object.__getattribute__(self, name)

    def __del__(self) -> None:
        if self.is_made:
            super().__del__()


def run_without_waiting(
    loop: LateLoop, work: Coroutine[Any, Any, _Result], context: Context
) -> _Result:
    """Run in *loop* what never waits.

    Args:
        loop: Is only made if *work* asks for it; what it began then gets its turn afterwards.
        work: What to do.
        context: Its context variables, which it may change.
    """
    if loop.is_made:
        return loop.run_until_complete(loop.create_task(work, context=context))
    loop.held_by = threading.get_ident()
    events._set_running_loop(loop)
    try:
        context.run(work.send, None)
    except StopIteration as end:
        result: _Result = end.value
    else:
        raise RuntimeError("what was not to wait has waited")
    finally:
        events._set_running_loop(None)
        loop.held_by = None
        if loop.is_made:
            loop._thread_id = None
    if loop.is_made:
        loop.run_until_complete(asyncio.sleep(0))
    return result
