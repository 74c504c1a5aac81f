"""What clients rely on when they write: the same of the double as of a real API server.

Everything is asked through our client, which is checked by this as well.
"""

from __future__ import annotations

import asyncio
from typing import Any

from hpo_lab.cluster.api.api_error import ApiError
from hpo_lab.cluster.api.resource import (
    JOBS,
    LEASES,
    Object,
    uid_of,
    version_of,
)
from tests.cluster.contract import CONFIG_MAPS, NOBODY, Enter, refused
from tests.cluster.widgets import WIDGETS, widget


async def test_a_new_object_has_what_the_server_gives(enter: Enter) -> None:
    async with enter() as api:
        created = await api.create(widget("a", size=2))
        metadata = created["metadata"]
        assert metadata["namespace"] == api.namespace
        assert metadata["generation"] == 1
        assert len(uid_of(created)) == 36
        assert version_of(created) > 0
        assert metadata["creationTimestamp"].endswith("Z")
        assert (await api.get("a"))["spec"] == {"size": 2}


async def test_a_name_is_taken_once(enter: Enter) -> None:
    async with enter() as api:
        await api.create(widget("a"))
        async with refused(409, "AlreadyExists"):
            await api.create(widget("a"))
        again = {"metadata": {"generateName": "a-"}, "spec": {}}
        names = {(await api.create(again))["metadata"]["name"] for _ in range(3)}
        assert len(names) == 3
        assert all(name.startswith("a-") and len(name) == 7 for name in names)


async def test_what_is_wrong_or_missing_is_refused(enter: Enter) -> None:
    async with enter() as api:
        async with refused(422, "Invalid"):
            await api.create(widget("Capital"))
        async with refused(422, "Invalid"):
            await api.create(widget("a", {"label": "x" * 64}))
        async with refused(404, "NotFound"):
            await api.get("a")
        async with refused(404, "NotFound"):
            await api.client.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "no-such-namespace")
        async with refused(400, "BadRequest"):
            other = {**widget("a"), "metadata": {"name": "a", "namespace": "default"}}
            await api.create(other)
        async with refused(422, "Invalid"):
            job = {"metadata": {"name": "a"}, "spec": {"template": {"spec": {"containers": []}}}}
            await api.create(job, JOBS)


async def test_a_replacement_names_the_version_that_it_replaces(enter: Enter) -> None:
    async with enter() as api:
        first = await api.create(widget("a", size=1))
        changed = {**first, "spec": {"size": 2}}
        second = await api.client.replace(WIDGETS, changed, api.namespace)
        assert version_of(second) > version_of(first)
        async with refused(409, "Conflict"):
            await api.client.replace(WIDGETS, changed, api.namespace)
        async with refused(422, "Invalid"):
            await api.client.replace(WIDGETS, widget("a", size=3), api.namespace)


async def test_of_several_replacements_of_a_lease_a_single_is_done(enter: Enter) -> None:
    async with enter() as api:
        lease = await api.create({"metadata": {"name": "a"}, "spec": {}}, LEASES)

        async def take(holder: str) -> str:
            claimed = {**lease, "spec": {"holderIdentity": holder}}
            try:
                await api.client.replace(LEASES, claimed, api.namespace)
            except ApiError as error:
                assert error.status == 409
                return ""
            return holder

        holders = [h for h in await asyncio.gather(*map(take, "abcdefgh")) if h]
        assert len(holders) == 1
        assert (await api.get("a", LEASES))["spec"]["holderIdentity"] == holders[0]


async def test_a_merge_patch_changes_what_it_names(enter: Enter) -> None:
    async with enter() as api:
        await api.create(widget("a", size=1, note="old", nested={"left": 1, "right": 2}))
        change = {"spec": {"note": None, "nested": {"left": 3}}}
        after = await api.client.patch(WIDGETS, "a", change, api.namespace)
        assert after["spec"] == {"size": 1, "nested": {"left": 3, "right": 2}}


async def test_a_json_patch_is_done_as_a_whole_or_not(enter: Enter) -> None:
    async with enter() as api:
        await api.create(widget("a", size=1))
        change = [
            {"op": "test", "path": "/spec/size", "value": 1},
            {"op": "add", "path": "/spec/note", "value": "x"},
            {"op": "replace", "path": "/spec/size", "value": 2},
        ]
        after = await api.client.patch(WIDGETS, "a", change, api.namespace)
        assert after["spec"] == {"size": 2, "note": "x"}
        async with refused(422):
            await api.client.patch(WIDGETS, "a", change, api.namespace)
        assert (await api.get("a"))["spec"] == {"size": 2, "note": "x"}


async def test_the_generation_counts_changes_of_the_spec(enter: Enter) -> None:
    async with enter() as api:
        await api.create(widget("a", size=1))
        changes: list[Object] = [{"metadata": {"labels": {"x": "y"}}}, {"spec": {"size": 2}}]
        generations = [
            (await api.client.patch(WIDGETS, "a", change, api.namespace))["metadata"]["generation"]
            for change in changes
        ]
        status = {"status": {"count": 1}}
        after = await api.client.patch(WIDGETS, "a", status, api.namespace, subresource="status")
        assert [*generations, after["metadata"]["generation"]] == [1, 2, 2]


async def test_spec_and_status_are_written_apart(enter: Enter) -> None:
    async with enter() as api:
        created = await api.create({**widget("a", size=1), "status": {"count": 1}})
        assert "status" not in created
        both = {"spec": {"size": 2}, "status": {"count": 2}}
        after = await api.client.patch(WIDGETS, "a", both, api.namespace)
        assert (after["spec"], after.get("status")) == ({"size": 2}, None)
        both = {"spec": {"size": 3}, "status": {"count": 3}}
        after = await api.client.patch(WIDGETS, "a", both, api.namespace, subresource="status")
        assert (after["spec"], after["status"]) == ({"size": 2}, {"count": 3})
        async with refused(404):
            await api.client.patch(
                CONFIG_MAPS, "a", {"status": {}}, api.namespace, subresource="status"
            )


async def test_a_write_that_changes_nothing_makes_no_version(enter: Enter) -> None:
    async with enter() as api:
        first = await api.apply(widget("a", size=1), "one")
        assert version_of(await api.apply(widget("a", size=1), "one")) == version_of(first)
        same = await api.client.patch(WIDGETS, "a", {"spec": {"size": 1}}, api.namespace)
        assert version_of(same) == version_of(first)


async def test_fields_that_are_no_longer_applied_go(enter: Enter) -> None:
    async with enter() as api:
        parts = [{"name": "x", "count": 1}, {"name": "y", "count": 1}]
        await api.apply(widget("a", size=2, note="n", parts=parts), "one")
        await api.apply(widget("a", parts=[{"name": "z", "count": 3}]), "two")
        after = await api.apply(widget("a", size=2, parts=[{"name": "y", "count": 2}]), "one")
        assert "note" not in after["spec"]
        assert sorted(after["spec"]["parts"], key=lambda part: str(part["name"])) == [
            {"name": "y", "count": 2},
            {"name": "z", "count": 3},
        ]
        managers = {
            (each["manager"], each["operation"]) for each in after["metadata"]["managedFields"]
        }
        assert managers == {("one", "Apply"), ("two", "Apply")}


async def test_a_field_of_another_is_a_conflict_or_taken_by_force(enter: Enter) -> None:
    async with enter() as api:
        await api.apply(widget("a", size=1), "one")
        async with refused(409, "Conflict") as errors:
            await api.apply(widget("a", size=2), "two", force=False)
        (cause,) = errors[0].details["causes"]
        assert cause["reason"] == "FieldManagerConflict"
        assert cause["field"] == ".spec.size"
        assert (await api.apply(widget("a", size=1, note="x"), "two", force=False))["spec"]
        assert (await api.apply(widget("a", size=2), "two"))["spec"]["size"] == 2
        # The first no longer owns the field, so that it does not go with its next apply.
        after = await api.apply(widget("a"), "one")
        assert after["spec"]["size"] == 2


async def test_a_whole_status_is_applied_beside_that_of_others(enter: Enter) -> None:
    async with enter() as api:
        created = await api.create(widget("a"))
        metadata = {"name": "a", "uid": uid_of(created)}

        async def apply(manager: str, **status: Any) -> Object:
            document = {"metadata": metadata, "status": status}
            after = await api.apply(document, manager, subresource="status")
            found: Object = after["status"]
            return found

        await apply("one", phase="Running", conditions=[{"type": "A", "status": "True"}])
        await apply("two", count=1)
        status = await apply("one", conditions=[{"type": "B", "status": "True"}])
        assert status == {"count": 1, "conditions": [{"type": "B", "status": "True"}]}


async def test_a_status_is_applied_to_the_version_that_is_named(enter: Enter) -> None:
    async with enter() as api:

        async def apply(count: int, **metadata: str) -> Object:
            document: Object = {"metadata": {"name": "a", **metadata}, "status": {"count": count}}
            return await api.apply(document, "one", subresource="status")

        async with refused(404):
            await apply(1)
        created = await api.create(widget("a"))
        version = created["metadata"]["resourceVersion"]
        assert (await apply(1, resourceVersion=version))["status"] == {"count": 1}
        async with refused(409, "Conflict"):
            await apply(2, resourceVersion=version)
        # The uid does not protect a later object of the name.
        assert (await apply(3, uid=NOBODY))["status"] == {"count": 3}


async def test_a_later_object_of_the_name_is_not_meant(enter: Enter) -> None:
    async with enter() as api:
        other = {**widget("a", size=2), "metadata": {"name": "a", "uid": NOBODY}}
        async with refused(409, "Conflict"):
            await api.apply(other, "one")
        created = await api.create(widget("a"))
        async with refused(422, "Invalid"):
            await api.apply(other, "one")
        replacement = {**created, "metadata": {**created["metadata"], "uid": NOBODY}}
        for subresource in ("", "status"):
            async with refused(409, "Conflict"):
                await api.client.replace(
                    WIDGETS, replacement, api.namespace, subresource=subresource
                )
        guarded = [
            {"op": "test", "path": "/metadata/uid", "value": NOBODY},
            {"op": "add", "path": "/spec/note", "value": "x"},
        ]
        async with refused(422, "Invalid"):
            await api.client.patch(WIDGETS, "a", guarded, api.namespace)
        await api.client.delete(WIDGETS, "a", api.namespace, uid=NOBODY)
        assert uid_of(await api.get("a")) == uid_of(created)
        for _ in range(2):
            await api.client.delete(WIDGETS, "a", api.namespace, uid=uid_of(created))
        async with refused(404, "NotFound"):
            await api.client.delete(WIDGETS, "a", api.namespace)


async def test_a_schema_prunes_and_sets_defaults(enter: Enter) -> None:
    async with enter() as api:
        created = await api.create(widget("a", unknown=1, free={"any": {"thing": [1]}}))
        assert created["spec"] == {"size": 1, "free": {"any": {"thing": [1]}}}


async def test_a_schema_refuses(enter: Enter) -> None:
    async with enter() as api:
        async with refused(422, "Invalid") as errors:
            await api.create(widget("a", size=-1, colour="blue"))
        causes = {cause["field"] for cause in errors[0].details["causes"]}
        assert causes == {"spec.size", "spec.colour"}
        async with refused(422, "Invalid"):
            await api.create(widget("a", size="two"))
