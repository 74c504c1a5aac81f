"""`sys.stdout` and `sys.stderr` of a notebook's cells, and file descriptors 1 and 2.

Follows `ipykernel.iostream.OutStream`: text is held per stream and sent when it is flushed,
when something is displayed, at the end of a cell, and after 0.2 seconds. Where a kernel
sends by a timer, here the next write sends what is older, which gives the same order.
What other code writes to the descriptors arrives through pipes, which are read by a thread,
so that no writer waits for a full pipe, and before every write, so that the order is kept.
"""

from __future__ import annotations

import _thread
import contextlib
import io
import os
import select
import threading
import time
from collections.abc import Callable

__all__ = ["Streams"]

_HOLD = 0.2
_TICK = 1.0
_CHUNK = 65536
_NAMES = {1: "stdout", 2: "stderr"}


class Streams:
    """Both streams of a process; the same objects serve it and its forks.

    Attributes:
        stdout, stderr: What `sys.stdout` and `sys.stderr` are to be.
        lock: Held while something is recorded.
        tick: Called about every second by the thread, with the lock held.
        log: Descriptor of the file that gets everything at once, as it is written.
    """

    def __init__(self, emit: Callable[[str, str], None], log: int) -> None:
        """Make the streams.

        Args:
            emit: Called with the stream's name and the text that is sent.
            log: Descriptor of the log.
        """
        self.log = log
        self.tick: Callable[[], None] = lambda: None
        self.lock = threading.RLock()
        self.stdout = _Stream(self, 1)
        self.stderr = _Stream(self, 2)
        self._emit = emit
        self._held: dict[int, list[str]] = {1: [], 2: []}
        self._since: dict[int, float] = {}
        self._owner = os.getpid()
        self._pipes: dict[int, int] = {}
        self._filled = select.poll()
        self._writing: list[int] = []
        self._saved: dict[int, int] = {}
        self._stop = -1
        self._reading = _thread.allocate_lock()

    def open(self) -> None:
        """Take descriptors 1 and 2 over; in a forked process anew."""
        self._owner = os.getpid()
        self.lock = threading.RLock()
        self._saved = {number: os.dup(number) for number in _NAMES}
        for number in _NAMES:
            reading, writing = os.pipe()
            os.set_blocking(reading, False)
            os.dup2(writing, number)
            self._pipes[reading] = number
            self._filled.register(reading, select.POLLIN)
            # Stays open, so that no pipe comes to its end while the thread waits for it.
            self._writing.append(writing)
        wake, self._stop = os.pipe()
        # Not by `threading`, whose threads are waited for until they run: that takes as long
        # as the processor is busy with other trials, and most trials are over before.
        self._reading = _thread.allocate_lock()
        self._reading.acquire()
        _thread.start_new_thread(self._read, (wake,))

    def close(self, *, last: bool = False) -> None:
        """Give the descriptors back; what is held is sent.

        Args:
            last: Whether the process is about to end, and the thread with it.
        """
        self.flush()
        for number, saved in self._saved.items():
            os.dup2(saved, number)
            os.close(saved)
        self._saved = {}
        if last:
            with self.lock:
                self.tick = lambda: None
            return
        # Not by closing it alone: a process that the cells started may have it open, too.
        os.write(self._stop, b"\0")
        os.close(self._stop)
        with self._reading:
            pass
        for descriptor in (*self._pipes, *self._writing):
            os.close(descriptor)
        self._filled = select.poll()
        self._pipes, self._writing = {}, []

    def flush(self) -> None:
        """Send everything that was written up to now, `stdout` first."""
        if os.getpid() != self._owner:
            return
        with self.lock:
            self._drain()
            for number in _NAMES:
                self._send(number)

    def flush_one(self, number: int) -> None:
        """Send what was written to a stream up to now."""
        # A process that the cell forked has written already, and must not read the pipes.
        if os.getpid() != self._owner:
            return
        with self.lock:
            self._drain()
            self._send(number)

    def write(self, number: int, text: str) -> None:
        """Take *text* written to a stream by this process or by a fork of it."""
        if os.getpid() != self._owner:
            # A process that the cell forked: its text arrives through the pipe.
            os.write(number, text.encode(errors="replace"))
            return
        with self.lock:
            self._drain()
            self._hold(number, text)

    def _hold(self, number: int, text: str) -> None:
        now = time.monotonic()
        for other in sorted(self._since, key=self._since.__getitem__):
            if now - self._since[other] >= _HOLD:
                self._send(other)
        self._since.setdefault(number, now)
        self._held[number].append(text)
        with contextlib.suppress(OSError):
            os.write(self.log, text.encode(errors="replace"))

    def _send(self, number: int) -> None:
        self._since.pop(number, None)
        text = "".join(self._held[number])
        self._held[number].clear()
        if text:
            self._emit(_NAMES[number], text)

    def _drain(self) -> None:
        """Take what is in the pipes now."""
        # Mostly there is nothing, which is asked at every write.
        for reading, _ in self._filled.poll(0):
            with contextlib.suppress(BlockingIOError):
                while data := os.read(reading, _CHUNK):
                    self._hold(self._pipes[reading], data.decode(errors="replace"))

    def _read(self, wake: int) -> None:
        # Not by `select`, which knows no descriptors from 1024 on.
        watched = select.poll()
        for descriptor in (wake, *self._pipes):
            watched.register(descriptor, select.POLLIN)
        while wake not in (ready := [number for number, _ in watched.poll(_TICK * 1000)]):
            with self.lock:
                self._drain()
                if not ready:
                    self.tick()
        os.close(wake)
        self._reading.release()


class _Stream(io.TextIOBase):
    """A stream as cells see it."""

    encoding = "UTF-8"

    def __init__(self, streams: Streams, number: int) -> None:
        self._streams = streams
        self._number = number
        self.name = _NAMES[number]

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._streams.write(self._number, text)
        return len(text)

    def flush(self) -> None:
        self._streams.flush_one(self._number)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        """The log: as in a kernel, `subprocess.run(..., stdout=sys.stdout)` goes past the cell."""
        return self._streams.log
