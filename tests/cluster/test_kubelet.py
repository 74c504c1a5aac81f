"""The double's Jobs and pods behave as a controller meets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from hpo_lab.cluster.api.client import ApiClient
from hpo_lab.cluster.api.resource import JOBS, PODS, Object
from tests.cluster.api_server import ApiServer, Kubelet, Outcome
from tests.cluster.waiting import eventually


def job(name: str, **spec: Any) -> Object:
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}
    template = {"metadata": {"labels": {"trial": name}}, "spec": pod}
    return {"metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": template, **spec}}


@asynccontextmanager
async def served() -> AsyncIterator[tuple[ApiServer, ApiClient]]:
    async with ApiServer() as server, ApiClient(server.credentials()) as client:
        yield server, client


def condition(server: ApiServer, name: str) -> tuple[str, str] | None:
    (found,) = server.objects.find("Job", "", lambda each: each["metadata"]["name"] == name)
    conditions = (found.get("status") or {}).get("conditions") or []
    return (conditions[0]["type"], conditions[0]["reason"]) if conditions else None


async def test_jobs_come_to_their_end() -> None:
    async with served() as (server, client):
        outcomes = {"good": Outcome(lines=("loss=1", "loss=2")), "bad": Outcome(exit_code=3)}
        kubelet = Kubelet(server, lambda pod: outcomes[pod["metadata"]["labels"]["trial"]])
        await client.create(JOBS, job("good"), "default")
        await client.create(JOBS, job("bad", backoffLimit=2), "default")
        await eventually(lambda: condition(server, "good") == ("Complete", ""))
        await eventually(lambda: condition(server, "bad") == ("Failed", "BackoffLimitExceeded"))
        assert len(kubelet.started) == 4
        pods = server.objects.find("Pod")
        assert sorted(pod["status"]["phase"] for pod in pods) == ["Failed"] * 3 + ["Succeeded"]
        good = next(pod["metadata"] for pod in pods if pod["status"]["phase"] == "Succeeded")
        assert good["ownerReferences"][0]["name"] == good["labels"]["job-name"] == "good"
        lines = [line async for line in client.logs(good["name"], "default")]
        assert lines == [b"loss=1", b"loss=2"]
        codes = {
            pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] for pod in pods
        }
        assert codes == {0, 3}


async def test_a_deleted_job_ends_its_pods_in_their_time() -> None:
    async with served() as (server, client):
        Kubelet(server, lambda pod: Outcome(exit_code=None, termination=0.1))
        await client.create(JOBS, job("a"), "default")
        await eventually(
            lambda: [p for p in server.objects.find("Pod") if p["status"]["phase"] == "Running"]
        )
        await client.delete(JOBS, "a", "default", propagation="Foreground")
        (pod,) = await eventually(
            lambda: [p for p in server.objects.find("Pod") if "deletionTimestamp" in p["metadata"]]
        )
        assert pod["status"]["phase"] == "Running"
        assert server.objects.find("Job")[0]["metadata"]["finalizers"] == ["foregroundDeletion"]
        await eventually(lambda: not server.objects.find("Pod"))
        await eventually(lambda: not server.objects.find("Job"))


async def test_limits_of_a_job_are_kept() -> None:
    async with served() as (server, client):
        codes = iter([75, 75, 0])
        outcomes = {
            "late": lambda: Outcome(exit_code=None),
            "idle": lambda: Outcome(),
            "again": lambda: Outcome(exit_code=next(codes)),
            "many": lambda: Outcome(seconds=0.05),
            "brief": lambda: Outcome(),
        }
        Kubelet(server, lambda pod: outcomes[pod["metadata"]["labels"]["trial"]](), capacity=3)
        ignored = {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [75]}}
        for document in (
            job("late", activeDeadlineSeconds=1),
            job("idle", suspend=True),
            job("again", podFailurePolicy={"rules": [ignored]}),
            job("many", completions=4, parallelism=2),
            job("brief", ttlSecondsAfterFinished=0),
        ):
            await client.create(JOBS, document, "default")
        await eventually(lambda: condition(server, "again") == ("Complete", ""))
        await eventually(lambda: condition(server, "many") == ("Complete", ""))
        await eventually(lambda: condition(server, "late") == ("Failed", "DeadlineExceeded"))
        await eventually(
            lambda: "brief" not in [job["metadata"]["name"] for job in server.objects.find("Job")]
        )
        assert condition(server, "idle") == ("Suspended", "JobSuspended")
        change: Object = {"spec": {"suspend": False}}
        await client.patch(JOBS, "idle", change, "default")
        await eventually(lambda: condition(server, "idle") == ("Complete", ""))


async def test_a_pod_that_is_taken_away_is_replaced() -> None:
    async with served() as (server, client):
        kubelet = Kubelet(server, lambda pod: Outcome(exit_code=None))
        await client.create(JOBS, job("a"), "default")
        await eventually(lambda: len(kubelet.started) == 1)
        await client.delete(PODS, kubelet.started[0], "default")
        await eventually(lambda: len(kubelet.started) == 2)
        assert condition(server, "a") is None
        await asyncio.sleep(0.05)
        assert len(server.objects.find("Pod")) == 1
