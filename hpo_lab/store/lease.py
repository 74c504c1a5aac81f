"""Who runs an experiment: at most one live runner, and the next one knows when it may take over.

A runner on this machine is judged by its process, so that a crashed one is replaced at
once and a suspended one is left alone; a runner elsewhere is judged by its heartbeat. A machine
is known by its boot and by its namespace of process ids, for containers and machines share names.
"""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Connection, Row, select, update

from hpo_lab.store.errors import NotFound
from hpo_lab.store.tables import experiments

__all__ = ["LEASE_SECONDS", "Lease", "Runner"]

LEASE_SECONDS = 30.0
"""A runner on another machine that was silent for longer is taken for dead."""

_TOLERANCE = 2.0
"""Seconds by which the start of a process may seem to move."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A process that runs experiments.

    Attributes:
        id: Unique among all runners there ever were.
        host: Its machine, see `this_machine`.
        pid: Process id there.
        started: When that process was created, in seconds since its machine was booted, or since
            the epoch where that is not known; tells it from a later process with the same id.
    """

    id: str
    host: str
    pid: int
    started: float

    @classmethod
    def current(cls) -> Runner:
        """A new runner in this process."""
        pid = os.getpid()
        return cls(uuid.uuid4().hex, this_machine(), pid, _started(psutil.Process(pid)))

    def is_running(self) -> bool:
        """Whether its process lives, as seen on its own machine; a zombie does not."""
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return abs(_started(process) - self.started) < _TOLERANCE
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True


def this_machine() -> str:
    """The name of this machine; on Linux with its boot and its namespace of process ids.

    Two containers of a machine have different namespaces, in which one process id means two
    processes; two machines may have the same name.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()} {boot} {namespace}"


def _is_same_machine(one: str, other: str) -> bool:
    # The name of a machine may change while it runs.
    return one.partition(" ")[2] == other.partition(" ")[2] if " " in other else one == other


def _started(process: psutil.Process) -> float:
    """When a process was created.

    Raises:
        psutil.NoSuchProcess: It has ended.
    """
    try:
        # Counted from the boot: a wall clock that is set moves the time that psutil computes.
        text = Path(f"/proc/{process.pid}/stat").read_text(errors="replace")
        return int(text.rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return process.create_time()


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run an experiment.

    Attributes:
        runner: Who holds it.
        since: When it was acquired, seconds since the epoch.
        heartbeat_at: When it was last renewed, seconds since the epoch.
    """

    runner: Runner
    since: float
    heartbeat_at: float

    def is_live(self, now: float) -> bool:
        """Whether its holder is alive at *now*, as far as can be told from this machine."""
        if _is_same_machine(self.runner.host, this_machine()):
            return self.runner.is_running()
        return now - self.heartbeat_at <= LEASE_SECONDS


def lease_of(row: Row[*tuple[Any, ...]]) -> Lease | None:
    """The lease in a row of `experiments`."""
    if row.runner is None:
        return None
    runner = Runner(row.runner, row.runner_host, row.runner_pid, row.runner_started)
    return Lease(runner, row.runner_since, row.heartbeat_at)


LEASE_COLUMNS = (
    experiments.c.runner,
    experiments.c.runner_host,
    experiments.c.runner_pid,
    experiments.c.runner_started,
    experiments.c.runner_since,
    experiments.c.heartbeat_at,
)
_NEXT = dict.fromkeys(("revision", "changed"), experiments.c.revision + 1)


def acquire(connection: Connection, uid: str, runner: Runner, now: float) -> bool:
    """Give *runner* the lease unless another live runner holds it."""
    this = experiments.c.uid == uid
    row = connection.execute(
        select(*LEASE_COLUMNS).where(this).with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise NotFound(f"no experiment with uid {uid!r}")
    held = lease_of(row)
    if held is not None and held.runner.id == runner.id:
        return renew(connection, uid, runner.id, now)
    if held is not None and held.is_live(now):
        return False
    # A dead runner is known to have run until its last heartbeat.
    ran = held.heartbeat_at - held.since if held else 0.0
    connection.execute(
        update(experiments)
        .where(this)
        .values(
            runner=runner.id,
            runner_host=runner.host,
            runner_pid=runner.pid,
            runner_started=runner.started,
            runner_since=now,
            heartbeat_at=now,
            elapsed_seconds=experiments.c.elapsed_seconds + ran,
            **_NEXT,
        )
    )
    return True


def renew(connection: Connection, uid: str, runner_id: str, now: float) -> bool:
    """Move the heartbeat to *now* when *runner_id* holds the lease."""
    result = connection.execute(
        update(experiments)
        .where(experiments.c.uid == uid, experiments.c.runner == runner_id)
        .values(heartbeat_at=now)
    )
    return result.rowcount == 1


def release(connection: Connection, uid: str, runner_id: str, now: float) -> bool:
    """Free the lease when *runner_id* holds it, and count its time."""
    result = connection.execute(
        update(experiments)
        .where(experiments.c.uid == uid, experiments.c.runner == runner_id)
        .values(
            elapsed_seconds=experiments.c.elapsed_seconds + (now - experiments.c.runner_since),
            **{column.name: None for column in LEASE_COLUMNS},
            **_NEXT,
        )
    )
    return result.rowcount == 1
