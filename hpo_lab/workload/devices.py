"""Locks on the GPUs and ports of this machine, which trials must not share.

Each lock is a locked file in a folder of the user. So the trials of all experiments share a
single queue, and the locks of a killed trial are free at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

__all__ = ["gpus", "hold_gpus", "hold_port", "hold_ports"]

GPUS = "HPO_LAB_GPUS"
"""Environment variable with the GPUs that trials may use: `0,1`; none when empty."""

_POLL = 0.2
_RUNTIME = "/run/user/{}"
# Below the ports that Linux and macOS give to outgoing connections.
_PORTS = range(20_000, 32_000)


def gpus(environment: Mapping[str, str]) -> list[str]:
    """The GPUs that trials may use: `$HPO_LAB_GPUS`, `$CUDA_VISIBLE_DEVICES`, or all."""
    for name in (GPUS, "CUDA_VISIBLE_DEVICES"):
        if name in environment:
            return [index.strip() for index in environment[name].split(",") if index.strip()]
    try:
        listing = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return listing.split()


@contextlib.contextmanager
def hold_gpus(
    count: int, available: Sequence[str], on_wait: Callable[[], None]
) -> Iterator[tuple[str, ...]]:
    """Hold *count* of the GPUs *available*; waits until they are free.

    Args:
        count: The number of GPUs; 0 holds nothing.
        available: The GPUs of this machine, at least *count*.
        on_wait: Called once, when the GPUs are not free at first.
    """
    with contextlib.ExitStack() as held:
        waited = False
        while True:
            # Trials take turns, so that two trials never hold half of the GPUs that each needs.
            with _open("gpus") as turn:
                fcntl.flock(turn, fcntl.LOCK_EX)
                free: list[tuple[str, IO[str]]] = []
                for gpu in available if count else ():
                    lock = _try(f"gpu-{gpu.replace('/', '_')}")
                    if lock:
                        free.append((gpu, lock))
                enough = len(free) >= count
                for _, lock in free[count:] if enough else free:
                    lock.close()
            if enough:
                for _, lock in free[:count]:
                    held.enter_context(lock)
                break
            if not waited:
                waited = True
                on_wait()
            time.sleep(_POLL)
        yield tuple(gpu for gpu, _ in free[:count])


@contextlib.contextmanager
def hold_ports(count: int) -> Iterator[list[int]]:
    """Hold *count* free TCP ports of this machine that no other trial holds."""
    with contextlib.ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            port = random.choice(_PORTS)
            lock = _try(f"port-{port}")
            if lock is None:
                continue
            held.enter_context(_removed_after(f"port-{port}", lock))
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                ports.append(port)
        yield ports


@contextlib.contextmanager
def hold_port(port: int, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold *port*, on which a trial serves; waits until no other trial holds it."""
    waited = False
    while (lock := _try(f"port-{port}")) is None:
        if not waited:
            waited = True
            on_wait()
        time.sleep(_POLL)
    with _removed_after(f"port-{port}", lock):
        yield


@contextlib.contextmanager
def _removed_after(name: str, lock: IO[str]) -> Iterator[None]:
    """Hold the *lock* called *name*, and remove its file before it is free."""
    with lock:
        try:
            yield
        finally:
            _path(name).unlink(missing_ok=True)


def _try(name: str) -> IO[str] | None:
    """The locked file *name*; None while another process holds it."""
    while True:
        file = _open(name)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), _path(name).stat()):
                return file
        # The process that held it has removed it meanwhile.
        file.close()


def _open(name: str) -> IO[str]:
    # Nothing is emptied, and no link followed: others may write to the temporary folder.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(_path(name), flags, 0o600), "r+")


def _path(name: str) -> Path:
    return _folder() / f"{name}.lock"


def _folder() -> Path:
    """The folder of the user for locks, in the user's runtime folder where there is one.

    Raises:
        RuntimeError: Another user has made it, or can write to it.
    """
    user = os.getuid()
    runtime = Path(_RUNTIME.format(user))
    parent = runtime if _is_own(runtime) else Path(tempfile.gettempdir())
    folder = parent / f"hpo-lab-{user}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not _is_own(folder):
        raise RuntimeError(
            f"{folder} is no folder of this user alone, so that another user could empty files "
            "through it; remove it, or set TMPDIR"
        )
    return folder


def _is_own(folder: Path) -> bool:
    try:
        state = folder.lstat()
    except OSError:
        return False
    is_private = not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid() and is_private
