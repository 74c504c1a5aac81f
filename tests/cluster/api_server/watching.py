"""A watch: what changes, one JSON document a line."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

from aiohttp import web

from tests.cluster.api_server.address import Address
from tests.cluster.api_server.refusal import Refusal
from tests.cluster.api_server.storage import Change, Object

if TYPE_CHECKING:
    from tests.cluster.api_server.server import ApiServer


async def stream(request: web.Request, address: Address, server: ApiServer) -> web.StreamResponse:
    _ = address.fits  # a wrong selector is refused before anything is sent
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    waker = server.objects.storage.waker()
    try:
        await _Watch(response, request, address, server, waker).run()
    except ConnectionResetError:
        pass  # the client has gone
    finally:
        server.objects.storage.release(waker)
    return response


class _Watch:
    def __init__(
        self,
        response: web.StreamResponse,
        request: web.Request,
        address: Address,
        server: ApiServer,
        waker: asyncio.Event,
    ) -> None:
        self._response = response
        self._request = request
        self._address = address
        self._server = server
        self._waker = waker
        self._storage = server.objects.storage
        self._is_silent = False

    async def run(self) -> None:
        address, kind = self._address, self._address.kind
        version = address.query.get("resourceVersion", "")
        ends = time.monotonic() + float(address.query.get("timeoutSeconds") or 1800)
        bookmarks = address.query.get("allowWatchBookmarks") == "true"
        # As the real server does, also shortly before the end.
        marks = [ends - 2, time.monotonic() + self._server.bookmark_every]
        revision = int(version or 0)
        if not revision:
            revision = self._storage.revision
            for document in self._server.objects.listed(kind, address.namespace, address.fits):
                await self._send("ADDED", document)
        while not self._server.closing.is_set():
            self._waker.clear()
            try:
                changes = self._storage.since(kind.id, revision)
                present = self._storage.revision
            except Refusal as refusal:
                await self._send("ERROR", refusal.document())
                return
            for change in changes:
                revision = change.revision
                if not await self._tell(change):
                    return
            if self._server.objects.kinds.get(kind.id) is not kind:
                return  # its definition has changed or is gone
            now = time.monotonic()
            if now >= ends:
                return
            if bookmarks and now >= min(marks):
                marks = [mark for mark in marks if mark > now]
                marks.append(now + self._server.bookmark_every)
                # Everything up to this version was told; while it was told, more may have come.
                revision = max(revision, present)
                await self._bookmark(revision)
            # Changes of other kinds wake this watch, too.
            try:
                async with asyncio.timeout(max(min([ends, *marks]) - now, 0.001)):
                    await self._waker.wait()
            except TimeoutError:
                continue

    async def _tell(self, change: Change) -> bool:
        """Send an event if it concerns the watch; whether the connection lasts."""
        if self._address.namespace not in ("", change.key[0]):
            return True
        was = change.old is not None and self._address.fits(change.old)
        fits = change.new is not None and self._address.fits(change.new)
        if was or fits:
            event = "MODIFIED" if was and fits else "ADDED" if fits else "DELETED"
            faults = self._server.faults
            await asyncio.sleep(faults.slow_watch)
            if faults.happens(faults.broken_watch) and self._request.transport is not None:
                self._request.transport.close()
                return False
            await self._send(event, change.new if fits and change.new else change.last)
        return True

    async def _bookmark(self, revision: int) -> None:
        kind = self._address.kind
        bookmark = {
            "apiVersion": kind.api_version(self._address.version),
            "kind": kind.name,
            "metadata": {"resourceVersion": str(revision), "creationTimestamp": None},
        }
        await self._send("BOOKMARK", bookmark)

    async def _send(self, event: str, document: Object) -> None:
        # What was once silent stays so, or an event would be missing between others.
        self._is_silent = self._is_silent or self._server.faults.silent_watches
        if self._is_silent:
            return
        if event in ("ADDED", "MODIFIED", "DELETED"):
            api_version = self._address.kind.api_version(self._address.version)
            document = {**document, "apiVersion": api_version}
        text = json.dumps({"type": event, "object": document})
        await self._response.write(text.encode() + b"\n")
