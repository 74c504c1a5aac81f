"""A Job controller and a node in a few lines: Jobs become pods, which come to a chosen end.

    Kubelet(server, lambda pod: Outcome(seconds=0.2, exit_code=1, lines=("loss=0.5",)))

It keeps parallelism, completions, backoffLimit, activeDeadlineSeconds, suspend, podFailurePolicy,
podReplacementPolicy and ttlSecondsAfterFinished. A pod is told to end by its deletion, and ends
`Outcome.termination` seconds later. Pods that no Job made run as well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.cluster.api_server.objects import now
from tests.cluster.api_server.refusal import Refusal
from tests.cluster.api_server.storage import Change, Key, Object, owner_uids

if TYPE_CHECKING:
    from tests.cluster.api_server.server import ApiServer

_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Outcome:
    """What becomes of a pod.

    Attributes:
        seconds: How long it runs.
        exit_code: With what it ends; None if it runs until it is deleted.
        lines: What it prints while it runs, at equal distances.
        pending: Seconds before it runs.
        message: What it writes to its termination log.
        termination: Seconds that it takes to end when it is deleted.
    """

    seconds: float = 0.0
    exit_code: int | None = 0
    lines: tuple[str, ...] = ()
    pending: float = 0.0
    message: str = ""
    termination: float = 0.0


class Kubelet:
    """Runs the Jobs and pods of a server, from the loop that makes it on.

    Attributes:
        started: The names of all pods that ever ran, in their order.
        most: The largest number of pods that ran at once.
    """

    def __init__(
        self,
        server: ApiServer,
        outcome: Callable[[Object], Outcome] = lambda pod: Outcome(),
        *,
        capacity: int | None = None,
    ) -> None:
        """Take up what is there.

        Args:
            server: Its objects.
            outcome: What becomes of a pod.
            capacity: How many pods run at once; None for any number.
        """
        self.started: list[str] = []
        self.most = 0
        self._server = server
        self._objects = server.objects
        self._storage = server.objects.storage
        self._outcome = outcome
        self._room = asyncio.Semaphore(capacity or 1_000_000)
        self._running: dict[str, tuple[asyncio.Task[None], Outcome]] = {}
        self._at_once = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._jobs, self._pods = (self._objects.kind(name) for name in ("Job", "Pod"))
        self._storage.listeners.append(self._note)
        for key in self._storage.objects[self._jobs.id]:
            self._later(0, self._sync_job, key)

    def _note(self, kind_id: str, change: Change) -> None:
        if kind_id == self._jobs.id:
            self._later(0, self._sync_job, change.key)
        elif kind_id == self._pods.id:
            self._later(0, self._sync_pod, change.key, change.last["metadata"]["uid"])
            for uid in owner_uids(change.last):
                owner_kind, owner = self._storage.uids.get(uid, ("", ("", "")))
                if owner_kind == self._jobs.id:
                    self._later(0, self._sync_job, owner)

    def _later(self, seconds: float, work: Callable[..., None], *arguments: Any) -> None:
        asyncio.get_running_loop().call_later(seconds, work, *arguments)

    def _sync_job(self, key: Key) -> None:
        job = self._storage.objects[self._jobs.id].get(key)
        if job is None or "deletionTimestamp" in job["metadata"]:
            return
        spec, status = job["spec"], job.get("status") or {}
        pods = [self._storage.objects[kind][place] for kind, place in self._owned(job)]
        active = [pod for pod in pods if pod["status"]["phase"] not in _ENDED]
        if any(each["type"] in ("Complete", "Failed") for each in status.get("conditions", ())):
            for pod in active:
                self._delete(self._pods, pod)
            if "ttlSecondsAfterFinished" in spec:
                self._later(spec["ttlSecondsAfterFinished"], self._delete, self._jobs, job)
            return
        if spec.get("suspend"):
            for pod in active:
                self._delete(self._pods, pod)
            self._write(job, {"active": 0, "conditions": [_condition("Suspended", "JobSuspended")]})
            return
        wanted = spec.get("completions") or spec.get("parallelism") or 1
        succeeded = sum(pod["status"]["phase"] == "Succeeded" for pod in pods)
        actions = [_action(spec, pod) for pod in pods if pod["status"]["phase"] == "Failed"]
        failed = sum(action != "Ignore" for action in actions)
        since = status.get("startTime") or now()
        new = {"startTime": since, "active": len(active), "succeeded": succeeded, "failed": failed}
        limit = spec.get("activeDeadlineSeconds")
        left = 1.0 if limit is None else limit - (time.time() - _seconds(since))
        if succeeded >= wanted:
            new |= {"completionTime": now(), "conditions": [_condition("Complete", "")]}
        elif left <= 0:
            new["conditions"] = [_condition("Failed", "DeadlineExceeded")]
        elif "FailJob" in actions:
            new["conditions"] = [_condition("Failed", "PodFailurePolicy")]
        elif failed > spec.get("backoffLimit", 6):
            new["conditions"] = [_condition("Failed", "BackoffLimitExceeded")]
        else:
            ending = [pod for pod in active if "deletionTimestamp" in pod["metadata"]]
            missing = min(spec.get("parallelism", 1), wanted - succeeded) - len(active)
            if spec.get("podReplacementPolicy") != "Failed":
                missing += len(ending)
            for _ in range(missing):
                self._create_pod(job)
            new["active"] += max(missing, 0)
            if limit is not None and not status:
                self._later(limit, self._sync_job, key)
        self._write(job, {name: value for name, value in new.items() if value})

    def _owned(self, job: Object) -> list[tuple[str, Key]]:
        places = self._storage.dependents.get(job["metadata"]["uid"], set())
        return [place for place in places if place[0] == self._pods.id]

    def _create_pod(self, job: Object) -> None:
        template, metadata = job["spec"]["template"], job["metadata"]
        given = template.get("metadata") or {}
        labels = {"controller-uid": metadata["uid"], "job-name": metadata["name"]}
        labels |= {f"batch.kubernetes.io/{name}": value for name, value in labels.items()}
        owner = {
            **{"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"]},
            **{"uid": metadata["uid"], "controller": True, "blockOwnerDeletion": True},
        }
        pod = {
            "metadata": {
                "generateName": f"{metadata['name']}-",
                "labels": {**(given.get("labels") or {}), **labels},
                "annotations": given.get("annotations") or {},
                "ownerReferences": [owner],
            },
            "spec": {**template["spec"], "nodeName": "node-1"},
        }
        self._objects.create(self._pods, "v1", metadata["namespace"], pod, manager="kubelet")

    def _sync_pod(self, key: Key, uid: str) -> None:
        pod = self._storage.objects[self._pods.id].get(key)
        if pod is None or pod["metadata"]["uid"] != uid:
            if uid in self._running:
                self._running.pop(uid)[0].cancel()
        elif "deletionTimestamp" in pod["metadata"]:
            if uid in self._running:
                task, outcome = self._running.pop(uid)
                task.cancel()
                self._later(outcome.termination, self._end, key, uid)
        elif uid not in self._running and pod["status"]["phase"] == "Pending":
            outcome = self._outcome(pod)
            task = asyncio.get_running_loop().create_task(self._run(key, pod, outcome))
            self._running[uid] = (task, outcome)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, key: Key, pod: Object, outcome: Outcome) -> None:
        await asyncio.sleep(outcome.pending)
        async with self._room:
            self._at_once += 1
            self.most = max(self.most, self._at_once)
            self.started.append(key[1])
            try:
                self._tell(key, pod, "Running", {"running": {"startedAt": now()}})
                for line in outcome.lines:
                    await asyncio.sleep(outcome.seconds / len(outcome.lines))
                    self._server.logs.write(*key, line)
                if not outcome.lines:
                    await asyncio.sleep(outcome.seconds)
                if outcome.exit_code is None:
                    await asyncio.get_running_loop().create_future()
                else:
                    self._terminate(key, pod, outcome.exit_code, outcome.message)
            finally:
                self._at_once -= 1

    def _terminate(self, key: Key, pod: Object, exit_code: int, message: str) -> None:
        ended = {"exitCode": exit_code, "finishedAt": now(), "message": message}
        ended["reason"] = "Completed" if exit_code == 0 else "Error"
        self._tell(key, pod, "Succeeded" if exit_code == 0 else "Failed", {"terminated": ended})

    def _end(self, key: Key, uid: str) -> None:
        """Remove a pod that was told to end."""
        pod = self._storage.objects[self._pods.id].get(key)
        if pod is not None and pod["metadata"]["uid"] == uid:
            self._terminate(key, pod, 143, "")
            self._objects.delete(self._pods, key, grace=0)

    def _tell(self, key: Key, pod: Object, phase: str, state: Object) -> None:
        names = [each["name"] for each in pod["spec"]["containers"]]
        status = {
            "phase": phase,
            "startTime": pod["metadata"]["creationTimestamp"],
            "containerStatuses": [
                {"name": name, "restartCount": 0, "ready": phase == "Running", "state": state}
                for name in names
            ],
        }
        self._objects.update(
            *(self._pods, "v1", key),
            lambda document: {**document, "status": {**document["status"], **status}},
            subresource="status",
            manager="kubelet",
        )

    def _write(self, job: Object, status: Object) -> None:
        if status != job.get("status"):
            metadata = job["metadata"]
            self._objects.update(
                *(self._jobs, "v1", (metadata["namespace"], metadata["name"])),
                lambda document: {**document, "status": status},
                subresource="status",
                manager="job-controller",
            )

    def _delete(self, kind: Any, document: Object) -> None:
        metadata = document["metadata"]
        try:
            key = (metadata["namespace"], metadata["name"])
            self._objects.delete(kind, key, uid=metadata["uid"])
        except Refusal:
            pass  # it is gone


def _condition(name: str, reason: str) -> Object:
    return {"type": name, "status": "True", "reason": reason, "lastTransitionTime": now()}


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()


def _action(spec: Object, pod: Object) -> str:
    """What the Job does about a pod that has failed."""
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        codes = rule.get("onExitCodes")
        if codes:
            states = [each["state"] for each in pod["status"].get("containerStatuses", ())]
            code = next((each["terminated"]["exitCode"] for each in states), 0)
            if (code in codes["values"]) == (codes["operator"] == "In"):
                return str(rule["action"])
        for wanted in rule.get("onPodConditions") or ():
            for condition in pod["status"].get("conditions") or ():
                if condition["type"] == wanted["type"] and condition["status"] == "True":
                    return str(rule["action"])
    return "Count"
