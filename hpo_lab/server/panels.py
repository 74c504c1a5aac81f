"""The panel of an experiment as an answer: what the output of its cell shows, as of now."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpo_lab.dashboard.links import Served
from hpo_lab.dashboard.panel import Panel
from hpo_lab.facade.follower import Follower
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Summary
from hpo_lab.server.request import ApiRequest, Fields

__all__ = ["NotebookFolder", "panel"]

_FOLDERS = 8
"""In so many folders an experiment is shown at a time."""
_FRESH = 1.0
"""Seconds for which a panel of an experiment that runs is not drawn again."""


class NotebookFolder(Fields):
    """Where the panel is shown.

    Attributes:
        folder: That of the notebook, as the server calls it; links to files lead from there.
    """

    folder: str = ""


class _Drawn:
    """The panel of one experiment, drawn again when it changed; for many threads."""

    def __init__(self, experiment: Experiment, served: Served) -> None:
        # A handle of its own: pictures take their time.
        self._follower = Follower(experiment.store, experiment.uid)
        self._panel = Panel(experiment, self._follower, served=served)
        self._lock = threading.Lock()
        self._drawn_at = 0.0
        self._answer: dict[str, Any] = {}

    def now(self) -> Mapping[str, Any]:
        with self._lock:
            summary, now = self._follower.look(), time.monotonic()
            seen = {"revision": self._follower.revision, "isOver": summary.is_over}
            is_fresh = summary.is_over or now - self._drawn_at < _FRESH
            if not (is_fresh and seen.items() <= self._answer.items()):
                html = self._panel.whole() if summary.is_over else self._running(summary)
                self._answer = {**seen, "html": html}
                self._drawn_at = now
            return self._answer

    def _running(self, summary: Summary) -> str:
        self._panel.take(summary)
        return self._panel.html(summary)


def panel(request: ApiRequest) -> Mapping[str, Any]:
    """The panel as HTML without scripts, and up to which revision it tells."""
    place: NotebookFolder = request.query
    root = request.root.resolve()
    folder = root / place.folder
    with request.stores.experiment(request.uid) as experiment:
        panels: dict[Path, _Drawn] = request.stores.drawn.setdefault(experiment, {})
        if folder not in panels:
            if len(panels) >= _FOLDERS:
                panels.clear()
            panels[folder] = _Drawn(request.stores.handle(request.uid), Served(root, folder))
        drawn = panels[folder]
    return drawn.now()
