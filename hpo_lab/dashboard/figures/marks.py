"""The marks of trials: a shape, a colour and a word for how each of them ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpo_lab.dashboard.figures.data import MOST, Mark, Row
from hpo_lab.dashboard.figures.figure import Trace
from hpo_lab.dashboard.figures.theme import (
    BLUE,
    BROWN,
    GOLD,
    GOLD_INK,
    GREEN,
    INK3,
    PURPLE,
    RED,
)
from hpo_lab.dashboard.figures.wording import hover, plain, short, value_text

__all__ = [
    "Shape",
    "best_mark",
    "by_mark",
    "dots",
    "front_marker",
    "key",
    "lane",
    "shape_of",
    "thinned",
]

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Shape:
    """How a mark is drawn; `width` is that of its line, where it is made of lines."""

    symbol: str
    colour: str
    size: int = 7
    width: float = 0
    opacity: float = 1.0

    def marker(self) -> dict[str, Any]:
        """As a marker of plotly."""
        line = {"width": self.width, "color": self.colour} if self.width else {"width": 0}
        return {
            "symbol": self.symbol,
            "color": self.colour,
            "size": self.size,
            "opacity": self.opacity,
            "line": line,
        }


_SHAPES = {
    Mark.SUCCEEDED: Shape("circle", BLUE, 7, opacity=0.72),
    Mark.EARLY_STOPPED: Shape("line-ns-open", PURPLE, 10, 2),
    Mark.INFEASIBLE: Shape("square-open", RED, 7, 1.4),
    Mark.RUNNING: Shape("circle-open", BLUE, 8, 1.6),
    Mark.FAILED: Shape("x-thin-open", RED, 7, 2),
    Mark.NO_VALUE: Shape("cross-thin-open", RED, 8, 2),
    Mark.KILLED: Shape("square", BROWN, 7),
    Mark.CREATED: Shape("circle-open", INK3, 7, 1),
}


def shape_of(mark: Mark) -> Shape:
    """How a trial of *mark* is drawn."""
    return _SHAPES[mark]


def front_marker() -> dict[str, Any]:
    """The diamond of a trial on the Pareto front."""
    return Shape("diamond", GREEN, 10).marker()


def by_mark(rows: Iterable[Row]) -> dict[Mark, list[Row]]:
    """The *rows* by what they are, in the order of `Mark`."""
    groups: dict[Mark, list[Row]] = {mark: [] for mark in Mark}
    for row in rows:
        groups[row.mark].append(row)
    return {mark: group for mark, group in groups.items() if group}


def thinned(rows: Sequence[Row], keep: Collection[int] = (), most: int = MOST) -> list[Row]:
    """At most *most* of the *rows*, evenly spread, and those whose numbers are to *keep*.

    Where more rows follow, fewer of those at the beginning remain and no others come.
    """
    if len(rows) <= most:
        return list(rows)
    # Of the first multiples of the golden ratio a share is below it, give or take three.
    share = max(1, most - 3) / len(rows)
    return [
        row for place, row in enumerate(rows) if place * _GOLDEN % 1 < share or row.number in keep
    ]


def dots(
    mark: Mark,
    rows: Sequence[Row],
    place: Callable[[Row], tuple[float, float]],
    metric: str,
    axes: Mapping[str, str] | None = None,
    across: str = "",
    *,
    told: bool = False,
) -> Trace:
    """The trace of trials of one *mark*.

    Args:
        mark: What they are.
        rows: The trials.
        place: Where each of them is.
        metric: What the vertical axis is of, for the words under the pointer.
        axes: The names of the axes.
        across: What the horizontal axis is of; left out where it is the number.
        told: Whether the value stands under the pointer as it is, not where it is drawn.
    """
    places = [place(row) for row in rows]
    beside = f"<br>{hover(across)} %{{x:.4~g}}" if across else ""
    state = "" if mark is Mark.SUCCEEDED else f"<br>{mark.value}"
    return {
        "type": "scatter",
        "mode": "markers",
        "name": mark.value,
        "legendgroup": mark.value,
        "showlegend": False,
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "customdata": [row.number for row in rows],
        "marker": _SHAPES[mark].marker(),
        "hovertemplate": (
            f"trial %{{customdata}}{beside}<br>{hover(metric)} "
            f"{'%{text}' if told else '%{y:.4~g}'}{state}<extra></extra>"
        ),
        **({"text": [value_text(row.value) for row in rows]} if told else {}),
        **(axes or {}),
    }


def lane(
    rows: Sequence[Row], across: Callable[[Row], float], axes: Mapping[str, str]
) -> list[Trace]:
    """The traces of trials without a value, in a lane of their own; each tells why under it."""
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": mark.value,
            "legendgroup": mark.value,
            "showlegend": False,
            "x": [across(row) for row in group],
            "y": [0] * len(group),
            "customdata": [row.number for row in group],
            "text": [_why(row) for row in group],
            "marker": _SHAPES[mark].marker(),
            "hovertemplate": "trial %{customdata}: %{text}<extra></extra>",
            **axes,
        }
        for mark, group in by_mark(rows).items()
    ]


def _why(row: Row) -> str:
    message = row.trial.message if row.trial.is_final else ""
    return f"{row.mark.value}, {plain(short(message, 80))}" if message else row.mark.value


def best_mark(
    row: Row, x: float, y: float, metric: str, axes: Mapping[str, str] | None = None
) -> Trace:
    """The star of the best trial."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "best",
        "legendgroup": "best",
        "showlegend": False,
        "x": [x],
        "y": [y],
        "customdata": [row.number],
        "marker": {
            "symbol": "star",
            "color": GOLD,
            "size": 13,
            "opacity": 1,
            "line": {"color": GOLD_INK, "width": 1.2},
        },
        "hovertemplate": (
            f"best: trial {row.number}<br>{hover(metric)} {value_text(row.value)}<extra></extra>"
        ),
        **(axes or {}),
    }


def key(traces: Iterable[Trace], hidden: Collection[str] = ()) -> int:
    """Show the first trace of each group of *traces* in the legend, unless there is one group.

    Args:
        traces: Those of a figure, which are changed.
        hidden: The groups that need no explanation.

    Returns:
        How many lines the legend takes.
    """
    firsts: dict[str, Trace] = {}
    for trace in traces:
        group = trace.get("legendgroup")
        if group and group not in hidden:
            firsts.setdefault(group, trace)
    if firsts.keys() <= {Mark.SUCCEEDED.value, "best"}:
        return 0
    for trace in firsts.values():
        trace["showlegend"] = True
    return 1 + sum(6 * len(trace["name"]) + 46 for trace in firsts.values()) // 600
