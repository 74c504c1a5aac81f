"""Suggestions computed in processes of their own: `python -m hpo_lab.katib_api.apart FD DATA`.

A search may take minutes and all the memory there is, as its settings and its trials say. In a
process of its own it holds up no other request, and it is killed where it takes too long.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

import grpc

from hpo_lab.katib_api.checkpoints import DATA
from hpo_lab.katib_api.protobuf import method_classes
from hpo_lab.katib_api.rpc import RpcRefused, Services, answered
from hpo_lab.katib_api.suggestion import SERVICE, suggestion_service
from hpo_lab.trial.processes import end_with_parent

__all__ = ["suggestions_apart"]

_AT_ONCE = 4
_WAITING = 4
_MEMORY = 8 * 2**30
_OK = "OK"


@contextmanager
def suggestions_apart(data: Path = DATA, *, seconds: float = 60.0) -> Iterator[Services]:
    """The service of suggestions, for `rpc.serving`, while the context lasts.

    Args:
        data: The volume that trials share.
        seconds: The longest time for an answer.
    """
    workers = _Workers(data, seconds)
    try:
        yield {
            SERVICE: {
                method: partial(workers.ask, method) for method in suggestion_service()[SERVICE]
            }
        }
    finally:
        workers.close()


class _Worker:
    """A process that answers one request after the other."""

    def __init__(self, data: Path) -> None:
        self.connection, theirs = Pipe()
        with theirs:
            words = [sys.executable, "-P", "-m", __name__, str(theirs.fileno()), str(data)]
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True
            )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class _Workers:
    """At most `_AT_ONCE` workers, of which a single one is kept for later requests."""

    def __init__(self, data: Path, seconds: float) -> None:
        self._data = data
        self._seconds = seconds
        self._admitted = BoundedSemaphore(_AT_ONCE + _WAITING)
        self._slots = BoundedSemaphore(_AT_ONCE)
        self._lock = Lock()
        self._busy: set[_Worker] = set()
        self._free: list[_Worker] = [_Worker(data)]
        self._is_closed = False

    def ask(self, method: str, request: Any) -> Any:
        """The reply of a worker.

        Raises:
            RpcRefused: The worker refused, took too long or died, or too many requests wait.
        """
        # Those that wait take threads, of which some are for the probes.
        if not self._admitted.acquire(blocking=False):
            raise RpcRefused(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"{_AT_ONCE + _WAITING} requests are being answered; ask again",
            )
        try:
            if not self._slots.acquire(timeout=self._seconds):
                raise self._late()
            try:
                code, payload = self._answer(f"{method}\n".encode() + request.SerializeToString())
            finally:
                self._slots.release()
        finally:
            self._admitted.release()
        if code != _OK:
            raise RpcRefused(grpc.StatusCode[code], payload.decode(errors="replace"))
        return method_classes(SERVICE)[method][1].FromString(payload)

    def _answer(self, question: bytes) -> tuple[str, bytes]:
        worker = self._take()
        try:
            worker.connection.send_bytes(question)
            if not worker.connection.poll(self._seconds):
                raise self._late()
            code, _, payload = worker.connection.recv_bytes().partition(b"\n")
        except BaseException as error:
            with self._lock:
                self._busy.discard(worker)
            worker.kill()
            if isinstance(error, EOFError | OSError):
                reason = "the search ended its process, which may have needed too much memory"
                raise RpcRefused(grpc.StatusCode.RESOURCE_EXHAUSTED, reason) from None
            raise
        with self._lock:
            self._busy.discard(worker)
            is_kept = not self._free and not self._is_closed
            if is_kept:
                self._free.append(worker)
        if not is_kept:
            worker.kill()
        return code.decode(), payload

    def _take(self) -> _Worker:
        with self._lock:
            if self._is_closed:
                raise RpcRefused(grpc.StatusCode.UNAVAILABLE, "the service ends")
            worker = self._free.pop() if self._free else _Worker(self._data)
            if not worker.is_alive:
                # The kernel, short of memory, may have ended it while nobody asked.
                worker = _Worker(self._data)
            self._busy.add(worker)
        return worker

    def _late(self) -> RpcRefused:
        reason = f"there is no answer within {self._seconds:g} seconds"
        return RpcRefused(grpc.StatusCode.DEADLINE_EXCEEDED, reason)

    def close(self) -> None:
        """End every worker; who waits for an answer is told that there is none."""
        with self._lock:
            self._is_closed = True
            workers = [*self._busy, *self._free]
            self._free.clear()
        for worker in workers:
            worker.kill()


def _serve(connection: Connection, data: Path) -> None:
    """Answer what comes over *connection* until it closes."""
    functions: dict[str, Callable[[Any], Any]] = {**suggestion_service(data)[SERVICE]}
    classes = method_classes(SERVICE)
    with suppress(EOFError):
        while True:
            name, _, message = connection.recv_bytes().partition(b"\n")
            method = name.decode()
            try:
                reply = answered(functions[method], classes[method][0].FromString(message))
                code, payload = _OK, reply.SerializeToString()
            except RpcRefused as error:
                code, payload = error.code.name, error.reason.encode(errors="replace")
            connection.send_bytes(f"{code}\n".encode() + payload)


if __name__ == "__main__":
    end_with_parent(9)
    # The kernel takes this process before the one that serves.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    _serve(Connection(int(sys.argv[1])), Path(sys.argv[2]))
