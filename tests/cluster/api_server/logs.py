"""What containers print, as the kubelet hands it out."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime

from aiohttp import web

from tests.cluster.api_server.address import Address
from tests.cluster.api_server.objects import Objects
from tests.cluster.api_server.refusal import bad_request

Line = tuple[str, str]
"""Time (RFC 3339 with nanoseconds) and text."""


class Logs:
    """The lines of containers that are still there."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._lines: dict[tuple[str, str], list[Line]] = defaultdict(list)
        self._rotations: dict[tuple[str, str], int] = defaultdict(int)

    def write(self, namespace: str, pod: str, text: str) -> None:
        """Have the pod's container print a line."""
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
        self._lines[namespace, pod].append((moment, text))
        self._objects.storage.wake()

    def rotate(self, namespace: str, pod: str) -> None:
        """Begin a new file: earlier lines are gone, and whoever follows hears no more."""
        self._lines[namespace, pod].clear()
        self._rotations[namespace, pod] += 1
        self._objects.storage.wake()

    async def serve(
        self, request: web.Request, address: Address, closing: asyncio.Event
    ) -> web.StreamResponse:
        pod = self._objects.read(address.kind, *address.key)
        query = address.query
        names = [each["name"] for each in pod["spec"]["containers"]]
        container = query.get("container") or (names[0] if len(names) == 1 else "")
        if not container:
            raise bad_request(f"a container name must be specified, choose one of: {names}")
        if container not in names:
            raise bad_request(f"container {container} is not valid for pod {address.name}")
        if pod["status"].get("phase") == "Pending":
            raise bad_request(f'container "{container}" is waiting to start: ContainerCreating')
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        waker = self._objects.storage.waker()
        rotation = self._rotations[address.key]
        told = 0
        if "tailLines" in query:
            told = max(len(self._lines[address.key]) - int(query["tailLines"]), 0)
        try:
            while rotation == self._rotations[address.key]:
                waker.clear()
                lines = self._lines[address.key]
                for moment, text in lines[told:]:
                    # The real server compares seconds.
                    if moment[:19] >= query.get("sinceTime", "")[:19]:
                        stamp = f"{moment} " if query.get("timestamps") == "true" else ""
                        await response.write(f"{stamp}{text}\n".encode())
                told = len(lines)
                if query.get("follow") != "true" or self._is_over(address) or closing.is_set():
                    break
                await waker.wait()
        except ConnectionResetError:
            pass  # the client has gone
        finally:
            self._objects.storage.release(waker)
        return response

    def _is_over(self, address: Address) -> bool:
        pod = self._objects.storage.objects[address.kind.id].get(address.key)
        return pod is None or pod["status"].get("phase") in ("Succeeded", "Failed")
