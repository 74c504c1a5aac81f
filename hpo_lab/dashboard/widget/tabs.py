"""The tabs of pictures: which figures each has, drawn anew where their trials changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Final

from hpo_lab.dashboard import figures
from hpo_lab.dashboard.drawing import svg
from hpo_lab.dashboard.experiment_html import notes_html
from hpo_lab.dashboard.figures import ExperimentData, Figure
from hpo_lab.dashboard.html import cut, value_cell, value_list
from hpo_lab.dashboard.words import number
from hpo_lab.experiment.model import Value
from hpo_lab.facade.summary import Summary
from hpo_lab.facade.tally import Tally

__all__ = ["TABS", "Gallery", "best_html", "overview_html"]

TABS: Final = {
    "overview": "Overview",
    "space": "Search space",
    "trials": "Trials",
    "curves": "Curves",
    "importances": "Importances",
    "compare": "Compare",
}
"""The title of each tab by its name."""

_FIGURES: Final = {
    "space": ("space",),
    "curves": ("rungs", "lineage", "pareto", "curves", "edf", "parallel", "constraints"),
    "importances": ("importances", "slices", "contour"),
}
"""The figures of a tab."""
_WIDTHS: Final = {"curves": 520, "edf": 520, "importances": 400}
"""In pixels, where two stand beside each other."""
_ELSEWHERE: Final = ("history", "timeline")
_MORE = 1.25
"""Importances are found again when there are so many times as many results."""


class Gallery:
    """The pictures of one experiment, each drawn when it is looked at and its trials changed.

    Importances take long; they are found beside.

    Attributes:
        behind: How many pictures have been found beside.
    """

    def __init__(self, find_importances: Callable[[], Figure | None]) -> None:
        """Nothing is drawn yet; *find_importances* finds those of the trials as they are."""
        self._drawn: dict[tuple[str, int], tuple[int, str]] = {}
        self._find_importances = find_importances
        self._importances: Figure | None = None
        self._finds = threading.Lock()
        self._results = 0
        self.behind = 0

    def picture(self, name: str, data: ExperimentData, revision: int, width: int = 0) -> str:
        """The figure *name*, as SVG with a sentence for those who cannot see it.

        Args:
            name: One of `figures.names()`.
            data: The experiment.
            revision: That of its last change.
            width: In pixels, if not that of the figure.
        """
        if name == "importances":
            return self._slow_picture(data, width)
        before = self._drawn.get((name, width))
        if before is None or before[0] != revision:
            before = self._drawn[name, width] = revision, self._draw(name, data, width)
        return before[1]

    def _slow_picture(self, data: ExperimentData, width: int) -> str:
        """The importances found last; where there are many more results they are found again."""
        results = len(data.valued)
        is_due = not self._results <= results < _MORE * self._results
        if not _is_running(data):
            is_due = results != self._results
        if is_due and self._finds.acquire(blocking=False):
            threading.Thread(target=self._find, args=(results,), daemon=True).start()
        figure = self._importances
        return svg(replace(figure, width=width or figure.width)) if figure else ""

    def _find(self, results: int) -> None:
        try:
            figure = self._find_importances()
            self._importances, self._results = figure or self._importances, results
            self.behind += 1
        finally:
            self._finds.release()

    def _draw(self, name: str, data: ExperimentData, width: int) -> str:
        try:
            figure = figures.draw(name, data)
            return svg(replace(figure, width=width or figure.width))
        except Exception as error:
            # A figure of another package, or of values that nobody thought of.
            why = cut(f"{type(error).__name__}: {error}", 400)
            return f'<p class="bad sm">{escape(name)}: {why}</p>'

    def tab(self, name: str, data: ExperimentData, revision: int) -> str:
        """The pictures of a tab that are of use for the experiment, below each other."""
        names = _names(name, data)
        pieces = [self.picture(each, data, revision, _WIDTHS.get(each, 0)) for each in names]
        return f'<div class="hpo-row">{"".join(pieces)}</div>'


def _is_running(data: ExperimentData) -> bool:
    return any(not row.trial.is_final for row in data.rows)


def _names(tab: str, data: ExperimentData) -> Sequence[str]:
    """The figures of a *tab*; those of other packages are in that of the curves."""
    own = [*_FIGURES.values(), _ELSEWHERE]
    others = [each for each in figures.names() if not any(each in names for names in own)]
    names = [*_FIGURES[tab], *(others if tab == "curves" else ())]
    return [each for each in names if each in figures.names() and figures.is_of_use(each, data)]


def overview_html(
    gallery: Gallery,
    summary: Summary,
    tally: Tally,
    data: ExperimentData,
    revision: int,
    written: Mapping[str, Value],
) -> str:
    """How it got here on the left, the best values and what mattered on the right.

    Args:
        gallery: What draws.
        summary: The experiment at a glance.
        tally: Its trials.
        data: The same for figures.
        revision: That of its last change.
        written: The values of the cell itself.
    """
    first = [name for name in ("pareto", "history", "timeline") if figures.is_of_use(name, data)]
    left = "".join(gallery.picture(name, data, revision) for name in first)
    right = best_html(summary, written)
    if figures.is_of_use("importances", data):
        right += gallery.picture("importances", data, revision, 352)
    notes = notes_html(summary, tally)
    return f'<div class="hpo-cols"><div>{left}</div><div>{right}{notes}</div></div>'


_VALUES = 12


def best_html(summary: Summary, written: Mapping[str, Value]) -> str:
    """The values of the best trial, and what they were in the cell."""
    best = summary.best
    if best is None:
        return ""
    values = {}
    for parameter in summary.spec.parameters[:_VALUES]:
        name = parameter.name
        value, own = best.parameters.get(name), written.get(name)
        shown = '<span class="q">not active</span>'
        if value is not None:
            cell = value_cell(value)
            before = number(own) if own is not None and number(own) != number(value) else ""
            was = f' <span class="q">was {cut(before, 24)}</span>' if before and best.number else ""
            shown = f'<span title="{cut(cell.title, 400)}"><b>{cell.html}</b></span>{was}'
        values[name] = shown
    more = len(summary.spec.parameters) - len(values)
    rest = f'<p class="q sm">and {more} more, in the trial</p>' if more > 0 else ""
    title = (
        f'<div class="hpo-between"><h3>Best values <span class="q">trial {best.number}</span></h3>'
        f'<button class="quiet" data-do="open" data-trial="{best.number}"'
        f' data-key="best">Open trial</button></div>'
    )
    return f"{title}{value_list(values, is_single=True)}{rest}"
