"""The extension as Jupyter Server loads and configures it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_events import EventLogger
from jupyter_server.extension.application import ExtensionApp
from traitlets import List, Unicode

from hpo_lab import __version__
from hpo_lab.server.handler import RouteHandler

if TYPE_CHECKING:
    from hpo_lab.server.answers import Answers

__all__ = ["HpoLab"]

_THREADS = 32
"""So many requests are answered at a time."""


class HpoLab(ExtensionApp):
    """Shows the experiments of hpo_lab to JupyterLab.

    Until the first request it loads nothing of hpo_lab, so that the server starts as fast as
    without it.
    """

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
        """Register the addresses, all of which the routes divide among themselves."""
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="hpo-lab-answers")
        self._lock = threading.Lock()
        self._answers: Answers | None = None
        handed = {"answers": self._loaded, "threads": self._threads}
        self.handlers.append((r"/hpo-lab/api(/.*)?", RouteHandler, handed))

    def _loaded(self) -> Answers:
        with self._lock:
            if self._answers is None:
                from hpo_lab.server.answers import Answers

                root = Path(self.settings["server_root_dir"]).expanduser()
                self._answers = Answers(self.stores, root, self._tell)
            return self._answers

    def _tell(self, data: Mapping[str, Any]) -> None:
        """Emit an event from a thread."""
        from hpo_lab.server.changes import CHANGED

        assert self.serverapp is not None
        emit = partial(self._events().emit, schema_id=CHANGED, data=dict(data))
        self.serverapp.io_loop.add_callback(emit)

    def _events(self) -> EventLogger:
        assert self.serverapp is not None
        logger = self.serverapp.event_logger
        assert logger is not None
        return logger

    async def stop_extension(self) -> None:
        """Stop watching; requests that are being answered end by themselves."""
        if self._answers is not None:
            await asyncio.to_thread(self._answers.close)
        self._threads.shutdown(wait=False, cancel_futures=True)
