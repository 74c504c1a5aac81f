"""The copy that follows the server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from hpo_lab.cluster.api.api_error import ApiError
from hpo_lab.cluster.api.client import ApiClient
from hpo_lab.cluster.api.informer import Informer
from hpo_lab.cluster.api.pace import BackOff
from hpo_lab.cluster.api.resource import DEFINITIONS, Object, key_of, version_of
from tests.cluster.api_server import ApiServer
from tests.cluster.waiting import eventually
from tests.cluster.widgets import DEFINITION, WIDGETS, widget


@asynccontextmanager
async def served(*, defined: bool = True) -> AsyncIterator[tuple[ApiServer, ApiClient]]:
    async with (
        ApiServer(bookmark_every=0.1) as server,
        ApiClient(server.credentials(), rate=10_000, burst=10_000) as client,
    ):
        if defined:
            await client.create(DEFINITIONS, DEFINITION)
        yield server, client


def informed(client: ApiClient, **options: Any) -> Informer:
    options = {"pauses": (0.01, 0.1), **options}
    return Informer(client, WIDGETS.api_version, WIDGETS.kind, **options)


@asynccontextmanager
async def running(informer: Informer) -> AsyncIterator[None]:
    task = asyncio.ensure_future(informer.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def state(documents: Any) -> dict[tuple[str, str], int]:
    return {key_of(each): version_of(each) for each in documents}


class Mirror:
    """What a handler knows, who refuses what does not fit to what it was told before."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}

    def __call__(self, before: Object | None, after: Object | None) -> None:
        key = key_of(after or before or {})
        assert self.objects.get(key) is before
        if after is None:
            del self.objects[key]
            return
        assert before is None or version_of(after) > version_of(before)
        self.objects[key] = after


@pytest.mark.parametrize("seed", range(6))
async def test_after_any_faults_the_copy_is_what_the_server_has(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    draw = BackOff.next
    monkeypatch.setattr(BackOff, "next", lambda self: draw(self) / 50)
    async with served() as (server, client):
        mirror = Mirror()
        informer = informed(client, labels={"kept": None}, seconds=(1, 2), silence=1.0)
        informer.add_handler(mirror)
        faults = server.faults
        faults.chance = chance
        faults.broken_watch, faults.internal, faults.lost = 0.05, 0.05, 0.05
        faults.too_many, faults.retry_after = 0.05, 0
        faults.slow_watch = 0.001
        async with running(informer):
            for step in range(150):
                name = f"w{chance.randrange(12)}"
                if chance.random() < 0.03:
                    server.compact()
                kept = {"kept": "yes"} if chance.random() < 0.8 else {"kept": None}
                change = {"metadata": {"labels": kept}, "spec": {"size": step}}
                document = {**widget(name, size=step), "metadata": {"name": name, "labels": kept}}
                if kept["kept"] is None:
                    document = widget(name, size=step)
                with suppress(ApiError):
                    match chance.randrange(4):
                        case 0:
                            informer.remember(await client.create(WIDGETS, document, "default"))
                        case 1:
                            informer.remember(await client.patch(WIDGETS, name, change, "default"))
                        case 2:
                            await client.delete(WIDGETS, name, "default")
                        case 3:
                            written = await client.patch(WIDGETS, name, change, "default")
                            await client.delete(WIDGETS, name, "default")
                            await asyncio.sleep(chance.choice((0, 0.05)))
                            informer.remember(written)
            faults.clear()

            def wanted() -> dict[tuple[str, str], int]:
                return state(
                    each
                    for each in server.objects.find("Widget")
                    if "kept" in (each["metadata"].get("labels") or {})
                )

            await eventually(lambda: state(informer) == wanted())
            await eventually(lambda: state(mirror.objects.values()) == wanted())
            # What was remembered and is gone has not come back.
            await asyncio.sleep(0.3)
            assert state(informer) == wanted()


async def test_what_is_written_is_seen_at_once_and_not_taken_back() -> None:
    async with served() as (server, client):
        informer = informed(client)
        server.faults.slow_watch = 0.05
        async with running(informer):
            await informer.synced.wait()
            first = await client.create(WIDGETS, widget("a", size=1), "default")
            second = await client.patch(WIDGETS, "a", {"spec": {"size": 2}}, "default")
            seen = []
            informer.add_handler(lambda before, after: seen.append(after))
            informer.remember(second)
            assert informer.get("a", "default") is seen[0]
            assert "managedFields" not in seen[0]["metadata"]
            informer.remember(first)
            await client.create(WIDGETS, widget("b"), "default")
            await eventually(lambda: informer.get("b", "default"))
            assert [each["metadata"]["name"] for each in seen] == ["a", "b"]
            assert "managedFields" in second["metadata"]


async def test_what_was_deleted_before_it_is_remembered_stays_gone() -> None:
    async with served() as (_, client):
        informer = informed(client)
        async with running(informer):
            await informer.synced.wait()
            created = await client.create(WIDGETS, widget("a"), "default")
            await client.delete(WIDGETS, "a", "default")
            await client.create(WIDGETS, widget("b"), "default")
            await eventually(lambda: informer.get("b", "default"))
            informer.remember(created)
            assert informer.get("a", "default") is None


async def test_what_does_not_belong_to_the_copy_is_not_remembered() -> None:
    async with served() as (_, client):
        informer = informed(client, namespace="kube-system", labels={"k": "1", "l": None})
        async with running(informer):
            await informer.synced.wait()
            for name, namespace, labels in (
                ("a", "default", {"k": "1", "l": "x"}),
                ("b", "kube-system", {"k": "2", "l": "x"}),
                ("c", "kube-system", {"k": "1"}),
                ("d", "kube-system", {"k": "1", "l": "x"}),
            ):
                informer.remember(await client.create(WIDGETS, widget(name, labels), namespace))
            assert state(informer).keys() == {("kube-system", "d")}


async def test_a_list_that_is_begun_again_tells_what_has_gone_and_come() -> None:
    async with served() as (server, client):
        for name in "abc":
            await client.create(WIDGETS, widget(name), "default")
        informer, mirror = informed(client), Mirror()
        informer.add_handler(mirror)
        async with running(informer):
            await informer.synced.wait()
            await server.stop()
            server.objects.delete(server.objects.kind("Widget"), ("default", "a"))
            server.objects.create(
                server.objects.kind("Widget"), "v1", "default", widget("d", size=1)
            )
            server.compact()
            await server.start()
            await eventually(lambda: {name for _, name in mirror.objects} == {*"bcd"})
            assert server.requests["list", "widgets"] == 2


async def test_a_server_that_starts_without_the_kind_takes_nothing_away() -> None:
    async with served() as (server, client):
        await client.create(WIDGETS, widget("a"), "default")
        informer, mirror = informed(client), Mirror()
        informer.add_handler(mirror)
        async with running(informer):
            await informer.synced.wait()
            kind = server.objects.kinds.pop("widgets.contract.hpolab.dev")
            server.objects.storage.wake()
            await eventually(lambda: informer.is_missing)
            assert len(informer) == len(mirror.objects) == 1
            server.objects.kinds[kind.id] = kind
            await eventually(lambda: not informer.is_missing)
            assert len(informer) == 1


async def test_a_broken_watch_goes_on_where_it_was() -> None:
    async with served() as (server, client):
        informer = informed(client, seconds=(1, 1))
        async with running(informer):
            await informer.synced.wait()
            server.faults.broken_watch = 0.5
            for name in "abcdefgh":
                await client.create(WIDGETS, widget(name), "default")
            await eventually(lambda: len(informer) == 8)
            await eventually(lambda: server.requests["watch", "widgets"] > 2)
            assert server.requests["list", "widgets"] == 1


async def test_a_kind_that_is_missing_is_waited_for_without_haste() -> None:
    async with served(defined=False) as (_, client):
        informer, mirror = informed(client, pauses=(0.05, 0.2)), Mirror()
        informer.add_handler(mirror)
        async with running(informer):
            await asyncio.sleep(0.6)
            assert informer.is_missing and not informer.synced.is_set()
            # Pauses of at least 0.025, 0.05, 0.1, 0.1, ... seconds.
            assert client.requests["discover", 404] <= 9
            await client.create(DEFINITIONS, DEFINITION)
            await client.create(WIDGETS, widget("a"), "default")
            await eventually(lambda: informer.get("a", "default"))
            assert informer.problem is None and not informer.is_missing
            await client.delete(DEFINITIONS, DEFINITION["metadata"]["name"])
            await eventually(lambda: not len(informer) and not mirror.objects)
            await eventually(lambda: informer.is_missing)


@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_what_is_forbidden_is_asked_for_without_haste(verb: str) -> None:
    async with served() as (server, client):
        await client.create(WIDGETS, widget("a"), "default")
        server.faults.forbidden = {(verb, "widgets")}
        informer = informed(client, pauses=(0.05, 0.2))
        async with running(informer):
            await asyncio.sleep(0.6)
            assert informer.problem is not None and informer.problem.status == 403
            assert server.requests[verb, "widgets"] <= 9
            server.faults.clear()
            await client.create(WIDGETS, widget("b"), "default")
            await eventually(lambda: len(informer) == 2 and informer.problem is None)


async def test_a_watch_that_says_nothing_is_left_for_another() -> None:
    async with served() as (server, client):
        informer = informed(client, silence=0.3)
        assert informer.age == float("inf")
        async with running(informer):
            await informer.synced.wait()
            server.faults.silent_watches = True
            await client.create(WIDGETS, widget("a"), "default")
            watches = server.requests["watch", "widgets"]
            await eventually(lambda: server.requests["watch", "widgets"] > watches + 2)
            # It may be that nothing happens: the server answers, which is a sign of life.
            assert informer.problem is None
            assert informer.get("a", "default") is None
            server.faults.silent_watches = False
            await eventually(lambda: informer.get("a", "default"))
            assert server.requests["list", "widgets"] == 1


async def test_a_server_that_does_not_answer_is_seen_by_the_age() -> None:
    async with served() as (server, client):
        informer = informed(client, silence=0.3)
        async with running(informer):
            await informer.synced.wait()
            server.faults.is_cut_off = lambda user_agent: True
            server.faults.silent_watches = True
            await eventually(lambda: informer.age > 1)
            assert informer.problem is not None and informer.problem.reason == "Timeout"
            server.faults.clear()
            await eventually(lambda: informer.age < 0.3 and informer.problem is None)


async def test_bookmarks_spare_a_list_after_other_kinds_have_changed() -> None:
    async with served() as (server, client):
        informer = informed(client, seconds=(1, 1))
        async with running(informer):
            await informer.synced.wait()
            namespace = server.objects.kind("Namespace")
            server.objects.create(namespace, "v1", "", {"metadata": {"name": "other"}})
            await asyncio.sleep(0.4)  # a bookmark tells the version
            server.compact()
            await eventually(lambda: server.requests["watch", "widgets"] > 1)
            await client.create(WIDGETS, widget("a"), "default")
            await eventually(lambda: informer.get("a", "default"))
            assert server.requests["list", "widgets"] == 1


async def test_objects_are_found_by_their_index_and_kept_as_wished() -> None:
    def keep(document: Object) -> Object:
        return {"metadata": document["metadata"], "spec": {"note": document["spec"].get("note")}}

    async with served() as (_, client):
        informer = informed(
            client, index=lambda document: filter(None, [document["spec"].get("note")]), keep=keep
        )

        def names(word: str) -> list[str]:
            return sorted(each["metadata"]["name"] for each in informer.indexed(word))

        for name, note in (("a", "x"), ("b", "x"), ("c", "y")):
            await client.create(WIDGETS, widget(name, note=note, size=3), "default")
        async with running(informer):
            await informer.synced.wait()
            assert (names("x"), names("y"), names("z")) == (["a", "b"], ["c"], [])
            assert all({*each} == {"metadata", "spec"} for each in informer)
            change: Object = {"spec": {"note": "y"}}
            informer.remember(await client.patch(WIDGETS, "a", change, "default"))
            await client.delete(WIDGETS, "b", "default")
            await eventually(lambda: names("x") == [])
            assert names("y") == ["a", "c"]


async def test_a_handler_that_fails_keeps_nobody_from_hearing() -> None:
    async with served() as (_, client):
        informer, mirror = informed(client), Mirror()

        def fail(before: Object | None, after: Object | None) -> None:
            raise ZeroDivisionError

        informer.add_handler(fail)
        informer.add_handler(mirror)
        async with running(informer):
            await client.create(WIDGETS, widget("a"), "default")
            await eventually(lambda: mirror.objects)


async def test_a_large_list_is_read_in_pages() -> None:
    async with served() as (server, client):
        kind = server.objects.kind("Widget")
        for number in range(1100):
            server.objects.create(kind, "v1", "default", widget(f"w{number}"))
        informer = informed(client)
        async with running(informer):
            await informer.synced.wait()
            assert len(informer) == 1100
            assert server.requests["list", "widgets"] == 3
