"""What the tests of the contract ask: the double, or a real API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest

from hpo_lab.cluster.api.api_error import ApiError
from hpo_lab.cluster.api.authentication import kubeconfig_credentials
from hpo_lab.cluster.api.client import ApiClient
from hpo_lab.cluster.api.resource import (
    DEFINITIONS,
    NAMESPACES,
    ApiResource,
    Object,
)
from tests.cluster.api_server import ApiServer
from tests.cluster.waiting import eventually
from tests.cluster.widgets import DEFINITION, WIDGETS

CONFIG_MAPS = ApiResource("", "v1", "configmaps", "ConfigMap")
NOBODY = "00000000-0000-0000-0000-000000000000"


@dataclass
class Api:
    """A server to ask, and a namespace of its own for each test."""

    client: ApiClient
    namespace: str

    async def create(self, document: Object, resource: ApiResource = WIDGETS) -> Object:
        return await self.client.create(resource, document, self.namespace)

    async def apply(self, document: Object, manager: str, **options: Any) -> Object:
        return await self.client.apply(
            WIDGETS, document, self.namespace, field_manager=manager, **options
        )

    async def get(self, name: str, resource: ApiResource = WIDGETS) -> Object:
        return await self.client.get(resource, name, self.namespace)

    async def is_gone(self, name: str, resource: ApiResource = WIDGETS) -> bool:
        try:
            await self.get(name, resource)
        except ApiError as error:
            return error.status == 404
        return False

    async def names(self, **selectors: str) -> list[str]:
        listing = await self.client.list(WIDGETS, self.namespace, **selectors)  # type: ignore[arg-type]
        return sorted(each["metadata"]["name"] for each in listing.items)

    async def events(self, version: str, count: int, **options: Any) -> list[tuple[str, Object]]:
        """The next events of a watch from a version on."""
        events = []
        watch = self.client.watch(WIDGETS, self.namespace, resource_version=version, **options)
        async with asyncio.timeout(60), aclosing(watch) as stream:
            assert await anext(stream) == ("BOOKMARK", {"metadata": {"resourceVersion": version}})
            async for event, document in stream:
                events.append((event, document))
                if len(events) == count:
                    break
        return events


Enter: TypeAlias = Callable[[], AbstractAsyncContextManager[Api]]


@asynccontextmanager
async def refused(status: int, reason: str = "") -> AsyncIterator[list[ApiError]]:
    """What happens inside is refused with this status."""
    errors: list[ApiError] = []
    try:
        yield errors
    except ApiError as error:
        assert error.status == status, error
        assert reason in ("", error.reason), error
        errors.append(error)
    else:
        pytest.fail(f"not refused with {status}")


async def define(client: ApiClient) -> None:
    """Have the server serve widgets, also if it is about to forget those of an earlier test."""

    async def is_served() -> bool:
        try:
            await client.create(DEFINITIONS, DEFINITION)
        except ApiError as error:
            assert error.reason == "AlreadyExists", error
        try:
            definition = await client.get(DEFINITIONS, DEFINITION["metadata"]["name"])
            await client.list(WIDGETS, "default")
        except ApiError as error:
            assert error.status == 404, error
            return False
        return "deletionTimestamp" not in definition["metadata"]

    await eventually(is_served)


@asynccontextmanager
async def double() -> AsyncIterator[Api]:
    async with ApiServer(bookmark_every=60) as server, ApiClient(server.credentials()) as client:
        await define(client)
        await client.create(NAMESPACES, {"metadata": {"name": "contract"}})
        yield Api(client, "contract")


def real(kubeconfig: str) -> Enter:
    @asynccontextmanager
    async def enter() -> AsyncIterator[Api]:
        async with ApiClient(kubeconfig_credentials(path=kubeconfig)) as client:
            await define(client)
            created = await client.create(NAMESPACES, {"metadata": {"generateName": "contract-"}})
            namespace = created["metadata"]["name"]
            try:
                yield Api(client, namespace)
            finally:
                await client.delete(NAMESPACES, namespace)

    return enter


async def clean(kubeconfig: str) -> None:
    async with ApiClient(kubeconfig_credentials(path=kubeconfig)) as client:
        await client.delete(DEFINITIONS, DEFINITION["metadata"]["name"])
