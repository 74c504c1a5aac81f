"""The client of an API server: objects are the dictionaries that it sends, of any kind.

Reading, server-side apply, merge patches and the deletion of an object named by its uid are
repeated after a reply that was lost; to do them twice is to do them once. A `create` whose reply
was lost is told to the caller, who looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final, Self

from hpo_lab.cluster.api.api_error import ApiError
from hpo_lab.cluster.api.authentication import Credentials
from hpo_lab.cluster.api.lines import lines
from hpo_lab.cluster.api.resource import PODS, ApiResource, Object, ObjectList
from hpo_lab.cluster.api.transport import Transport, read_json

__all__ = ["ApiClient"]

_APPLY: Final = "application/apply-patch+yaml"
_JSON_PATCH: Final = "application/json-patch+json"
_MERGE_PATCH: Final = "application/merge-patch+json"

_LONGEST_LOG_LINE = 1 << 20
_PAGE = 500
_MOST_LISTS = 5


class ApiClient:
    """Asks an API server. It is used in an `async with` statement, by the tasks of a single loop.

    Every method raises `ApiError` where the server refuses or does not answer in time.

    Attributes:
        credentials: Where the server is, and as whom it is asked.
        field_manager: The name under which the server records who wrote a field.
        requests: How many requests were sent, by verb (`get`, `list`, `watch`, `create`, `update`,
            `patch`, `apply`, `delete`, `deletecollection`, `log`, `discover`) and HTTP status,
            which is 0 where no reply came.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        field_manager: str = "hpo-lab",
        rate: float = 50.0,
        burst: int = 100,
    ) -> None:
        """Prepare.

        Args:
            credentials: Where the server is, and as whom it is asked.
            field_manager: Who writes, for the server's records of fields.
            rate: Requests a second that may be sent for long.
            burst: Requests that may be sent at once.
        """
        self.credentials = credentials
        self.field_manager = field_manager
        self.requests: Counter[tuple[str, int]] = Counter()
        user_agent = f"hpo_lab {field_manager}"
        self._transport = Transport(credentials, self.requests, rate, burst, user_agent)
        self._kinds: dict[str, dict[str, ApiResource]] = {}

    async def __aenter__(self) -> Self:
        """Open the pool of connections."""
        self._transport.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close the connections."""
        await self._transport.close()

    async def resource(self, api_version: str, kind: str) -> ApiResource:
        """The resource of a kind, as the server has it.

        What the server said is kept; a kind that is not there is looked for at each call, for its
        definition may have come.

        Raises:
            ApiError: With status 404 where the server has no *kind* (`Job`) in *api_version*
                (`batch/v1`).
        """
        if kind not in self._kinds.get(api_version, {}):
            group, _, version = api_version.rpartition("/")
            path = f"/apis/{group}/{version}" if group else f"/api/{version}"
            try:
                answer = await self._transport.ask("discover", "GET", path)
            except ApiError as error:
                if error.status != 404:
                    raise
                answer = {"resources": ()}
            self._kinds[api_version] = {
                each["kind"]: ApiResource(
                    group, version, each["name"], each["kind"], each["namespaced"]
                )
                for each in answer["resources"]
                if "/" not in each["name"]
            }
        try:
            return self._kinds[api_version][kind]
        except KeyError:
            message = f"the server has no kind {kind} in {api_version}"
            raise ApiError(404, "NotFound", message) from None

    async def get(
        self, resource: ApiResource, name: str, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        """An object."""
        return await self._transport.ask("get", "GET", resource.path(namespace, name, subresource))

    async def pages(
        self,
        resource: ApiResource,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        limit: int = _PAGE,
    ) -> AsyncGenerator[ObjectList, None]:
        """The objects of a kind, in lists of at most *limit*, all of the same state of the server.

        Args:
            resource: The kind.
            namespace: Their namespace; empty for all.
            labels: A label selector.
            fields: A field selector, such as `metadata.name=x`.
            limit: Objects in a list.

        Raises:
            ApiError: With status 410 where the state is too old to go on: begin again.
        """
        query = _selectors(labels, fields) | {"limit": str(limit)}
        while True:
            answer = await self._transport.ask("list", "GET", resource.path(namespace), query)
            metadata = answer["metadata"]
            yield ObjectList(tuple(answer.get("items") or ()), metadata["resourceVersion"])
            if not metadata.get("continue"):
                return
            query["continue"] = metadata["continue"]

    async def list(
        self,
        resource: ApiResource,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        limit: int = _PAGE,
    ) -> ObjectList:
        """All objects of a kind; the arguments are those of `pages`."""
        options = {"labels": labels, "fields": fields}
        for left in reversed(range(_MOST_LISTS)):
            try:
                pages = [
                    page async for page in self.pages(resource, namespace, limit=limit, **options)
                ]
                break
            except ApiError as error:
                if error.status != 410 or not left:
                    raise
        items = tuple(item for page in pages for item in page.items)
        return ObjectList(items, pages[-1].resource_version)

    async def create(
        self,
        resource: ApiResource,
        document: Mapping[str, Any],
        namespace: str = "",
        *,
        name: str = "",
        subresource: str = "",
    ) -> Object:
        """Create an object; with *name* and *subresource*, such as a pod's `eviction`.

        Raises:
            ApiError: With reason `AlreadyExists` where the name is taken; with status 0 or 5xx it
                may have been created, and the caller is to look.
        """
        path = resource.path(namespace, name, subresource)
        body = resource.typed(document) if not subresource else document
        query = {"fieldManager": self.field_manager}
        return await self._transport.ask("create", "POST", path, query, body, repeatable=False)

    async def replace(
        self,
        resource: ApiResource,
        document: Mapping[str, Any],
        namespace: str = "",
        *,
        subresource: str = "",
    ) -> Object:
        """Replace an object by *document*, if its `resourceVersion` still is that of the document.

        Raises:
            ApiError: With status 409 where it has changed, maybe by this very request: connections
                that end repeat it. Also with status 0 or 5xx it may be replaced.
        """
        path = resource.path(namespace, document["metadata"]["name"], subresource)
        query = {"fieldManager": self.field_manager}
        body = resource.typed(document)
        return await self._transport.ask("update", "PUT", path, query, body, repeatable=False)

    async def patch(
        self,
        resource: ApiResource,
        name: str,
        change: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        namespace: str = "",
        *,
        subresource: str = "",
    ) -> Object:
        """Change an object by a merge patch (a mapping, RFC 7386) or JSON patch (a list, 6902)."""
        is_merge = isinstance(change, Mapping)
        return await self._transport.ask(
            *("patch", "PATCH", resource.path(namespace, name, subresource)),
            {"fieldManager": self.field_manager},
            change,
            content_type=_MERGE_PATCH if is_merge else _JSON_PATCH,
            repeatable=is_merge,
        )

    async def apply(
        self,
        resource: ApiResource,
        document: Mapping[str, Any],
        namespace: str = "",
        *,
        subresource: str = "",
        field_manager: str = "",
        force: bool = True,
    ) -> Object:
        """Make the fields of *document* so, and remove what was applied before and is not in it.

        Args:
            resource: The kind.
            document: The fields, with the object's name. With `metadata.uid` an object that is not
                there is not created; a status is written whatever uid is named, so name the
                `resourceVersion` where a later object of the name must not be written.
            namespace: Its namespace.
            subresource: Such as `status`.
            field_manager: Who applies; empty for the client's.
            force: Whether fields of others are taken over; else they are a conflict, status 409.
        """
        return await self._transport.ask(
            *(
                "apply",
                "PATCH",
                resource.path(namespace, document["metadata"]["name"], subresource),
            ),
            {
                "fieldManager": field_manager or self.field_manager,
                "force": "true" if force else "false",
            },
            resource.typed(document),
            content_type=_APPLY,
        )

    async def delete(
        self,
        resource: ApiResource,
        name: str,
        namespace: str = "",
        *,
        propagation: str = "Background",
        uid: str = "",
        grace: int | None = None,
    ) -> None:
        """Delete an object, and what it owns.

        Args:
            resource: The kind.
            name: The object.
            namespace: Its namespace.
            propagation: `Background`, `Foreground` (it goes after what it owns) or `Orphan`.
            uid: The object's uid, so that a later object of this name is not meant. That the object
                of this uid is gone already is no error then.
            grace: Seconds that a pod gets to end; None for its own.

        Raises:
            ApiError: With status 404 where it is not there, and no uid was named.
        """
        body: Object = {"kind": "DeleteOptions", "apiVersion": "v1"}
        body["propagationPolicy"] = propagation
        if uid:
            body["preconditions"] = {"uid": uid}
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        path = resource.path(namespace, name)
        try:
            await self._transport.ask("delete", "DELETE", path, body=body, repeatable=bool(uid))
        except ApiError as error:
            if not uid or error.status not in (404, 409):
                raise

    async def delete_all(
        self,
        resource: ApiResource,
        namespace: str,
        *,
        labels: str = "",
        fields: str = "",
        propagation: str = "Background",
    ) -> None:
        """Delete all objects of a kind in a namespace that the selectors select."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        path, query = resource.path(namespace), _selectors(labels, fields)
        await self._transport.ask("deletecollection", "DELETE", path, query, body, repeatable=False)

    async def watch(
        self,
        resource: ApiResource,
        namespace: str = "",
        *,
        resource_version: str,
        labels: str = "",
        fields: str = "",
        seconds: int = 300,
        silence: float = 90.0,
    ) -> AsyncGenerator[tuple[str, Object], None]:
        """What happens to the objects of a kind from a resource version on.

        Leave it with `contextlib.aclosing`, or the connection stays open.

        Args:
            resource: The kind.
            namespace: Their namespace; empty for all.
            resource_version: That of a list, or of the last event.
            labels: A label selector.
            fields: A field selector.
            seconds: After these the server ends the watch.
            silence: Seconds without a word of the server, which sends a bookmark each minute if
                anything happens, after which the connection counts as dead.

        Yields:
            `ADDED`, `MODIFIED`, `DELETED` and the object; `BOOKMARK` and an object with nothing but
            a resource version. The first, of *resource_version*, says that the server has
            answered.

        Raises:
            ApiError: With status 410 where the resource version is too old: list again.
        """
        query = _selectors(labels, fields) | {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
            "resourceVersion": resource_version,
        }
        path = resource.path(namespace)
        async with self._transport.reply("watch", "GET", path, query, silence=silence) as reply:
            yield "BOOKMARK", {"metadata": {"resourceVersion": resource_version}}
            async for line in lines(reply.content.iter_any()):
                event = read_json(line)
                if event["type"] == "ERROR":
                    raise ApiError.of_status(event["object"])
                yield event["type"], event["object"]

    async def logs(
        self,
        pod: str,
        namespace: str,
        *,
        container: str = "",
        follow: bool = False,
        timestamps: bool = False,
        since: str = "",
        tail: int | None = None,
        silence: float = 300.0,
    ) -> AsyncGenerator[bytes, None]:
        """The lines that a container of a pod has printed.

        Leave it with `contextlib.aclosing`, or the connection stays open.

        Args:
            pod: The pod.
            namespace: Its namespace.
            container: The container; empty for the only one.
            follow: Whether to wait for further lines until the container ends.
            timestamps: Whether each line begins with its time (RFC 3339) and a space.
            since: Skip lines before this time (RFC 3339).
            tail: Only so many of the last lines.
            silence: Seconds without a byte after which the connection counts as dead.
        """
        query = {
            "container": container,
            "follow": "true" if follow else "",
            "timestamps": "true" if timestamps else "",
            "sinceTime": since,
            "tailLines": "" if tail is None else str(tail),
        }
        query = {name: value for name, value in query.items() if value}
        path = PODS.path(namespace, pod, "log")
        async with self._transport.reply("log", "GET", path, query, silence=silence) as reply:
            async for line in lines(reply.content.iter_any(), _LONGEST_LOG_LINE):
                yield line


def _selectors(labels: str, fields: str) -> dict[str, str]:
    """The query parameters of selectors."""
    selectors = {"labelSelector": labels, "fieldSelector": fields}
    return {name: value for name, value in selectors.items() if value}
