"""What the client repeats, and what it tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
from aiohttp import web

from hpo_lab.cluster.api.api_error import ApiError
from hpo_lab.cluster.api.authentication import Access, Credentials
from hpo_lab.cluster.api.client import ApiClient
from hpo_lab.cluster.api.lines import lines
from hpo_lab.cluster.api.pace import BackOff, RateLimit
from hpo_lab.cluster.api.resource import DEFINITIONS, PODS, ApiResource, Object, uid_of
from tests.cluster.api_server import ApiServer
from tests.cluster.widgets import DEFINITION, WIDGETS, widget


@asynccontextmanager
async def served() -> AsyncIterator[tuple[ApiServer, ApiClient]]:
    async with ApiServer() as server, ApiClient(server.credentials()) as client:
        await client.create(DEFINITIONS, DEFINITION)
        server.requests.clear()
        client.requests.clear()
        yield server, client


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are drawn, but short."""
    draw = BackOff.next
    monkeypatch.setattr(BackOff, "next", lambda self: draw(self) / 100)


async def test_what_was_not_carried_out_is_asked_again() -> None:
    async with served() as (server, client):
        server.faults.too_many, server.faults.retry_after = 0.7, 0
        for name in "abcdefgh":
            await client.create(WIDGETS, widget(name), "default")
        assert client.requests["create", 201] == 8
        assert client.requests["create", 429] > 0
        assert client.requests["create", 429] + 8 == server.requests["create", "widgets"]


async def test_the_server_says_when_to_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        pauses.append(seconds)
        server.faults.too_many = 0
        await sleep(0)

    async with served() as (server, client):
        server.faults.too_many, server.faults.retry_after = 1, 7
        monkeypatch.setattr("hpo_lab.cluster.api.transport.asyncio.sleep", note)
        assert (await client.list(WIDGETS, "default")).items == ()
        assert pauses == [7]


async def test_reading_and_applying_are_repeated_after_an_error() -> None:
    async with served() as (server, client):
        server.faults.internal = server.faults.lost = server.faults.lost_with_500 = 0.3
        for number in range(30):
            while True:  # more often than the client tries in a row, by chance
                try:
                    await client.apply(WIDGETS, widget(f"w{number}", size=2), "default")
                    break
                except ApiError:
                    continue
        assert client.requests["apply", 0] and client.requests["apply", 500]
        server.faults.clear()
        listing = await client.list(WIDGETS, "default")
        assert {each["spec"]["size"] for each in listing.items} == {2}


@pytest.mark.parametrize("fault", ["lost", "lost_with_500"])
async def test_a_creation_whose_reply_is_lost_is_told_and_not_repeated(fault: str) -> None:
    async with served() as (server, client):
        setattr(server.faults, fault, 1)
        with pytest.raises(ApiError) as error:
            await client.create(WIDGETS, widget("a"), "default")
        assert error.value.status == (0 if fault == "lost" else 500)
        assert server.requests["create", "widgets"] == 1
        assert len(server.objects.find("Widget")) == 1


async def test_a_deletion_is_repeated_where_it_names_the_uid() -> None:
    async with served() as (server, client):
        created = await client.create(WIDGETS, widget("a"), "default")
        server.faults.lost = 1
        # The next tries are answered with 404, for the object is gone.
        await client.delete(WIDGETS, "a", "default", uid=uid_of(created))
        assert server.requests["delete", "widgets"] > 1
        server.faults.clear()
        server.faults.lost_with_500 = 1
        kind = server.objects.kind("Widget")
        server.objects.create(kind, "v1", "default", widget("b"))
        server.requests.clear()
        with pytest.raises(ApiError):
            await client.delete(WIDGETS, "b", "default")
        assert server.requests["delete", "widgets"] == 1


async def test_a_server_that_comes_back_is_asked_again() -> None:
    async with served() as (server, client):
        await client.create(WIDGETS, widget("a"), "default")
        await server.stop()
        with pytest.raises(ApiError) as error:
            await client.get(WIDGETS, "a", "default")
        assert (error.value.status, error.value.reason) == (0, "Unreachable")
        assert client.requests["get", 0] == 5
        await server.start()
        assert (await client.get(WIDGETS, "a", "default"))["metadata"]["name"] == "a"


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(
    handler: Handler, resolve: Callable[[bool], Access]
) -> AsyncIterator[ApiClient]:
    """A client of a server that answers everything by *handler*."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with ApiClient(Credentials(host, "default", resolve)) as client:
        yield client
    await runner.cleanup()


async def test_credentials_that_are_refused_are_looked_up_again() -> None:
    refusals = []

    def resolve(is_refused: bool) -> Access:
        refusals.append(is_refused)
        return Access("Bearer new" if is_refused else "Bearer old")

    async def handle(request: web.Request) -> web.Response:
        is_right = request.headers["Authorization"] == "Bearer new"
        return web.json_response({"metadata": {}}, status=200 if is_right else 401)

    async with answering(handle, resolve) as client:
        assert await client.get(PODS, "a", "default") == {"metadata": {}}
        assert refusals == [False, True]


@pytest.mark.parametrize(
    ("body", "status", "reason", "message"),
    [
        (b"<html>Bad gateway</html>", 502, "Unknown", "<html>Bad gateway</html>"),
        (b"", 404, "Unknown", "HTTP status 404"),
        (b"[1]", 418, "Unknown", "[1]"),
        (b"no json", 200, "Unreadable", "the server sent what is no JSON"),
        (b"", 301, "Unknown", "HTTP status 301"),
    ],
)
async def test_what_a_proxy_answers_is_an_error(
    body: bytes, status: int, reason: str, message: str
) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(body=body, status=status)

    async with answering(handle, lambda is_refused: Access()) as client:
        with pytest.raises(ApiError, match=message.replace("[", r"\[")) as error:
            await client.get(PODS, "a", "default")
        assert error.value.status == (0 if status == 200 else status)
        assert error.value.reason == reason


async def test_a_stream_that_says_nothing_is_given_up() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(60)
        return response

    async with answering(handle, lambda is_refused: Access()) as client:
        streams = [
            client.watch(PODS, resource_version="1", silence=0.1),
            client.logs("a", "default", follow=True, silence=0.1),
        ]
        for stream in streams:
            with pytest.raises(ApiError) as error:
                async with aclosing(stream):  # type: ignore[type-var]
                    async for _ in stream:
                        pass
            assert error.value.reason == "Timeout"


async def test_a_name_leads_to_no_other_resource() -> None:
    paths = []

    async def handle(request: web.Request) -> web.Response:
        paths.append(request.raw_path)
        return web.json_response({})

    async with answering(handle, lambda is_refused: Access()) as client:
        await client.get(PODS, "../secrets/a?b#c", "x/y")
    assert paths == ["/api/v1/namespaces/x%2Fy/pods/..%2Fsecrets%2Fa%3Fb%23c"]


async def test_logs_are_followed_to_their_end() -> None:
    async with served() as (server, client):
        pod: Object = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c"}]}}
        await client.create(PODS, pod, "default")
        with pytest.raises(ApiError, match="ContainerCreating"):
            async for _ in client.logs("a", "default"):
                pass
        running: Object = {"status": {"phase": "Running"}}
        await client.patch(PODS, "a", running, "default", subresource="status")
        server.logs.write("default", "a", "first")
        told = []
        async with aclosing(client.logs("a", "default", follow=True, timestamps=True)) as stream:
            async for line in stream:
                moment, _, text = line.decode().partition(" ")
                told.append(text)
                if len(told) == 1:
                    server.logs.write("default", "a", "x" * 100_000)
                elif len(told) == 2:
                    server.logs.write("default", "a", "last")
                    ended: Object = {"status": {"phase": "Succeeded"}}
                    await client.patch(PODS, "a", ended, "default", subresource="status")
        assert told == ["first", "x" * 100_000, "last"]
        later = [line async for line in client.logs("a", "default", since=moment, tail=1)]
        assert later == [b"last"]
        with pytest.raises(ApiError, match="container b is not valid"):
            async for _ in client.logs("a", "default", container="b"):
                pass


async def test_a_list_whose_state_is_forgotten_is_begun_again() -> None:
    async with served() as (server, client):
        for name in "abcde":
            await client.create(WIDGETS, widget(name), "default")
        pages = client.pages(WIDGETS, "default", limit=2)
        await anext(pages)
        server.compact()
        with pytest.raises(ApiError) as error:
            await anext(pages)
        assert error.value.status == 410
        assert len((await client.list(WIDGETS, "default", limit=2)).items) == 5


async def test_a_kind_is_asked_for_once_and_again_while_it_is_missing() -> None:
    async with served() as (server, client):
        for _ in range(3):
            assert await client.resource("batch/v1", "Job")
            with pytest.raises(ApiError) as error:
                await client.resource("kubeflow.org/v1", "PyTorchJob")
            assert error.value.status == 404
        assert client.requests == {("discover", 200): 1, ("discover", 404): 3}
        assert server.requests["discover", ""] == 1


@pytest.mark.parametrize(
    ("chunks", "longest", "result"),
    [
        ([b"a\nb", b"c\n", b"", b"\nd"], None, [b"a", b"bc", b"", b"d"]),
        ([], None, []),
        ([b"\n"], None, [b""]),
        ([b"abc", b"def", b"g\nh"], 4, [b"abcdef", b"g", b"h"]),
    ],
)
async def test_a_stream_is_cut_into_lines(
    chunks: list[bytes], longest: int | None, result: list[bytes]
) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    assert [line async for line in lines(stream(), longest)] == result


async def test_requests_come_in_a_burst_and_then_at_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 1000.0
    sleeps = []

    async def sleep(seconds: float) -> None:
        sleeps.append(round(seconds, 6))

    monkeypatch.setattr("hpo_lab.cluster.api.pace.time.monotonic", lambda: moment)
    monkeypatch.setattr("hpo_lab.cluster.api.pace.asyncio.sleep", sleep)
    limit = RateLimit(10, 3)
    for _ in range(6):
        await limit.take()
    assert sleeps == [0.1, 0.2, 0.3]
    moment += 0.5  # five tokens, of which three were spent ahead
    sleeps.clear()
    for _ in range(4):
        await limit.take()
    assert [pause for pause in sleeps if pause] == [0.1, 0.2]


def test_a_resource_has_an_address() -> None:
    assert PODS.path() == "/api/v1/pods"
    assert WIDGETS.path("a", "b", "status") == (
        "/apis/contract.hpolab.dev/v1/namespaces/a/widgets/b/status"
    )
    whole = ApiResource("g", "v1", "things", "Thing", False)
    assert whole.path("a", "b") == "/apis/g/v1/things/b"
    assert (PODS.api_version, WIDGETS.api_version) == ("v1", "contract.hpolab.dev/v1")
