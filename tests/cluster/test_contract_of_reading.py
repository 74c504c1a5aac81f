"""What clients rely on when they read and delete, of the double as of a real API server."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from hpo_lab.cluster.api.api_error import ApiError
from hpo_lab.cluster.api.resource import (
    DEFINITIONS,
    JOBS,
    LEASES,
    TOKEN_REVIEWS,
    ApiResource,
    Object,
    uid_of,
    version_of,
)
from tests.cluster.contract import CONFIG_MAPS, NOBODY, Api, Enter, refused
from tests.cluster.waiting import eventually
from tests.cluster.widgets import DEFINITION, WIDGETS, widget


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
