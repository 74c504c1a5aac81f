"""Objects with their history, of which watches are told, and their garbage."""

from __future__ import annotations

import asyncio
import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.cluster.api_server.ownership import Owners
from tests.cluster.api_server.refusal import Refusal, expired

Object = dict[str, Any]
Key = tuple[str, str]

_LARGEST = 1_572_864
_LONGEST_HISTORY = 50_000


@dataclass(frozen=True, slots=True)
class Change:
    """A write: the object before and after; `last` is what a watch shows of a deleted one."""

    revision: int
    key: Key
    old: Object | None
    new: Object | None
    last: Object


class Storage:
    """What etcd and its cache hold. Objects are never changed, but replaced."""

    def __init__(self) -> None:
        self.revision = 100
        self.compacted = self.revision
        self.objects: dict[str, dict[Key, Object]] = defaultdict(dict)
        self.history: dict[str, list[Change]] = defaultdict(list)
        self.uids: dict[str, tuple[str, Key]] = {}
        self.owners: dict[str, Owners] = {}
        self.dependents: dict[str, set[tuple[str, Key]]] = defaultdict(set)
        self.continuations: dict[str, tuple[int, list[Object]]] = {}
        self.listeners: list[Callable[[str, Change], None]] = []
        self._wakers: set[asyncio.Event] = set()

    def put(self, kind_id: str, key: Key, document: Object) -> Object:
        """Store an object; what is stored."""
        if len(json.dumps(document)) > _LARGEST:
            raise Refusal(500, "InternalError", "etcdserver: request is too large")
        old = self.objects[kind_id].get(key)
        self.revision += 1
        metadata = {**document["metadata"], "resourceVersion": str(self.revision)}
        new = {**document, "metadata": metadata}
        self.objects[kind_id][key] = new
        self.uids[metadata["uid"]] = (kind_id, key)
        for uid in owner_uids(new):
            self.dependents[uid].add((kind_id, key))
        self._note(kind_id, Change(self.revision, key, old, new, new))
        return new

    def remove(self, kind_id: str, key: Key) -> None:
        old = self.objects[kind_id].pop(key)
        uid = old["metadata"]["uid"]
        self.revision += 1
        last = {**old, "metadata": {**old["metadata"], "resourceVersion": str(self.revision)}}
        self.uids.pop(uid, None)
        self.owners.pop(uid, None)
        for owner in owner_uids(old):
            self.dependents[owner].discard((kind_id, key))
        self._note(kind_id, Change(self.revision, key, old, None, last))

    def _note(self, kind_id: str, change: Change) -> None:
        history = self.history[kind_id]
        history.append(change)
        if len(history) > _LONGEST_HISTORY:
            self.compacted = max(self.compacted, history[_LONGEST_HISTORY // 2].revision)
            del history[: _LONGEST_HISTORY // 2 + 1]
        for listener in self.listeners:
            listener(kind_id, change)
        self.wake()

    def wake(self) -> None:
        for waker in self._wakers:
            waker.set()

    def since(self, kind_id: str, revision: int) -> list[Change]:
        """The changes after a revision.

        Raises:
            Refusal: They are forgotten.
        """
        if revision < self.compacted:
            raise expired(f"too old resource version: {revision} ({self.compacted})")
        history = self.history[kind_id]
        return history[bisect_right(history, revision, key=lambda change: change.revision) :]

    def compact(self) -> None:
        """Forget all history: what began before has to begin again."""
        self.compacted = self.revision
        self.history.clear()
        self.continuations.clear()
        self.wake()

    def waker(self) -> asyncio.Event:
        """An event that each change sets."""
        waker = asyncio.Event()
        self._wakers.add(waker)
        return waker

    def release(self, waker: asyncio.Event) -> None:
        self._wakers.discard(waker)


def owner_uids(document: Object) -> list[str]:
    return [each["uid"] for each in document["metadata"].get("ownerReferences") or ()]
