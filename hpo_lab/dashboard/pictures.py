"""Which pictures of an experiment stand in the output of a cell, drawn anew where they change."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from hpo_lab.dashboard.importances_process import importances_of
from hpo_lab.facade.summary import Summary
from hpo_lab.facade.tally import Tally
from hpo_lab.store import ExperimentRecord, Store

if TYPE_CHECKING:
    from hpo_lab.dashboard.figures import ExperimentData, Figure

__all__ = ["WIDTHS", "LivePictures", "Pictures", "image_of"]

_MORE = 1.25
"""Importances are computed again when there are so many times as many results."""
_SHARE = 0.02
"""Of the time, finding importances takes so much where trials would use the processor."""
_COST = 3.0
"""Seconds for finding importances, as long as they were not found once."""
_SIZE = 150_000
"""Of all pictures in the output of a cell, in bytes."""
_QUOTED = re.compile(r"[^\w =:/?,;'()!*@{}\[\]|^$+~.-]+", re.ASCII)
"""What does not stand for itself in an address of data, in an attribute within double quotes."""
_LIVE = 500
"""So many trials are drawn at most while an experiment runs."""
WIDTHS = {"history": 576, "pareto": 576, "importances": 352, "curves": 464, "parallel": 464}
"""In pixels, so that two of them stand beside each other in a notebook."""
_AT_THE_END = ("rungs", "lineage", "slices", "curves", "parallel")
"""The figures that are shown when nothing changes any more, where they are of use."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of an experiment, as HTML of images.

    Attributes:
        above: Shown always, beside each other where there is room.
        below: Shown when it is over, in a part that can be folded.
    """

    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()


class LivePictures:
    """Draws the pictures of one experiment again and again, the costly ones seldom."""

    def __init__(self, store: Store, uid: str) -> None:
        """Draw the experiment *uid* of *store*."""
        self._store = store
        self._uid = uid
        self._importances = ""
        self._finds = threading.Lock()
        self._results = self._told = 0
        self._cost, self._asked = _COST, time.monotonic()
        _free_processors()
        self._drawn: ExperimentData | None = None

    def draw(
        self, summary: Summary, tally: Tally, record: ExperimentRecord, now: float
    ) -> Pictures:
        """The pictures as of now.

        Args:
            summary: The experiment at a glance.
            tally: Its trials.
            record: The experiment.
            now: Seconds since the epoch.
        """
        if summary.best is None:
            return Pictures()
        from hpo_lab.dashboard.figures import is_of_use
        from hpo_lab.dashboard.figures.data import recorded

        data = recorded(self._store, record, tally, now)
        # While it changes, an image has all the marks that its SVG can show and no more.
        data = data if summary.is_over else replace(data, most=_LIVE)
        if self._drawn is not None:
            data = self._drawn.later(data)
        self._drawn = data
        self._results = len(data.valued) if is_of_use("importances", data) else 0
        is_due = self._results > _MORE * self._told and not self._finds.locked()
        # Looked at each time, so that it tells of the moment since the last picture.
        is_affordable = self._is_affordable()
        if is_due and is_affordable and not summary.is_over:
            threading.Thread(target=self.complete, name="hpo_lab-importances", daemon=True).start()
        first = "pareto" if is_of_use("pareto", data) else "history"
        above = [_notebook_image(first, data), self._importances]
        last = [name for name in _AT_THE_END if summary.is_over and is_of_use(name, data)]
        below = (_notebook_image(name, data) for name in last)
        return Pictures(tuple(filter(None, above)), _small(below, sum(map(len, above))))

    def _is_affordable(self) -> bool:
        """Whether trials do not miss the processor time that finding importances takes."""
        waited = time.monotonic() - self._asked
        return _free_processors() >= 0.8 or self._cost < _SHARE * waited

    @property
    def is_complete(self) -> bool:
        """Whether the importances are those of all results that were drawn last."""
        return self._told >= self._results

    def complete(self) -> None:
        """Find the importances of the trials, as the next pictures will show them.

        They take a second and more: a process of its own finds them, and whoever shows the
        experiment need not wait.
        """
        with self._finds:
            if self.is_complete:
                return
            self._told = self._results
            self._asked = time.monotonic()
            figure = importances_of(self._store, self._uid)
            if figure is not None:
                self._importances = _sized(figure, "importances")
            self._cost = time.monotonic() - self._asked


def _free_processors() -> float:
    """How many processors had nothing to do since the last call; all of them at the first."""
    import psutil

    count = psutil.cpu_count() or 1
    return count * (1 - psutil.cpu_percent() / 100)


def _notebook_image(name: str, data: ExperimentData) -> str:
    """The figure *name* of an experiment as HTML of an image, of a width for notebooks."""
    from hpo_lab.dashboard import figures

    if name == "parallel":
        # Words beside an axis have room up to the next.
        data = data.later(replace(data, axes=5))
    return _sized(figures.draw(name, data), name)


def _sized(figure: Figure, name: str) -> str:
    return image_of(replace(figure, width=WIDTHS.get(name, figure.width)))


def image_of(figure: Figure, scheme: str = "light dark") -> str:
    """*figure* as an image in HTML that needs no other file; *scheme* as of `drawing.svg`."""
    from hpo_lab.dashboard.drawing import svg

    # In the picture no text has a quotation mark, so that one kind is enough for attributes.
    text = svg(figure, scheme).replace('"', "'")
    address = _QUOTED.sub(lambda match: quote(match[0]), text)
    return (
        f'<img alt="{escape(figure.text)}" width="{figure.width}" height="{figure.height}" '
        f'src="data:image/svg+xml,{address}">'
    )


def _small(images: Iterable[str], size: int) -> tuple[str, ...]:
    """Those of *images* that fit, in their order, beside *size* bytes into the output of a cell."""
    kept = []
    for image in images:
        if size + len(image) <= _SIZE:
            size += len(image)
            kept.append(image)
    return tuple(kept)
