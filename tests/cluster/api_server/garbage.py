"""The garbage collector: what an object owns goes with it, after a moment."""

from __future__ import annotations

import asyncio

from tests.cluster.api_server.objects import FINALIZERS, Objects
from tests.cluster.api_server.storage import Change, Key, Object, owner_uids

Place = tuple[str, Key]


class GarbageCollector:
    """Looks, some seconds after a write, at what the write may have left without an owner."""

    def __init__(self, objects: Objects, delay: float) -> None:
        self._objects = objects
        self._storage = objects.storage
        self._delay = delay
        self._suspects: set[Place] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._storage.listeners.append(self._note)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _note(self, kind_id: str, change: Change) -> None:
        suspects: set[Place] = set()
        if change.new is None:
            uid = change.last["metadata"]["uid"]
            suspects |= self._storage.dependents.pop(uid, set())
            # An owner may wait for the end of this object.
            suspects |= {
                self._storage.uids[owner]
                for owner in owner_uids(change.last)
                if owner in self._storage.uids
            }
        elif any(uid not in self._storage.uids for uid in owner_uids(change.new)) or (
            "deletionTimestamp" in change.new["metadata"]
        ):
            suspects.add((kind_id, change.key))
        if suspects:
            self._suspects |= suspects
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(self._delay, self._collect)

    def _collect(self) -> None:
        self._timer = None
        suspects, self._suspects = self._suspects, set()
        for kind_id, key in suspects:
            document = self._storage.objects[kind_id].get(key)
            if document is None or kind_id not in self._objects.kinds:
                continue
            kind = self._objects.kinds[kind_id]
            owners = owner_uids(document)
            alive = [uid for uid in owners if uid in self._storage.uids]
            if owners and not alive:
                self._objects.delete(kind, key)
            elif len(alive) < len(owners):
                self._keep_owners(kind_id, key, alive)
            if "deletionTimestamp" in document["metadata"]:
                self._finish(kind_id, key, document["metadata"]["uid"])

    def _finish(self, kind_id: str, key: Key, uid: str) -> None:
        """Go on with a deletion that waits for this collector."""
        document = self._storage.objects[kind_id].get(key)
        finalizers = (document or {"metadata": {}})["metadata"].get("finalizers") or []
        dependents = [*self._storage.dependents.get(uid, ())]
        if FINALIZERS["Orphan"] in finalizers:
            for place in dependents:
                owners = owner_uids(self._storage.objects[place[0]][place[1]])
                self._keep_owners(*place, [owner for owner in owners if owner != uid])
                self._storage.dependents[uid].discard(place)
        elif FINALIZERS["Foreground"] in finalizers:
            for place in dependents:
                owned = self._storage.objects[place[0]][place[1]]
                if "deletionTimestamp" not in owned["metadata"]:
                    self._objects.delete(self._objects.kinds[place[0]], place[1])
            if any(self._blocks(place, uid) for place in self._storage.dependents.get(uid, ())):
                return
        else:
            return
        rest = [each for each in finalizers if each not in FINALIZERS.values()]
        self._change(kind_id, key, "finalizers", rest)

    def _blocks(self, place: Place, uid: str) -> bool:
        references = self._storage.objects[place[0]][place[1]]["metadata"]["ownerReferences"]
        return any(each["uid"] == uid and each.get("blockOwnerDeletion") for each in references)

    def _keep_owners(self, kind_id: str, key: Key, uids: list[str]) -> None:
        references = self._storage.objects[kind_id][key]["metadata"]["ownerReferences"]
        kept = [each for each in references if each["uid"] in uids]
        self._change(kind_id, key, "ownerReferences", kept)

    def _change(self, kind_id: str, key: Key, field: str, value: object) -> None:
        def changed(document: Object) -> Object:
            # Like the real collector, without a field that is empty.
            return {**document, "metadata": {**document["metadata"], field: value or None}}

        kind = self._objects.kinds[kind_id]
        self._objects.update(kind, next(iter(kind.versions)), key, changed)
