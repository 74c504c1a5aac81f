"""Several panels in one figure: which part of it each has, and the names of their axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpo_lab.dashboard.figures.theme import CODE_FONT, INK, INK2
from hpo_lab.dashboard.figures.wording import plain

__all__ = ["ON_BAR", "Panels", "anchors", "note", "panel_title", "trial_axis"]

_LANE = 20
_GAP = 6


@dataclass
class Panels:
    """A grid of panels, each with an axis across, one upwards, and a lane below it.

    All lengths are in pixels of the natural size.

    Attributes:
        count: How many panels there are.
        columns: How many are in a row.
        width: Of the figure.
        panel: The height of a panel.
        lane: Whether there is a lane for trials without a value.
        key: How many lines the key below has.
        left, right, top: The margins.
        between, under: The gaps between columns and rows.
        titles: Whether the first row needs room for titles of panels.
        labelled: Whether the axes across have a title.
    """

    count: int = 1
    columns: int = 1
    width: int = 640
    panel: int = 190
    lane: bool = False
    key: int = 0
    left: int = 56
    right: int = 16
    top: int = 34
    between: int = 28
    under: int = 44
    titles: bool = False
    labelled: bool = True

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return -(-self.count // self.columns)

    @property
    def inner(self) -> int:
        """The width of all columns with their gaps."""
        return self.width - self.left - self.right

    @property
    def wide(self) -> float:
        """The width of a column."""
        return (self.inner - (self.columns - 1) * self.between) / self.columns

    @property
    def _row(self) -> int:
        return self.panel + (_GAP + _LANE if self.lane else 0)

    @property
    def _inside(self) -> int:
        return self.rows * self._row + (self.rows - 1) * self.under

    @property
    def margin(self) -> dict[str, int]:
        """The margins of the layout."""
        below = 24 + (18 if self.labelled else 0) + (8 + 18 * self.key if self.key else 0)
        above = self.top + (18 if self.titles else 0)
        return {"l": self.left, "r": self.right, "t": above, "b": below, "pad": 0}

    @property
    def height(self) -> int:
        """Of the figure."""
        return self._inside + self.margin["t"] + self.margin["b"]

    def axes(self, place: int) -> dict[str, str]:
        """The axes of a trace in panel *place*."""
        return {"xaxis": _ref("x", place + 1), "yaxis": _ref("y", 2 * place + 1)}

    def lane_axes(self, place: int) -> dict[str, str]:
        """The axes of a trace in the lane of panel *place*."""
        return {"xaxis": _ref("x", place + 1), "yaxis": _ref("y", 2 * place + 2)}

    def layout(self, place: int, x: Mapping[str, Any], y: Mapping[str, Any]) -> dict[str, Any]:
        """The axes of panel *place* in the layout: *x* and *y* with their domains."""
        row, column = divmod(place, self.columns)
        inner, wide = self.inner, self.wide
        start = column * (wide + self.between)
        top = self._inside - row * (self._row + self.under)
        names = self.axes(place), self.lane_axes(place)
        across = {
            **x,
            "domain": [start / inner, min(1.0, (start + wide) / inner)],
            "anchor": names[self.lane]["yaxis"],
        }
        upwards = {
            **y,
            "domain": [(top - self.panel) / self._inside, top / self._inside],
            "anchor": names[0]["xaxis"],
        }
        layout = {
            _axis(names[0]["xaxis"]): across,
            _axis(names[0]["yaxis"]): upwards,
        }
        if self.lane:
            bottom = top - self._row
            layout[_axis(names[1]["yaxis"])] = {
                "domain": [max(0.0, bottom / self._inside), (bottom + _LANE) / self._inside],
                "anchor": names[0]["xaxis"],
                "range": [-1, 1],
                "tickvals": [0] if column == 0 else [],
                "ticktext": ["no value"] if column == 0 else [],
                "showgrid": False,
                "fixedrange": True,
            }
        return layout


def _ref(letter: str, place: int) -> str:
    return letter if place == 1 else f"{letter}{place}"


def _axis(ref: str) -> str:
    """The key of an axis in a layout: `xaxis2` of `x2`."""
    return f"{ref[0]}axis{ref[1:]}"


ON_BAR = "on a bar"
"""The name of an annotation that lies on a bar."""


def trial_axis(low: float, high: float) -> dict[str, Any]:
    """The axis of numbers of trials, whose ticks are whole numbers.

    Args:
        low: The first number.
        high: The last.
    """
    room = 0.02 * (high - low) + 0.6
    step = next((step for step in (1, 2, 5, 10) if (high - low) / step <= 8), None)
    return {
        "range": [low - room, high + room],
        **({"dtick": step, "tick0": 0} if step else {}),
    }


def anchors(panels: Panels, traces: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Empty traces for the panels of *traces* that have none: else plotly hides their axes."""
    pairs = {(trace.get("xaxis", "x"), trace.get("yaxis", "y")) for trace in traces}
    wanted = [panels.axes(place) for place in range(panels.count)]
    if panels.lane:
        wanted += [panels.lane_axes(place) for place in range(panels.count)]
    return [
        {
            "type": "scatter",
            "name": "",
            "x": [None],
            "y": [None],
            "hoverinfo": "skip",
            "showlegend": False,
            "mode": "markers",
            **axes,
        }
        for axes in wanted
        if (axes["xaxis"], axes["yaxis"]) not in pairs
    ]


def note(text: str, x: float, y: float, axes: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """An annotation without an arrow at a place of a panel."""
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": axes["xaxis"],
        "yref": axes["yaxis"],
        "showarrow": False,
        **more,
    }


def panel_title(
    text: str, axes: Mapping[str, str], label: str = "", code: bool = True, beside: str = ""
) -> dict[str, Any]:
    """The name of a panel above its left end, as *label* says; all of it under the pointer."""
    shown = plain(label or text)
    if beside:
        shown += f' <span style="color:{INK2}">{plain(beside)}</span>'
    return {
        "text": shown,
        "hovertext": plain(text),
        "xref": f"{axes['xaxis']} domain",
        "yref": f"{axes['yaxis']} domain",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 11, "color": INK, **({"family": CODE_FONT} if code else {})},
    }
