"""The parts together: a small controller makes a Job of each widget, and is killed meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import pytest

from hpo_lab.cluster.api.api_error import ApiError
from hpo_lab.cluster.api.client import ApiClient
from hpo_lab.cluster.api.election import Election, LeadershipLost
from hpo_lab.cluster.api.informer import Informer
from hpo_lab.cluster.api.pace import BackOff
from hpo_lab.cluster.api.resource import DEFINITIONS, JOBS, Key, Object, key_of, uid_of
from hpo_lab.cluster.api.work_queue import WorkQueue
from tests.cluster.api_server import ApiServer, Kubelet, Outcome
from tests.cluster.waiting import eventually
from tests.cluster.widgets import DEFINITION, WIDGETS, widget

COUNT = 150


class Controller:
    """Makes a Job of each widget; the widget's status says how it ended."""

    def __init__(self, server: ApiServer, name: str) -> None:
        self.name = name
        self._server = server
        self.requests: Counter[tuple[str, int]] = Counter()

    async def run(self) -> None:
        credentials = self._server.credentials()
        async with (
            ApiClient(credentials, field_manager=self.name, rate=2000, burst=2000) as client,
            ApiClient(credentials, field_manager=self.name) as electing,
        ):
            self.requests = client.requests
            self._client = client
            options = {"pauses": (0.01, 0.1)}
            self._widgets = Informer(client, WIDGETS.api_version, WIDGETS.kind, **options)  # type: ignore[arg-type]
            self._jobs = Informer(client, "batch/v1", "Job", **options)  # type: ignore[arg-type]
            self._queue: WorkQueue[Key] = WorkQueue(pauses=(0.01, 0.1))
            for informer in (self._widgets, self._jobs):
                informer.add_handler(
                    lambda before, after: self._queue.add(key_of(after or before or {}))
                )
            times = {"duration": 1.0, "renew_within": 0.6, "retry_every": 0.1}
            election = Election(electing, "default", "controller", self.name, **times)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._widgets.run())
                tasks.create_task(self._jobs.run())
                await self._widgets.synced.wait()
                await self._jobs.synced.wait()
                await election.run(lambda: self._queue.run(self._reconcile, workers=8))

    async def _reconcile(self, key: Key) -> None:
        namespace, name = key
        document = self._widgets.get(name, namespace)
        if document is None:
            return
        status = document.get("status") or {}
        if status.get("phase") == "Done":
            return
        job = self._jobs.get(name, namespace)
        if job is None:
            job = await self._create(document)
        succeeded = (job.get("status") or {}).get("succeeded")
        wanted = {"phase": "Done" if succeeded else "Running"}
        if wanted != status:
            applied: Object = {
                "metadata": {"name": name, "uid": uid_of(document)},
                "status": wanted,
            }
            after = await self._client.apply(WIDGETS, applied, namespace, subresource="status")
            self._widgets.remember(after)

    async def _create(self, document: Object) -> Object:
        namespace, name = key_of(document)
        owner = {
            **{"apiVersion": WIDGETS.api_version, "kind": WIDGETS.kind, "name": name},
            **{"uid": uid_of(document), "controller": True, "blockOwnerDeletion": True},
        }
        pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}
        job: Object = {
            "metadata": {"name": name, "ownerReferences": [owner]},
            "spec": {"backoffLimit": 0, "template": {"spec": pod}},
        }
        try:
            job = await self._client.create(JOBS, job, namespace)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            job = await self._client.get(JOBS, name, namespace)
        self._jobs.remember(job)
        return job


async def test_every_widget_gets_one_job_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = BackOff.next
    monkeypatch.setattr(BackOff, "next", lambda self: draw(self) / 20)
    async with ApiServer(bookmark_every=0.2) as server, ApiClient(server.credentials()) as client:
        await client.create(DEFINITIONS, DEFINITION)
        kubelet = Kubelet(server, lambda pod: Outcome(seconds=0.02), capacity=20)
        kind = server.objects.kind("Widget")
        for number in range(COUNT):
            server.objects.create(kind, "v1", "default", widget(f"w{number}"))
        faults = server.faults
        faults.too_many = faults.internal = faults.lost = 0.04
        faults.retry_after, faults.broken_watch = 0, 0.01
        replicas = [Controller(server, name) for name in "ab"]
        tasks = [asyncio.ensure_future(each.run()) for each in replicas]

        def is_done() -> bool:
            done = [
                each.get("status") == {"phase": "Done"} for each in server.objects.find("Widget")
            ]
            return all(done)

        kills = 0
        while not is_done():
            await asyncio.sleep(0.3)
            server.compact()
            place = kills % 2
            # As by kill -9: the lease is not released.
            name = replicas[place].name
            faults.is_cut_off = lambda user_agent, name=name: user_agent.endswith(f" {name}")
            tasks[place].cancel()
            with suppress(asyncio.CancelledError, ExceptionGroup, LeadershipLost):
                await tasks[place]
            faults.is_cut_off = lambda user_agent: False
            tasks[place] = asyncio.ensure_future(replicas[place].run())
            kills += 1
            assert kills < 100
        assert kills > 2
        pods = Counter(pod["metadata"]["labels"]["job-name"] for pod in server.objects.find("Pod"))
        assert len(pods) == COUNT and {*pods.values()} == {1}
        assert len(kubelet.started) == COUNT
        faults.clear()
        # Without anything to do, a controller that starts anew writes nothing.
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, ExceptionGroup, LeadershipLost):
                await task
        last = Controller(server, "c")
        task = asyncio.ensure_future(last.run())
        await eventually(lambda: server.objects.find("Lease")[0]["spec"]["holderIdentity"] == "c")
        await asyncio.sleep(0.3)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert {verb for verb, _ in last.requests} == {"discover", "list", "watch"}
