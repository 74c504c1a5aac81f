"""Runs a trial that is a Kubernetes job, as processes of this machine.

The primary replica prints into the trial's log, from which metrics are collected while the
replica runs. Every other replica has a log of its own. All replicas end with the primary.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from hpo_lab.collectors.source import Source, collector
from hpo_lab.collectors.stream import follow_file
from hpo_lab.trial.checkpoint import CHECKPOINT_DIR, checkpoint_folder
from hpo_lab.trial.folder import LOG, METRICS, Task, append_reports, open_own
from hpo_lab.trial.trial_kinds import TrialFailed
from hpo_lab.workload.container_engine import remove_containers
from hpo_lab.workload.container_process import Launch, container_process, gpu_demand
from hpo_lab.workload.devices import gpus, hold_gpus, hold_port, hold_ports
from hpo_lab.workload.ended_job import ended_job
from hpo_lab.workload.groups import end_groups, ending_by_signal
from hpo_lab.workload.paths import collected_folder, own_parents, translate
from hpo_lab.workload.pushing import push_addresses
from hpo_lab.workload.rendezvous import hostfile, ports_needed, rendezvous, started
from hpo_lab.workload.replicas import Replica, chosen, primary, replicas, retries
from hpo_lab.workload.served import served_url
from hpo_lab.workload.settings import WorkloadSettings
from hpo_lab.workload.shell_words import is_read_by_shell

__all__ = ["run_workload"]

_GRACE = 5.0
_GRACE_OF_CONTAINERS = 3.0
"""Less, so that the engine has killed them before this process is killed."""
_POLL = 0.05
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_TAIL_BYTES, _TAIL_LINES = 16_384, 30


@dataclass(frozen=True, slots=True)
class _End:
    """How the processes of a job ended; `message` names the process that failed."""

    code: int
    message: str = ""


def run_workload(task: Task, folder: Path) -> None:
    """Run the job of *task* until it has succeeded or failed.

    Raises:
        TrialFailed: The job failed, or cannot be run on this machine.
    """
    settings = WorkloadSettings(**task.workload)
    try:
        end = _Workload(task, settings, folder).run()
    except (ValueError, LookupError, RuntimeError) as error:
        raise TrialFailed(str(error)) from error
    _judge(task.trial_spec, settings, end, folder)


def _judge(job: Mapping[str, Any], settings: WorkloadSettings, end: _End, folder: Path) -> None:
    """Raise `TrialFailed` unless the trial template's conditions say that the job succeeded."""
    from hpo_lab.experiment.job_status import JobConditions, job_outcome

    status = ended_job(job, succeeded=end.code == 0, message=end.message)
    outcome = job_outcome(status, JobConditions(settings.success, settings.failure))
    if outcome is None:
        raise TrialFailed("it ended, and neither its success nor its failure condition holds")
    if not outcome.succeeded:
        raise TrialFailed(outcome.message or end.message, _tail(folder / LOG))


class _Workload:
    """A job with its replicas, the resources that they share, and their folders."""

    def __init__(self, task: Task, settings: WorkloadSettings, folder: Path) -> None:
        self._job = task.trial_spec
        self._trial = str(self._job["metadata"]["name"])
        self._metrics = task.metrics
        self._settings = settings
        self._folder = folder
        self._all = replicas(self._job)
        self._crew = started(task.kind, self._all)
        if not self._crew:
            raise ValueError(f"the {task.kind} has no launcher")
        self._primary = primary(self._crew, settings.pod_labels)
        self._pushing: Mapping[str, str] = {}
        self._failure: BaseException | None = None
        self._containers: set[str] = set()
        self._grace = _GRACE_OF_CONTAINERS if settings.runtime else _GRACE

    def run(self) -> _End:
        """Run the job, and run it again after a failure while its back-off limit allows."""
        with contextlib.ExitStack() as held:
            if self._settings.runtime:
                held.enter_context(ending_by_signal())
                held.callback(self._remove_containers)
            shares = self._hold_gpus(held)
            kind = str(self._job.get("kind"))
            ports = held.enter_context(hold_ports(ports_needed(kind, self._all)))
            url = ""
            if self._settings.collector == "PrometheusMetric":
                url, port = served_url(self._settings.http, self._container(self._primary))
                held.enter_context(hold_port(port, lambda: self._say(f"waiting for port {port}")))
            if self._settings.collector == "Push":
                addresses = (kind, self._settings.namespace, self._trial, self._folder)
                self._pushing = held.enter_context(push_addresses(*addresses))
            extra = rendezvous(self._job, self._all, ports)
            for retries_left in reversed(range(1 + retries(self._job))):
                end = self._attempt(extra, shares, url)
                if self._failure is not None:
                    raise RuntimeError(str(self._failure)) from self._failure
                if end.code == 0 or not retries_left:
                    return end
                self._say(f"{end.message}; running again, {retries_left} times at most")
        raise AssertionError("unreachable")

    def _container(self, replica: Replica) -> Mapping[str, Any]:
        return chosen(replica, self._settings.container)

    def _hold_gpus(self, held: contextlib.ExitStack) -> list[Sequence[str] | None]:
        """The GPUs of each started replica; None for a replica that asks for no GPU."""
        demands = [gpu_demand(self._container(replica)) for replica in self._crew]
        if len(self._crew) < len(self._all):
            # The launcher starts the other replicas, which then use the GPUs of their own.
            demands = [sum(gpu_demand(self._container(replica)) for replica in self._all)]
        available = gpus(os.environ) if any(demands) else []
        if available and sum(demands) > len(available):
            raise ValueError(f"it asks for {sum(demands)} GPUs; this machine has {len(available)}")
        if any(demands) and not available:
            self._say("this machine has no GPU; running without")
        count = sum(demands) if available else 0
        waiting = f"waiting until {count} of {len(available)} GPUs are free"
        free = iter(held.enter_context(hold_gpus(count, available, lambda: self._say(waiting))))
        return [
            [next(free) for _ in range(demand if available else 0)] if demand else None
            for demand in demands
        ]

    def _attempt(
        self, extra: Sequence[Mapping[str, str]], shares: Sequence[Sequence[str] | None], url: str
    ) -> _End:
        """Run every replica once, from a fresh file system."""
        launches: dict[int, Launch] = {}
        collected: dict[str, str] = {}
        for replica, share in zip(self._crew, shares, strict=True):
            places = self._places(replica)
            if replica is self._primary:
                collected = places
            variables = {**extra[replica.rank], **self._mpi()}
            for container in replica.init_containers:
                first = self._launch(container, replica, variables, places, share)
                if code := self._run_first(first):
                    return _End(code, f"an init container {_ended(first, code)}")
            container = self._container(replica)
            launches[replica.rank] = self._launch(container, replica, variables, places, share)
        with _log(self._folder) as log:
            start = os.fstat(log.fileno()).st_size
            running: dict[int, subprocess.Popen[bytes]] = {}
            try:
                for replica in self._crew:
                    running[replica.rank] = self._start(replica, launches[replica.rank], log)
                return self._watch(running, launches, collected, url, start)
            finally:
                end_groups(running.values(), self._grace)

    def _watch(
        self,
        running: Mapping[int, subprocess.Popen[bytes]],
        launches: Mapping[int, Launch],
        places: Mapping[str, str],
        url: str,
        start: int,
    ) -> _End:
        """Collect metrics until the primary has ended, or another replica has failed."""
        main = running[self._primary.rank]
        ended = threading.Event()
        source = Source(
            metrics=self._metrics,
            output=follow_file(self._folder / LOG, ended, start),
            ended=ended,
            is_whole=lambda: 0 <= main.wait() < 128,
            formats=tuple(self._settings.formats),
            path=Path(self._collected(places)),
            is_json=self._settings.is_json,
            url=url,
            start=lambda: self._start_collector(places),
        )
        collecting = threading.Thread(target=self._collect, args=(source,), name="collector")
        collecting.start()
        try:
            end = _first_end(running, launches, self._primary.rank)
        finally:
            end_groups(running.values(), self._grace)
            ended.set()
            collecting.join()
        return end

    def _collect(self, source: Source) -> None:
        try:
            for batch in collector(self._settings.collector)(source):
                if batch:
                    append_reports(f"{self._folder}/{METRICS}", batch)
        except Exception as error:
            self._failure = error

    def _places(self, replica: Replica) -> dict[str, str]:
        """Folders of this machine by path in a replica's containers; makes the collected folder."""
        root = self._own_folder(replica) / "root"
        shutil.rmtree(root, ignore_errors=True)
        places = dict(self._settings.paths)
        checkpoint = checkpoint_folder(self._folder)
        if self._settings.checkpoint:
            places[self._settings.checkpoint] = checkpoint
        if self._settings.runtime:
            places[checkpoint] = checkpoint
        if self._pushing and self._settings.runtime:
            places[_ACCOUNT] = str(self._account())
        if self._settings.path:
            shared = collected_folder(self._settings.path, is_directory=self._settings.is_directory)
            place = root / shared.lstrip("/")
            is_file = shared == self._settings.path and not self._settings.is_directory
            (place.parent if is_file else place).mkdir(parents=True)
            places[shared] = str(place)
            if not self._settings.runtime:
                mounted = [
                    str(mount["mountPath"])
                    for container in (*replica.init_containers, *replica.containers)
                    for mount in container.get("volumeMounts") or ()
                ]
                for parent in own_parents(shared, [*self._settings.paths, *mounted]):
                    places.setdefault(parent, str(root / parent.lstrip("/")))
        return places

    def _account(self) -> Path:
        """The folder of a pod's account, with the namespace file that Katib's SDK reads."""
        folder = self._folder / "account"
        folder.mkdir(exist_ok=True)
        (folder / "namespace").write_text(self._settings.namespace)
        return folder

    def _collected(self, places: Mapping[str, str]) -> str:
        return translate(self._settings.path.rstrip("/"), places)

    def _mpi(self) -> dict[str, str]:
        if self._job.get("kind") != "MPIJob":
            return {}
        hosts = self._folder / "hostfile"
        hosts.write_text(hostfile(self._job, self._all))
        return {
            "OMPI_MCA_orte_default_hostfile": str(hosts),
            "I_MPI_HYDRA_HOST_FILE": str(hosts),
            "HYDRA_HOST_FILE": str(hosts),
            "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        }

    def _launch(
        self,
        container: Mapping[str, Any],
        replica: Replica,
        variables: Mapping[str, str],
        places: Mapping[str, str],
        share: Sequence[str] | None,
    ) -> Launch:
        process = container_process(
            container,
            replica,
            self._settings,
            trial=self._trial,
            operator_variables={
                CHECKPOINT_DIR: checkpoint_folder(self._folder),
                **variables,
                **self._pushing,
                **self._metrics_path(places),
            },
            places=places,
            folder=self._own_folder(replica),
            gpus=share,
            by_shell=is_read_by_shell(
                container, replica, self._settings, is_primary=replica is self._primary
            ),
        )
        for note in process.notes:
            self._say(note)
        if process.container:
            # What an attempt has left that was killed, with whoever would have ended it.
            remove_containers(self._settings.runtime, [process.container])
            self._containers.add(process.container)
        return process

    def _metrics_path(self, places: Mapping[str, str]) -> dict[str, str]:
        path = self._collected(places)
        return {"HPO_LAB_METRICS_PATH": path} if path else {}

    def _own_folder(self, replica: Replica) -> Path:
        """The replica's folder; only the primary has the trial's folder, for `report()`."""
        if replica is self._primary:
            return self._folder
        folder = self._folder / replica.name
        folder.mkdir(exist_ok=True)
        return folder

    def _remove_containers(self) -> None:
        """Have the containers gone that have outlived the engine's program."""
        if self._containers:
            remove_containers(self._settings.runtime, sorted(self._containers))

    def _start(self, replica: Replica, process: Launch, log: IO[bytes]) -> subprocess.Popen[bytes]:
        if replica is self._primary:
            return _started(process, log)
        with _log(self._own_folder(replica)) as own:
            return _started(process, own)

    def _run_first(self, first: Launch) -> int:
        with _log(self._folder) as log:
            process = _started(first, log)
            try:
                return process.wait()
            finally:
                end_groups([process], self._grace)

    def _start_collector(self, places: Mapping[str, str]) -> subprocess.Popen[bytes]:
        container = self._settings.custom
        collector_process = self._launch(container, self._primary, {}, places, None)
        with _log(self._folder) as log:
            return _started(collector_process, subprocess.PIPE, log)

    def _say(self, text: str) -> None:
        with _log(self._folder) as log:
            log.write(f"hpo-lab: {text}\n".encode())


def _started(
    launch: Launch, output: IO[bytes] | int, errors: IO[bytes] | int = subprocess.STDOUT
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        launch.words,
        cwd=launch.directory,
        env=launch.environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=True,
    )


def _first_end(
    running: Mapping[int, subprocess.Popen[bytes]], launches: Mapping[int, Launch], main: int
) -> _End:
    """Wait until the primary ends or another replica fails."""
    if len(running) == 1:
        running[main].wait()
    while True:
        for rank, process in running.items():
            code = process.poll()
            if code is not None and (rank == main or code != 0):
                return _End(code, "" if code == 0 else _ended(launches[rank], code))
        time.sleep(_POLL)


def _ended(launch: Launch, code: int) -> str:
    number = -code if code < 0 else code - 128 if code > 128 else 0
    name = signal.Signals(number).name if number in {*signal.Signals} else ""
    how = f"was killed by {name}" if name else f"ended with code {code}"
    return f"{launch.name}: {Path(launch.words[0]).name} {how}"


@contextlib.contextmanager
def _log(folder: Path) -> Iterator[IO[bytes]]:
    """The trial's log, to append to."""
    descriptor = open_own(f"{folder}/{LOG}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with os.fdopen(descriptor, "ab", buffering=0) as log:
        yield log


def _tail(path: Path) -> str:
    """The last lines of a log, which usually explain a failure."""
    with os.fdopen(open_own(str(path), os.O_RDONLY), "rb") as log:
        log.seek(max(0, os.fstat(log.fileno()).st_size - _TAIL_BYTES))
        return "\n".join(log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:])
