"""The double over HTTP."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from hpo_lab.cluster.api.authentication import Access, Credentials
from tests.cluster.api_server import discovery, patches
from tests.cluster.api_server.address import Address, addressed
from tests.cluster.api_server.faults import Faults
from tests.cluster.api_server.garbage import GarbageCollector
from tests.cluster.api_server.logs import Logs
from tests.cluster.api_server.objects import Object, Objects
from tests.cluster.api_server.refusal import (
    Refusal,
    bad_request,
    conflict,
    expired,
    invalid,
    not_found,
)
from tests.cluster.api_server.watching import stream

_LARGEST_BODY = 3 << 20
_STRICT = ("Lease",)
"""Built-in kinds that, like custom ones, are replaced only by who names their version."""


class ApiServer:
    """Serves `objects` on a port of this machine, from the loop that enters it.

    Attributes:
        objects: What is there.
        faults: What goes wrong.
        logs: What containers print.
        requests: How many requests came, by verb and plural.
        bookmark_every: Seconds between bookmarks of a watch.
    """

    def __init__(self, *, bookmark_every: float = 60.0, garbage_after: float = 0.02) -> None:
        self.objects = Objects()
        self.faults = Faults()
        self.logs = Logs(self.objects)
        self.requests: Counter[tuple[str, str]] = Counter()
        self.bookmark_every = bookmark_every
        self._garbage = GarbageCollector(self.objects, garbage_after)
        self._runner: web.AppRunner | None = None
        self._port = 0
        self.closing = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def credentials(self) -> Credentials:
        return Credentials(self.url, "default", lambda is_refused: Access())

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig for other processes to *path*."""
        document = {
            "clusters": [{"name": "double", "cluster": {"server": self.url}}],
            "users": [{"name": "double", "user": {"token": "double"}}],
            "contexts": [{"name": "double", "context": {"cluster": "double", "user": "double"}}],
            "current-context": "double",
        }
        path.write_text(json.dumps(document))
        return path

    def compact(self) -> None:
        """Forget all history."""
        self.objects.storage.compact()

    async def start(self) -> None:
        self.closing = asyncio.Event()
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=0.2
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self._garbage.close()
        self.closing.set()
        self.objects.storage.wake()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            answer = discovery.answer(request.path, self.objects.kinds)
            if answer is not None:
                self.requests["discover", ""] += 1
                return web.json_response(answer)
            address = addressed(request.method, request.path, request.query, self.objects.kinds)
            self.requests[address.verb, address.kind.plural] += 1
            return await self._serve(request, address)
        except Refusal as refusal:
            headers = {"Retry-After": str(self.faults.retry_after)} if refusal.code == 429 else None
            return web.json_response(refusal.document(), status=refusal.code, headers=headers)

    async def _serve(self, request: web.Request, address: Address) -> web.StreamResponse:
        faults = self.faults
        if faults.is_cut_off(request.headers.get("User-Agent", "")):
            await self.closing.wait()
        if faults.happens(faults.too_many):
            raise Refusal(429, "TooManyRequests", "too many requests, please try again later")
        if faults.happens(faults.internal):
            raise Refusal(500, "InternalError", "Internal error occurred")
        if (address.verb, address.kind.plural) in faults.forbidden:
            message = f'cannot {address.verb} resource "{address.kind.plural}"'
            raise Refusal(403, "Forbidden", message)
        if address.verb == "watch":
            return await stream(request, address, self)
        if address.verb == "log":
            return await self.logs.serve(request, address, self.closing)
        payload = await self._body(request)
        code = 201 if address.verb == "create" else 200
        answer = self._do(address, payload, request.content_type)
        if address.verb not in ("get", "list"):
            if faults.happens(faults.lost) and request.transport is not None:
                request.transport.close()
            if faults.happens(faults.lost_with_500):
                raise Refusal(500, "InternalError", "the reply was lost")
        return web.json_response(answer, status=code)

    async def _body(self, request: web.Request) -> Any:
        try:
            text = await request.read()
        except web.HTTPRequestEntityTooLarge:
            message = f"limit is {_LARGEST_BODY}"
            raise Refusal(413, "RequestEntityTooLarge", message) from None
        try:
            return json.loads(text) if text else {}
        except ValueError as error:
            raise bad_request(f"the body is no JSON: {error}") from error

    def _do(self, address: Address, payload: Any, content_type: str) -> Object:
        objects, kind = self.objects, address.kind
        match address.verb:
            case "get":
                return self._shown(address, objects.read(kind, *address.key))
            case "list":
                return self._list(address)
            case "create" if kind.name == "TokenReview":
                unknown = {"authenticated": False, "error": "invalid bearer token"}
                status = objects.tokens.get((payload.get("spec") or {}).get("token"), unknown)
                return {**payload, "status": status}
            case "create" if address.subresource:
                raise not_found("the server could not find the requested resource")
            case "create":
                self._check_type(address, payload)
                return objects.create(
                    kind, address.version, address.namespace, payload, manager=address.manager
                )
            case "update":
                self._check_type(address, payload)
                metadata = payload.get("metadata") or {}
                if not metadata.get("resourceVersion") and (kind.is_custom or kind.name in _STRICT):
                    problem = ("metadata.resourceVersion", "must be specified for an update")
                    raise invalid(kind.name, [problem])
                uid = metadata.get("uid")
                if uid not in (None, objects.read(kind, *address.key)["metadata"]["uid"]):
                    raise conflict("Precondition failed: the uid is that of another object")
                return self._update(address, lambda document: payload)
            case "patch" if content_type == "application/merge-patch+json":
                return self._update(address, lambda document: patches.merged(document, payload))
            case "patch" if content_type == "application/json-patch+json":
                return self._update(address, lambda document: patches.patched(document, payload))
            case "patch" if content_type == "application/apply-patch+yaml":
                self._check_type(address, payload)
                if "fieldManager" not in address.query:
                    raise bad_request("fieldManager is required for apply patch")
                return objects.apply(
                    *(kind, address.version, address.key, payload),
                    subresource=address.subresource,
                    manager=address.manager,
                    force=address.query.get("force") == "true",
                )
            case "patch":
                message = f"the body of the request was in an unknown format: {content_type}"
                raise Refusal(415, "UnsupportedMediaType", message)
            case "delete":
                left = objects.delete(kind, address.key, **_options(address, payload))
                gone = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
                return gone if left is None else self._shown(address, left)
            case "deletecollection":
                options = _options(address, payload)
                chosen = objects.listed(kind, address.namespace, address.fits)
                for document in chosen:
                    metadata = document["metadata"]
                    objects.delete(
                        kind, (metadata.get("namespace", ""), metadata["name"]), **options
                    )
                return self._collection(address, chosen, str(objects.storage.revision))
        raise Refusal(405, "MethodNotAllowed", f"{address.verb} is not kept")

    def _update(self, address: Address, change: Any) -> Object:
        return self.objects.update(
            *(address.kind, address.version, address.key, change),
            subresource=address.subresource,
            manager=address.manager,
        )

    def _list(self, address: Address) -> Object:
        storage = self.objects.storage
        token = address.query.get("continue", "")
        if token:
            try:
                revision, rest = storage.continuations.pop(token)
            except KeyError:
                raise expired("the provided continue parameter is too old") from None
        else:
            revision = storage.revision
            rest = self.objects.listed(address.kind, address.namespace, address.fits)
        limit = int(address.query.get("limit") or 0) or len(rest)
        page, rest = rest[:limit], rest[limit:]
        answer = self._collection(address, page, str(revision))
        if rest:
            token = secrets.token_urlsafe(8)
            storage.continuations[token] = (revision, rest)
            answer["metadata"]["continue"] = token
        return answer

    def _collection(self, address: Address, items: list[Object], version: str) -> Object:
        kind = address.kind
        shown = [self._shown(address, item) for item in items]
        if not kind.is_custom:
            untyped = ("apiVersion", "kind")
            shown = [{k: v for k, v in each.items() if k not in untyped} for each in shown]
        return {
            "apiVersion": kind.api_version(address.version),
            "kind": f"{kind.name}List",
            "metadata": {"resourceVersion": version},
            "items": shown,
        }

    def _shown(self, address: Address, document: Object) -> Object:
        return {**document, "apiVersion": address.kind.api_version(address.version)}

    def _check_type(self, address: Address, payload: Any) -> None:
        kind, api_version = address.kind.name, address.kind.api_version(address.version)
        if payload.get("kind") != kind or payload.get("apiVersion") != api_version:
            raise bad_request(
                f"the object is no {kind} of {api_version}, but a {payload.get('kind')}"
                f" of {payload.get('apiVersion')}"
            )


def _options(address: Address, payload: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"uid": (payload.get("preconditions") or {}).get("uid", "")}
    # A Job's pods stay, unless the request says otherwise.
    default = "Orphan" if address.kind.name == "Job" else "Background"
    options["propagation"] = payload.get("propagationPolicy") or default
    with suppress(KeyError):
        options["grace"] = payload["gracePeriodSeconds"]
    return options
