"""A copy of the objects of a kind, which follows the API server.

The list is read in pages; a watch continues from it. A watch that ends is taken up where it ended;
after one whose version is too old (410) the list is read again. What the server does not allow or
does not have (403, 404) is asked for again after a pause: a role or a definition may come later.
"""

from __future__ import annotations

import logging
import math
import random
import sys
import time
from asyncio import Event, sleep
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Any, TypeAlias

from hpo_lab.cluster.api.api_error import ApiError
from hpo_lab.cluster.api.client import ApiClient
from hpo_lab.cluster.api.pace import BackOff
from hpo_lab.cluster.api.resource import ApiResource, Key, Object, key_of, version_of

__all__ = ["Handler", "Informer"]

Handler: TypeAlias = Callable[[Object | None, Object | None], None]
"""Is told an object before and after a change; None where it was not, or is no longer, there."""

_FIELDS = "managedFields"
_SETTLED = 5.0
"""Seconds after which a round that ends is no failure."""

_log = logging.getLogger(__name__)


class Informer:
    """Keeps the objects of a kind in memory, and tells handlers what changes.

    Objects are those of the server without `managedFields`; they are shared, and nobody changes
    them. What a client writes itself it hands to `remember`, so that the next look at the copy
    shows it: that takes the place of expectations and counters.

    Attributes:
        synced: Set when the copy was whole for the first time.
        problem: Why the server could not be followed, until it is heard of again; None while it is
            followed.
    """

    def __init__(
        self,
        client: ApiClient,
        api_version: str,
        kind: str,
        *,
        namespace: str = "",
        labels: Mapping[str, str | None] | None = None,
        keep: Callable[[Object], Object] | None = None,
        index: Callable[[Object], Iterable[str]] | None = None,
        pauses: tuple[float, float] = (1.0, 30.0),
        seconds: tuple[int, int] = (300, 600),
        silence: float = 90.0,
    ) -> None:
        """Prepare; `run` follows.

        Args:
            client: Asks the server.
            api_version: Such as `batch/v1`.
            kind: Such as `Job`; the server need not have it yet.
            namespace: The namespace to look at; empty for all.
            labels: What the objects' labels must be; None for any value.
            keep: Makes of an object what is kept of it, with its metadata; it changes nothing. Of
                10 000 Jobs 84 MB are kept whole, 26 MB without their pod templates.
            index: The words under which `indexed` finds an object.
            pauses: Seconds between tries: the first pause and the longest.
            seconds: The server ends a watch after a random number of seconds between these, so that
                not all watches end at once.
            silence: Seconds without a word of the server after which a watch counts as dead.
        """
        self.synced = Event()
        self.problem: ApiError | None = None
        self._client = client
        self._api_version, self._kind = api_version, kind
        self._namespace = namespace
        self._labels = dict(labels or {})
        self._keep = keep
        self._index = index
        self._pauses = BackOff(*pauses)
        self._seconds = seconds
        self._silence = silence
        self._handlers: list[Handler] = []
        self._objects: dict[Key, Object] = {}
        self._indexed: dict[str, dict[Key, Object]] = {}
        self._resume: str | None = None
        self._seen = 0
        self._heard = -math.inf

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[Object]:
        return iter(self._objects.values())

    @property
    def age(self) -> float:
        """Seconds since the server was last heard of; infinite before.

        It answers or says something each `silence` seconds; a greater age is that of a dead watch.
        """
        return time.monotonic() - self._heard

    @property
    def is_missing(self) -> bool:
        """Whether the server says that it does not have this kind; the copy is as it was before."""
        return self.problem is not None and self.problem.status == 404

    def add_handler(self, handler: Handler) -> None:
        """Have *handler* told of every change from now on, in the order of the changes."""
        self._handlers.append(handler)

    def get(self, name: str, namespace: str = "") -> Object | None:
        """An object; None where it is not there."""
        return self._objects.get((namespace, name))

    def indexed(self, word: str) -> Iterable[Object]:
        """The objects that the index files under *word*."""
        return tuple(self._indexed.get(word, {}).values())

    def remember(self, document: Object) -> None:
        """Take over an object that the server answered to a write, before the watch tells it.

        It is passed over where the watch has gone beyond it: the object may be gone since.
        """
        metadata = document["metadata"]
        labels = metadata.get("labels") or {}
        if (
            self._namespace in ("", metadata.get("namespace", ""))
            and all(
                label in labels and value in (None, labels[label])
                for label, value in self._labels.items()
            )
            and version_of(document) > self._seen
        ):
            self._put(document)

    async def run(self) -> None:
        """Follow the server until cancelled."""
        while True:
            began = time.monotonic()
            try:
                resource = await self._client.resource(self._api_version, self._kind)
                if self._resume is None:
                    await self._list(resource)
                await self._watch(resource)
                self.problem = None
            except ApiError as error:
                self._lose(error)
            is_settled = time.monotonic() - began >= _SETTLED
            if is_settled or (self.problem is None and self._heard >= began):
                self._pauses.reset()
            if not is_settled:
                await sleep(self._pauses.next())

    def _hear(self) -> None:
        """Note that the server is followed."""
        self._heard = time.monotonic()
        self.problem = None

    def _lose(self, error: ApiError) -> None:
        """Note why the server is not followed."""
        if self.problem is None or self.problem.status != error.status:
            _log.info("%s is not followed: %s", self._kind, error)
        self.problem = error
        # Objects are not dropped: a server that starts says 404 until it has read the definitions.
        if error.status in (400, 404, 410):
            self._resume = None

    async def _list(self, resource: ApiResource) -> None:
        """Make the copy that of a list."""
        listed: set[Key] = set()
        pages = self._client.pages(resource, self._namespace, labels=_selector(self._labels))
        async with aclosing(pages):
            async for page in pages:
                for document in page.items:
                    listed.add(key_of(document))
                    self._put(document)
                version = page.resource_version
        self._hear()
        self._seen = max(self._seen, int(version))
        for key, document in list(self._objects.items()):
            # What is newer than the list was written by this client meanwhile.
            if key not in listed and version_of(document) <= int(version):
                self._drop(key)
        self._resume = version
        self.synced.set()

    async def _watch(self, resource: ApiResource) -> None:
        """Follow the changes since the version that was last heard of."""
        assert self._resume is not None
        events = self._client.watch(
            resource,
            self._namespace,
            resource_version=self._resume,
            labels=_selector(self._labels),
            seconds=random.randint(*self._seconds),
            silence=self._silence,
        )
        async with aclosing(events):
            # The first says that the server has answered.
            await anext(events)
            self._hear()
            async for event, document in _until_silent(events):
                self._hear()
                version = version_of(document)
                if event == "DELETED":
                    key = key_of(document)
                    # A later object of this name may have been remembered.
                    if key in self._objects and version_of(self._objects[key]) <= version:
                        self._drop(key)
                elif event != "BOOKMARK":
                    self._put(document)
                self._resume = document["metadata"]["resourceVersion"]
                self._seen = max(self._seen, version)

    def _kept(self, document: Object) -> Object:
        metadata = {name: each for name, each in document["metadata"].items() if name != _FIELDS}
        kept = {**document, "metadata": metadata}
        copy: Object = _interned(self._keep(kept) if self._keep else kept)
        return copy

    def _put(self, document: Object) -> None:
        """Take over an object unless a newer one is there."""
        key = key_of(document)
        before = self._objects.get(key)
        if before is not None and version_of(before) >= version_of(document):
            return
        after = self._kept(document)
        self._unindex(key, before)
        self._objects[key] = after
        for word in self._index(after) if self._index else ():
            self._indexed.setdefault(word, {})[key] = after
        self._tell(before, after)

    def _drop(self, key: Key) -> None:
        before = self._objects.pop(key)
        self._unindex(key, before)
        self._tell(before, None)

    def _unindex(self, key: Key, document: Object | None) -> None:
        for word in self._index(document) if self._index and document is not None else ():
            objects = self._indexed[word]
            del objects[key]
            if not objects:
                del self._indexed[word]

    def _tell(self, before: Object | None, after: Object | None) -> None:
        for handler in self._handlers:
            try:
                handler(before, after)
            except Exception:
                # The copy is right all the same, and others are to hear of the next change.
                _log.exception("a handler of %s failed", self._kind)


async def _until_silent(
    events: AsyncGenerator[tuple[str, Object], None],
) -> AsyncGenerator[tuple[str, Object], None]:
    """The events, which end where the connection may be dead.

    It may live: Kubernetes 1.20 sends no bookmarks of a kind of which it never saw an object.
    """
    try:
        async for event in events:
            yield event
    except ApiError as error:
        if error.reason != "Timeout":
            raise


def _selector(labels: Mapping[str, str | None]) -> str:
    return ",".join(key if value is None else f"{key}={value}" for key, value in labels.items())


def _interned(value: Any) -> Any:
    """The value with names shared by all objects, which else are parsed anew for each event."""
    if isinstance(value, dict):
        return {sys.intern(name): _interned(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_interned(each) for each in value]
    return value
