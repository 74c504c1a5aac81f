"""Changes reach browsers as events of the server, and a slow store holds up nobody."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
import urllib.request
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.server.conftest import Server, write_notebook


def test_a_running_experiment_is_told_as_events(server: Server, parabola: str) -> None:
    write_notebook(
        server.root / "told.ipynb",
        "%%tune minimize loss --trials 2 --name told\nx = 1.0  # tune: uniform(0, 2)\nloss = x",
    )

    async def told() -> tuple[str, list[dict[str, Any]]]:
        address = server.url.replace("http", "ws") + "api/events/subscribe"
        request = HTTPRequest(address, headers={"Authorization": f"token {server.token}"})
        connection = await websocket_connect(request)
        server.get("/experiments")
        body = {"path": "told.ipynb"}
        begun = await asyncio.to_thread(server.ask, "POST", "/experiments", body)
        uid, events = begun.json["uid"], []
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            message = await asyncio.wait_for(connection.read_message(), 60)
            event = json.loads(message or "{}")
            if "changed" in event:
                events.append(event)
            if any(each["state"] == "Succeeded" for each in event.get("changed", ())):
                break
        connection.close()
        return uid, events

    uid, events = asyncio.run(told())
    changes = [each for event in events for each in event["changed"] if each["uid"] == uid]
    assert changes[-1]["state"] == "Succeeded"
    revisions = [each["revision"] for each in changes]
    assert revisions == sorted(revisions)
    assert all(event["store"] == str(server.store) for event in events)


def test_a_store_that_is_locked_does_not_hold_up_the_server(server: Server, parabola: str) -> None:
    lock = sqlite3.connect(server.store, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        body = {"points": [{"x": 0.5}]}
        answers: list[int] = []
        thread = threading.Thread(
            target=lambda: answers.append(
                server.ask("POST", f"/experiments/{parabola}/points", body).status
            )
        )
        thread.start()
        time.sleep(0.5)
        address = f"{server.url}api/status?token={server.token}"
        with urllib.request.urlopen(address, timeout=20) as response:
            assert response.status == 200
        assert thread.is_alive()
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    thread.join(60)
    assert answers == [202]
