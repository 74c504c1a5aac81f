"""The extension as Jupyter Server loads and configures it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.resources import as_file, files
from typing import Any

from jupyter_events import EventLogger
from jupyter_server.extension.application import ExtensionApp
from traitlets import List, Unicode

from hpo_lab import __version__
from hpo_lab.server.changes import CHANGED, ChangeEvents
from hpo_lab.server.handler import RouteHandler
from hpo_lab.server.routes import ADDRESS, ROUTES
from hpo_lab.server.stores import Stores

__all__ = ["HpoLab"]

_THREADS = 8
"""So many questions are answered at a time."""


class HpoLab(ExtensionApp):
    """Shows the experiments of hpo_lab to JupyterLab."""

    name = "hpo_lab"
    version = __version__
    description = "Experiments of hpo_lab over REST, and their changes as events."

    stores: List[str] = List(
        Unicode(),
        help="Paths of SQLite files or URLs of databases; by default $HPO_LAB_STORE, else the "
        "user's own store. New experiments are recorded in the first.",
    ).tag(config=True)

    def initialize_settings(self) -> None:
        """Register the schema of the events."""
        with as_file(files("hpo_lab.server") / "events" / "experiments-changed.yaml") as schema:
            self._events().register_event_schema(schema)

    def initialize_handlers(self) -> None:
        """Register every address."""
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="hpo-lab-answers")
        stores = Stores([*self.stores] or [None])
        self._loop = asyncio.get_event_loop()
        self._changes = ChangeEvents(stores, self._tell)
        given = {"stores": stores, "changes": self._changes, "threads": self._threads}
        self.handlers.extend(
            (f"/{ADDRESS}{route.pattern}", RouteHandler, {"route": route, **given})
            for route in ROUTES
        )

    def _tell(self, data: Mapping[str, Any]) -> None:
        """Emit an event from a thread."""
        emit = partial(self._events().emit, schema_id=CHANGED, data=dict(data))
        self._loop.call_soon_threadsafe(emit)

    def _events(self) -> EventLogger:
        assert self.serverapp is not None
        logger = self.serverapp.event_logger
        assert logger is not None
        return logger

    async def stop_extension(self) -> None:
        """Stop watching; questions that are being answered end by themselves."""
        await asyncio.to_thread(self._changes.close)
        self._threads.shutdown(wait=False, cancel_futures=True)
