"""What clients rely on: the same of the double as of a real API server.

Everything is asked through our client, which is checked by this as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest

from hpo_lab.cluster.api.api_error import ApiError
from hpo_lab.cluster.api.authentication import kubeconfig_credentials
from hpo_lab.cluster.api.client import ApiClient
from hpo_lab.cluster.api.resource import (
    DEFINITIONS,
    JOBS,
    LEASES,
    NAMESPACES,
    TOKEN_REVIEWS,
    ApiResource,
    Object,
    uid_of,
    version_of,
)
from tests.cluster.api_server import ApiServer
from tests.cluster.waiting import eventually
from tests.cluster.widgets import DEFINITION, WIDGETS, widget

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


async def _define(client: ApiClient) -> None:
    try:
        await client.create(DEFINITIONS, DEFINITION)
    except ApiError as error:
        assert error.reason == "AlreadyExists", error

    async def is_served() -> bool:
        try:
            await client.list(WIDGETS, "default")
        except ApiError as error:
            return error.status != 404
        return True

    await eventually(is_served)


@asynccontextmanager
async def _double() -> AsyncIterator[Api]:
    async with ApiServer(bookmark_every=60) as server, ApiClient(server.credentials()) as client:
        await _define(client)
        await client.create(NAMESPACES, {"metadata": {"name": "contract"}})
        yield Api(client, "contract")


def _real(kubeconfig: str) -> Enter:
    @asynccontextmanager
    async def enter() -> AsyncIterator[Api]:
        async with ApiClient(kubeconfig_credentials(path=kubeconfig)) as client:
            await _define(client)
            created = await client.create(NAMESPACES, {"metadata": {"generateName": "contract-"}})
            namespace = created["metadata"]["name"]
            try:
                yield Api(client, namespace)
            finally:
                await client.delete(NAMESPACES, namespace)

    return enter


async def _clean(kubeconfig: str) -> None:
    async with ApiClient(kubeconfig_credentials(path=kubeconfig)) as client:
        await client.delete(DEFINITIONS, DEFINITION["metadata"]["name"])


@pytest.fixture(scope="module")
def real(cluster_kubeconfig: str) -> Iterator[Enter]:
    yield _real(cluster_kubeconfig)
    asyncio.run(_clean(cluster_kubeconfig))


@pytest.fixture(params=["double", "cluster"])
def enter(request: pytest.FixtureRequest) -> Enter:
    entered: Enter = _double if request.param == "double" else request.getfixturevalue("real")
    return entered


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


async def test_labels_select(enter: Enter) -> None:
    async with enter() as api:
        for name, labels in (("a", {"k": "1"}), ("b", {"k": "2", "l": ""}), ("c", {"l": "x"})):
            await api.create(widget(name, labels))
        selected = {
            selector: "".join(await api.names(labels=selector))
            for selector in (
                *("k=1", "k==1", "k!=1", "k in (1,2)", "k notin (1)", "k", "!k", "k,l", "k=1,l"),
                "l=",
            )
        }
        assert selected == {
            **{"k=1": "a", "k==1": "a", "k!=1": "bc", "k in (1,2)": "ab", "k notin (1)": "bc"},
            **{"k": "ab", "!k": "c", "k,l": "b", "k=1,l": "", "l=": "b"},
        }
        async with refused(400):
            await api.names(labels="k=1=2")


async def test_some_fields_select(enter: Enter) -> None:
    async with enter() as api:
        for name in "ab":
            await api.create(widget(name))
        assert await api.names(fields="metadata.name=b") == ["b"]
        assert await api.names(fields="metadata.name!=b") == ["a"]
        async with refused(400):
            await api.names(fields="spec.size=1")


async def test_pages_show_the_same_state(enter: Enter) -> None:
    async with enter() as api:
        for name in "abcde":
            await api.create(widget(name))
        pages = []
        async with aclosing(api.client.pages(WIDGETS, api.namespace, limit=2)) as stream:
            async for page in stream:
                pages.append(page)
                if len(pages) == 1:
                    await api.client.delete(WIDGETS, "e", api.namespace)
        names = [[each["metadata"]["name"] for each in page.items] for page in pages]
        assert names == [["a", "b"], ["c", "d"], ["e"]]
        assert len({page.resource_version for page in pages}) == 1
        assert await api.names() == ["a", "b", "c", "d"]


async def test_a_watch_tells_what_happens_after_a_list(enter: Enter) -> None:
    async with enter() as api:
        await api.create(widget("old"))
        start = (await api.client.list(WIDGETS, api.namespace)).resource_version
        created = await api.create(widget("a"))
        changed = await api.client.patch(WIDGETS, "a", {"spec": {"size": 2}}, api.namespace)
        await api.client.delete(WIDGETS, "a", api.namespace)
        events = await api.events(start, 3)
        assert [event for event, _ in events] == ["ADDED", "MODIFIED", "DELETED"]
        assert [document["kind"] for _, document in events] == ["Widget"] * 3
        versions = [version_of(document) for _, document in events]
        assert versions[:2] == [version_of(created), version_of(changed)]
        assert versions[2] > versions[1]
        # A later watch begins behind the event that it names.
        (event, last), *_ = await api.events(str(versions[1]), 1)
        assert (event, version_of(last)) == ("DELETED", versions[2])


async def test_a_watch_with_a_selector_tells_who_comes_and_goes(enter: Enter) -> None:
    async with enter() as api:
        await api.create(widget("a", {"k": "1"}))
        await api.create(widget("b"))
        start = (await api.client.list(WIDGETS, api.namespace)).resource_version
        for name, label in (("a", "2"), ("b", "1"), ("b", "1"), ("a", "3"), ("b", None)):
            change = {"metadata": {"labels": {"k": label}}, "spec": {"note": f"{label}"}}
            await api.client.patch(WIDGETS, name, change, api.namespace)
        await api.create(widget("c", {"k": "1"}))
        events = await api.events(start, 4, labels="k=1")
        assert [(event, document["metadata"]["name"]) for event, document in events] == [
            ("DELETED", "a"),
            ("ADDED", "b"),
            ("DELETED", "b"),
            ("ADDED", "c"),
        ]


async def test_a_watch_ends_in_its_time_and_says_where(enter: Enter) -> None:
    async with enter() as api:
        start = (await api.client.list(WIDGETS, api.namespace)).resource_version
        await api.client.create(CONFIG_MAPS, {"metadata": {"name": "other"}}, api.namespace)
        events = await api.events(start, 99, seconds=5)
        assert {event for event, _ in events} == {"BOOKMARK"}
        assert version_of(events[-1][1]) >= int(start)


async def test_a_version_that_is_too_old_is_said_so(enter: Enter) -> None:
    async with enter() as api:
        watch = api.client.watch(WIDGETS, api.namespace, resource_version="1")
        async with refused(410, "Expired"), asyncio.timeout(60), aclosing(watch) as events:
            async for _ in events:
                pass


async def test_a_finalizer_is_waited_for(enter: Enter) -> None:
    async with enter() as api:
        document = widget("a", size=1)
        document["metadata"]["finalizers"] = ["hpolab.dev/test"]
        created = await api.create(document)
        await api.client.delete(WIDGETS, "a", api.namespace)
        left = await api.get("a")
        assert left["metadata"]["deletionTimestamp"]
        assert left["metadata"]["generation"] == 2
        assert version_of(left) > version_of(created)
        async with refused(409, "AlreadyExists"):
            await api.create(widget("a"))
        change: Object = {"metadata": {"finalizers": None}}
        await api.client.patch(WIDGETS, "a", change, api.namespace)
        assert await eventually(lambda: api.is_gone("a"))


async def _owner(api: Api, **reference: Any) -> Object:
    owner = await api.create({"metadata": {"name": "owner"}}, CONFIG_MAPS)
    references = [
        {
            **{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid_of(owner)},
            **reference,
        }
    ]
    owned = {"metadata": {"name": "owned", "ownerReferences": references}}
    return await api.create(owned, CONFIG_MAPS)


async def test_what_an_object_owns_goes_with_it(enter: Enter) -> None:
    async with enter() as api:
        await _owner(api)
        await api.client.delete(CONFIG_MAPS, "owner", api.namespace)
        assert await eventually(lambda: api.is_gone("owned", CONFIG_MAPS))


async def test_an_object_goes_after_what_it_owns(enter: Enter) -> None:
    async with enter() as api:
        owned = await _owner(api, controller=True, blockOwnerDeletion=True)
        change = {"metadata": {"finalizers": ["hpolab.dev/test"]}}
        await api.client.patch(CONFIG_MAPS, "owned", change, api.namespace)
        await api.client.delete(CONFIG_MAPS, "owner", api.namespace, propagation="Foreground")

        async def is_deleted() -> bool:
            left = await api.get("owned", CONFIG_MAPS)
            return "deletionTimestamp" in left["metadata"] and uid_of(left) == uid_of(owned)

        assert await eventually(is_deleted)
        owner = await api.get("owner", CONFIG_MAPS)
        assert owner["metadata"]["finalizers"] == ["foregroundDeletion"]
        nothing: Object = {"metadata": {"finalizers": None}}
        await api.client.patch(CONFIG_MAPS, "owned", nothing, api.namespace)
        assert await eventually(lambda: api.is_gone("owner", CONFIG_MAPS))


async def test_an_orphan_stays(enter: Enter) -> None:
    async with enter() as api:
        await _owner(api)
        await api.client.delete(CONFIG_MAPS, "owner", api.namespace, propagation="Orphan")
        assert await eventually(lambda: api.is_gone("owner", CONFIG_MAPS))
        assert "ownerReferences" not in (await api.get("owned", CONFIG_MAPS))["metadata"]


async def test_what_names_an_owner_that_is_gone_is_collected(enter: Enter) -> None:
    async with enter() as api:
        await _owner(api, uid=NOBODY)
        assert await eventually(lambda: api.is_gone("owned", CONFIG_MAPS))
        assert not await api.is_gone("owner", CONFIG_MAPS)


async def test_what_a_selector_selects_is_deleted_at_once(enter: Enter) -> None:
    async with enter() as api:
        for name in "abc":
            await api.create(widget(name, {"k": "1"} if name < "c" else None))
        await api.client.delete_all(WIDGETS, api.namespace, labels="k=1")

        async def names() -> bool:
            return await api.names() == ["c"]

        assert await eventually(names)


async def test_an_object_has_a_largest_size(enter: Enter) -> None:
    async with enter() as api:
        await api.create(widget("a", note="x" * 1_000_000))
        with pytest.raises(ApiError) as error:
            await api.create(widget("b", note="x" * 1_600_000))
        assert error.value.status in (413, 500)
        assert await api.is_gone("b")


async def test_a_definition_brings_a_kind_and_takes_it_along(enter: Enter) -> None:
    async with enter() as api:
        name = f"gadgets.{api.namespace}.contract.hpolab.dev"
        spec = {
            **DEFINITION["spec"],
            "group": name.removeprefix("gadgets."),
            "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"},
        }
        api_version = f"{spec['group']}/v1"
        async with refused(404, "NotFound"):
            await api.client.resource(api_version, "Gadget")
        await api.client.create(DEFINITIONS, {"metadata": {"name": name}, "spec": spec})

        async def resource() -> ApiResource | None:
            try:
                gadgets = await api.client.resource(api_version, "Gadget")
                await api.client.create(gadgets, widget("a"), api.namespace)
            except ApiError as error:
                assert error.status == 404, error
                return None
            return gadgets

        gadgets = await eventually(resource)
        assert gadgets == ApiResource(spec["group"], "v1", "gadgets", "Gadget")
        await api.client.delete(DEFINITIONS, name)
        assert await eventually(lambda: api.is_gone("a", gadgets))
        without: Object = {**spec, "versions": [{"name": "v1", "served": True, "storage": True}]}
        async with refused(422, "Invalid"):
            await api.client.create(DEFINITIONS, {"metadata": {"name": name}, "spec": without})


async def test_kinds_are_found(enter: Enter) -> None:
    async with enter() as api:
        assert await api.client.resource("batch/v1", "Job") == JOBS
        assert await api.client.resource("v1", "ConfigMap") == CONFIG_MAPS
        assert await api.client.resource("coordination.k8s.io/v1", "Lease") == LEASES
        async with refused(404):
            await api.client.resource("batch/v1", "NoJob")
        async with refused(404):
            await api.client.resource("nowhere.hpolab.dev/v1", "Job")


async def test_an_unknown_token_is_nobodys(enter: Enter) -> None:
    async with enter() as api:
        review = {"spec": {"token": "x", "audiences": ["hpo-lab"]}}
        answer = await api.client.create(TOKEN_REVIEWS, review)
        assert not answer["status"].get("authenticated")
