"""Never two leaders, and soon another when the leader is gone."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from hpo_lab.cluster.api.client import ApiClient
from hpo_lab.cluster.api.election import Election, LeadershipLost
from hpo_lab.cluster.api.resource import LEASES
from tests.cluster.api_server import ApiServer
from tests.cluster.waiting import eventually

DURATION, RENEW_WITHIN, RETRY_EVERY = 1.0, 0.6, 0.1


class Candidate:
    """A replica: its client, its election, and what it does while it leads."""

    def __init__(self, client: ApiClient, name: str) -> None:
        self.name = name
        self.works = False
        self.election = Election(
            *(client, "default", "controller", name),
            duration=DURATION,
            renew_within=RENEW_WITHIN,
            retry_every=RETRY_EVERY,
        )
        self.task = asyncio.ensure_future(self.election.run(self._work))

    async def _work(self) -> None:
        self.works = True
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.works = False

    @property
    def leads(self) -> bool:
        return self.works and self.election.is_leader

    async def stop(self) -> None:
        """End as after SIGTERM."""
        self.task.cancel()
        with suppress(asyncio.CancelledError, LeadershipLost):
            await self.task


@asynccontextmanager
async def candidates(*names: str) -> AsyncIterator[tuple[ApiServer, list[Candidate]]]:
    """Candidates whose client tells the server by its name who asks."""
    async with ApiServer() as server:
        clients = [ApiClient(server.credentials(), field_manager=name) for name in names]
        for client in clients:
            await client.__aenter__()
        all_of_them = [Candidate(*pair) for pair in zip(clients, names, strict=True)]
        watching = asyncio.ensure_future(_never_two(all_of_them))
        try:
            yield server, all_of_them
            assert not watching.done() or watching.exception() is None, watching.exception()
        finally:
            watching.cancel()
            server.faults.clear()
            for candidate in all_of_them:
                await candidate.stop()
            for client in clients:
                await client.__aexit__(None, None, None)


async def _never_two(all_of_them: list[Candidate]) -> None:
    while True:
        leaders = [candidate.name for candidate in all_of_them if candidate.election.is_leader]
        assert len(leaders) <= 1, leaders
        await asyncio.sleep(0.001)


def leader(all_of_them: list[Candidate]) -> Candidate | None:
    return next((candidate for candidate in all_of_them if candidate.leads), None)


def cut_off(server: ApiServer, *names: str) -> None:
    """Have the server not answer these candidates."""
    server.faults.is_cut_off = lambda user_agent: user_agent.split()[-1] in names


async def test_a_single_candidate_leads_and_the_others_see_it() -> None:
    async with candidates("a", "b", "c") as (server, all_of_them):
        first = await eventually(lambda: leader(all_of_them))
        await eventually(lambda: {each.election.leader for each in all_of_them} == {first.name})
        (lease,) = server.objects.find("Lease")
        spec = lease["spec"]
        assert (spec["holderIdentity"], spec["leaseDurationSeconds"]) == (first.name, 1)
        renewed = spec["renewTime"]
        await eventually(lambda: server.objects.find("Lease")[0]["spec"]["renewTime"] > renewed)
        await asyncio.sleep(2 * DURATION)
        assert leader(all_of_them) is first
        spec = server.objects.find("Lease")[0]["spec"]
        assert spec["leaseTransitions"] == 0
        assert spec["acquireTime"] < spec["renewTime"]


async def test_a_leader_that_ends_releases_the_lease() -> None:
    async with candidates("a", "b") as (server, all_of_them):
        first = await eventually(lambda: leader(all_of_them))
        released = time.monotonic()
        await first.stop()
        second = await eventually(lambda: leader(all_of_them))
        assert second is not first
        # It need not have waited for the lease's whole duration; both are of the same clock.
        assert second.election._renewed - released < DURATION
        assert server.objects.find("Lease")[0]["spec"]["leaseTransitions"] >= 1


async def test_a_leader_that_is_cut_off_loses_before_another_leads() -> None:
    async with candidates("a", "b") as (server, all_of_them):
        first = await eventually(lambda: leader(all_of_them))
        cut_off(server, first.name)
        await eventually(lambda: leader(all_of_them) not in (None, first))
        assert not first.works
        with pytest.raises(LeadershipLost, match=f"{first.name} could not renew"):
            await first.task


async def test_a_leader_that_is_killed_is_followed() -> None:
    async with candidates("a", "b") as (server, all_of_them):
        first = await eventually(lambda: leader(all_of_them))
        # Its process is gone: it neither releases nor renews.
        cut_off(server, first.name)
        await first.stop()
        all_of_them.remove(first)
        assert await eventually(lambda: leader(all_of_them)) is not first


async def hold(client: ApiClient, **spec: str | int) -> None:
    """Make a lease that was renewed by a clock far ahead."""
    spec["renewTime"] = "2100-01-01T00:00:00.000000Z"
    lease = {"metadata": {"name": "controller"}, "spec": spec}
    await client.create(LEASES, lease, "default")


async def test_who_starts_again_under_its_name_takes_its_own_lease() -> None:
    async with ApiServer() as server, ApiClient(server.credentials()) as client:
        await hold(client, holderIdentity="a", leaseDurationSeconds=3600, leaseTransitions=4)
        candidate = Candidate(client, "a")
        await eventually(lambda: candidate.leads)
        await candidate.stop()
        assert server.objects.find("Lease")[0]["spec"]["leaseTransitions"] == 4


async def test_a_clock_that_is_wrong_does_not_matter() -> None:
    async with ApiServer() as server, ApiClient(server.credentials()) as client:
        await hold(client, holderIdentity="gone", leaseDurationSeconds=1)
        candidate = Candidate(client, "a")
        await eventually(lambda: candidate.leads)
        await candidate.stop()


async def test_the_lease_is_kept_until_cancelled_work_is_over() -> None:
    async with ApiServer() as server, ApiClient(server.credentials()) as client:
        may_end = asyncio.Event()

        async def work() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                await may_end.wait()

        def holder() -> str:
            spec = server.objects.find("Lease")[0]["spec"]
            return f"{spec['holderIdentity']} {spec['renewTime']}"

        times = {"duration": 1.0, "renew_within": 0.6, "retry_every": 0.1}
        election = Election(client, "default", "controller", "a", **times)
        task = asyncio.ensure_future(election.run(work))
        await eventually(lambda: election.is_leader)
        task.cancel()
        before = holder()
        await eventually(lambda: holder() > before)
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert holder().startswith(" ")

        may_end.clear()
        task = asyncio.ensure_future(election.run(work))
        await eventually(lambda: election.is_leader)
        cut_off(server, "hpo-lab")
        # Work that does not end keeps nobody from exiting.
        with pytest.raises(LeadershipLost):
            await task
        server.faults.clear()
        may_end.set()


async def test_work_that_ends_ends_the_election() -> None:
    async with ApiServer() as server, ApiClient(server.credentials()) as client:
        election = Election(client, "default", "controller", "a")

        async def work() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await election.run(work)
        assert not election.is_leader
        assert server.objects.find("Lease")[0]["spec"]["holderIdentity"] == ""


@pytest.mark.parametrize("seed", range(2))
async def test_never_two_lead_whoever_is_cut_off(seed: int) -> None:
    chance = random.Random(seed)
    async with candidates("a", "b", "c") as (server, all_of_them):
        server.faults.internal = server.faults.lost = server.faults.lost_with_500 = 0.1
        leaders = set()
        for _ in range(8):
            cut_off(server, *(each.name for each in all_of_them if chance.random() < 0.4))
            await asyncio.sleep(chance.uniform(0.1, 1.0))
            now = leader(all_of_them)
            leaders.add(now.name if now else "")
            for place, candidate in enumerate(all_of_them):
                if candidate.task.done():  # its process ends, and is started again
                    candidate.task.exception()
                    all_of_them[place] = Candidate(candidate.election._client, candidate.name)
        server.faults.clear()
        assert await eventually(lambda: leader(all_of_them))
        assert leaders - {""}


def test_times_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="retry_every < renew_within < duration"):
        Election(None, "", "", "", duration=10, renew_within=10)  # type: ignore[arg-type]
