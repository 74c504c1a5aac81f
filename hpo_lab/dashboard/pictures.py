"""Which pictures of an experiment stand in the output of a cell, drawn anew where they change."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from hpo_lab.facade.summary import Summary
from hpo_lab.facade.tally import Tally
from hpo_lab.store import ExperimentRecord, Store

if TYPE_CHECKING:
    from hpo_lab.dashboard.figures import ExperimentData, Figure

__all__ = ["WIDTHS", "LivePictures", "Pictures", "image"]

_FIRST = 10
"""So many results there are before importances are shown."""
_MORE = 1.25
"""Importances are computed again when there are so many times as many results."""
_SIZE = 150_000
"""Of all pictures in the output of a cell, in bytes."""
_PLAIN = " =:/?,;'()!*@{}[]|^$+"
"""What stands for itself in an address of data, in an attribute within double quotes."""
WIDTHS = {"history": 576, "pareto": 576, "importances": 352, "curves": 464, "parallel": 464}
"""In pixels, so that two of them stand beside each other in a notebook."""
_OF_ALGORITHM = {
    "hyperband": "rungs",
    "asha": "rungs",
    "bohb": "rungs",
    "successivehalving": "rungs",
    "pbt": "lineage",
}


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
        self._results = 0

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
        from hpo_lab.dashboard.figures.data import recorded

        data = recorded(self._store, record, tally, now)
        first = "pareto" if summary.spec.objective.additional_objectives else "history"
        above = [_image(first, data), self._of_importances(data, summary.is_over)]
        below = _at_the_end(data) if summary.is_over else ()
        return Pictures(tuple(filter(None, above)), _small(below, sum(map(len, above))))

    def _of_importances(self, data: ExperimentData, is_over: bool) -> str:
        """What is known of them, and is found out besides while the experiment runs.

        It takes the longer the more trials there are, and the first time Optuna is imported;
        whoever shows the experiment does not wait for that.
        """
        results = len(data.valued)
        if results < _FIRST or len(data.parameters) < 2:
            return ""
        if is_over and results > self._results:
            self._results = results
            self._find_importances(data)
        elif results >= _MORE * self._results and not self._finds.locked():
            self._results = results
            threading.Thread(
                target=self._find_importances, args=(data,), name="hpo_lab-importances", daemon=True
            ).start()
        return self._importances

    def _find_importances(self, data: ExperimentData) -> None:
        with self._finds:
            self._importances = _image("importances", data)


def _at_the_end(data: ExperimentData) -> tuple[str, ...]:
    """What is of use when nothing changes any more."""
    names = ["slices", "parallel"]
    if any(len(steps) > 1 for steps in data.curves.values()):
        names.insert(1, "curves")
    special = _OF_ALGORITHM.get(data.spec.algorithm.algorithm_name)
    if special is not None:
        names.insert(0, special)
    return tuple(_image(name, data) for name in names)


def _image(name: str, data: ExperimentData) -> str:
    from hpo_lab.dashboard import figures

    figure = figures.draw(name, data)
    return image(replace(figure, width=WIDTHS.get(name, figure.width)))


def image(figure: Figure, scheme: str = "light dark") -> str:
    """*figure* as an image in HTML that needs no other file; *scheme* as of `drawing.svg`."""
    from hpo_lab.dashboard.drawing import svg

    # In the picture no text has a quotation mark, so that one kind is enough for attributes.
    address = quote(svg(figure, scheme).replace('"', "'"), safe=_PLAIN)
    return (
        f'<img alt="{escape(figure.text)}" width="{figure.width}" height="{figure.height}" '
        f'src="data:image/svg+xml,{address}">'
    )


def _small(images: tuple[str, ...], size: int) -> tuple[str, ...]:
    """Those of *images* that fit, in their order, beside *size* bytes into the output of a cell."""
    kept = []
    for image in images:
        if size + len(image) <= _SIZE:
            size += len(image)
            kept.append(image)
    return tuple(kept)
