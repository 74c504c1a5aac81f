"""Whether a process can be forked and its fork go on: what a fork cannot take along.

A fork has a single thread, shares open files and connections with its parent, and cannot use a
GPU that the parent has initialised (https://docs.python.org/3/library/os.html#os.fork).
Thread pools for numerical work can be put away: OpenMP's by `omp_pause_resource_all`
(OpenMP 5.0, section 3.2.44); OpenBLAS and MKL put theirs away by themselves.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import stat
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

__all__ = ["descriptors", "fork_hazards", "put_pools_away"]

_OMP_PAUSE_HARD = 2
_OPENMP = re.compile(r"/[^/\s]*lib(?:gomp|iomp5|omp)[^/\s]*\.so[^/\s]*$", re.MULTILINE)
_PROBE_SECONDS = 20.0
_INLINE = ("inline", "agg", "svg", "pdf", "ps", "cairo", "template")


def descriptors() -> frozenset[int]:
    """The open descriptors of this process."""
    return frozenset(int(path.name) for path in Path("/proc/self/fd").iterdir())


def put_pools_away() -> None:
    """End idle threads that are made again when they are needed."""
    maps = Path("/proc/self/maps").read_text()
    for line in maps.splitlines():
        if _OPENMP.search(line):
            with contextlib.suppress(OSError, AttributeError):
                ctypes.CDLL(line.split(maxsplit=5)[5]).omp_pause_resource_all(_OMP_PAUSE_HARD)
    tqdm = sys.modules.get("tqdm")
    monitor = getattr(getattr(tqdm, "tqdm", None), "monitor", None)
    if monitor is not None:
        monitor.exit()
        tqdm.tqdm.monitor = None  # type: ignore[union-attr]


def fork_hazards(
    before: frozenset[int], pending_tasks: int, namespace: Mapping[str, Any] = MappingProxyType({})
) -> list[str]:
    """What the set-up left that a fork would break, in words; empty when it left nothing.

    Args:
        before: Descriptors that were open before the set-up.
        pending_tasks: How many asyncio tasks it left unfinished.
        namespace: The variables that it left.
    """
    hazards = []
    if pending_tasks:
        hazards.append(f"{pending_tasks} asyncio tasks are pending")
    pools = _pools(namespace)
    hazards += pools
    hazards += [
        f"the thread {thread.name!r} runs"
        for thread in threading.enumerate()
        if thread is not threading.main_thread() and not (pools and _is_of_a_pool(thread))
    ]
    hazards += _open_files(before)
    if _children() and not any("process" in pool for pool in pools):
        hazards.append("it started processes that still run")
    hazards += _libraries()
    if not hazards:
        # OpenBLAS ends its threads before a fork: those that run after it are of other libraries.
        hazards += _probe()
    if not hazards and (native := _threads() - threading.active_count()) > 0:
        several = f"{native} threads of a library run"
        hazards.append("a thread of a library runs" if native == 1 else several)
    return hazards


def _pools(namespace: Mapping[str, Any]) -> list[str]:
    """The pools of processes or threads that are open, by the names of their variables."""
    if not any(map(_is_of_a_pool, threading.enumerate())):
        return []
    pools = {}
    for name, value in namespace.items():
        kinds = [each.__name__ for each in type(value).__mro__]
        members = (getattr(value, each, None) for each in ("_pool", "_processes", "_threads"))
        if not any(members) or name.startswith("_"):
            continue
        if "ThreadPool" in kinds or "ThreadPoolExecutor" in kinds:
            pools[id(value)] = f"the thread pool {name!r} is open"
        elif "Pool" in kinds or "ProcessPoolExecutor" in kinds:
            pools[id(value)] = f"the process pool {name!r} is open"
    return list(pools.values())


def _is_of_a_pool(thread: threading.Thread) -> bool:
    target = getattr(thread, "_target", None) or type(thread)
    return str(target.__module__).startswith(("concurrent.futures", "multiprocessing"))


def _threads() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def _open_files(before: frozenset[int]) -> list[str]:
    hazards = []
    for number in sorted(descriptors() - before):
        try:
            target = str(Path(f"/proc/self/fd/{number}").readlink())
            mode = os.fstat(number).st_mode
            info = Path(f"/proc/self/fdinfo/{number}").read_text()
        except OSError:
            continue
        flags = int(info.split("flags:", 1)[1].split(None, 1)[0], 8)
        if stat.S_ISSOCK(mode):
            hazards.append("a network connection or socket is open")
        elif target.startswith("/dev/nvidia"):
            hazards.append("a GPU is in use")
        elif stat.S_ISREG(mode) and flags & os.O_ACCMODE != os.O_RDONLY:
            hazards.append(f"{target} is open for writing")
    return list(dict.fromkeys(hazards))


def _children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _libraries() -> list[str]:
    hazards = []
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    if cuda is not None and cuda.is_initialized():
        hazards.append("torch has initialised CUDA")
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        backend = str(pyplot.get_backend()).lower()
        if not backend.endswith(_INLINE):
            hazards.append(f"matplotlib's backend {backend!r} has windows")
    return hazards


def _probe() -> list[str]:
    """Try in a fork what hangs or fails in forks: thread pools and torch's backward."""
    child = os.fork()
    if child == 0:
        signal.alarm(int(_PROBE_SECONDS))
        try:
            _exercise()
        except BaseException:
            os._exit(1)
        os._exit(0)
    deadline = time.monotonic() + _PROBE_SECONDS
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return [] if status == 0 else ["numerical libraries do not work in a fork of it"]
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return ["numerical libraries hang in a fork of it"]


def _exercise() -> None:
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        square = numpy.ones((256, 256))
        square @ square
    torch = sys.modules.get("torch")
    if torch is not None:
        weights = torch.ones(1 << 17, requires_grad=True)
        (weights * 2).sum().backward()
