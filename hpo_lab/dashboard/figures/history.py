"""The history of the optimisation: every trial by its number, and the best so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hpo_lab.dashboard.figures.axes import ValueAxis, is_finite
from hpo_lab.dashboard.figures.data import ExperimentData, Mark, Row
from hpo_lab.dashboard.figures.figure import Figure, Trace, best_in_words, nothing
from hpo_lab.dashboard.figures.marks import (
    Shape,
    best_mark,
    by_mark,
    dots,
    key,
    lane,
    shape_of,
    thinned,
)
from hpo_lab.dashboard.figures.panels import Panels, anchors, note, panel_title, trial_axis
from hpo_lab.dashboard.figures.theme import BLUE, GOLD_INK, INK2, TINT
from hpo_lab.dashboard.figures.wording import (
    SPACE,
    amount,
    direction,
    hover,
    listed,
    short,
    value_text,
)
from hpo_lab.dashboard.words import metric_number

__all__ = ["history"]

_PANELS = 4
_LATEST = 50
_UNDER = 24
"""Pixels between the best and the lower end of its axis: half a star, and a line of words."""


def history(data: ExperimentData) -> Figure:
    """The objective of each trial, the best so far, and the goal; a panel for each objective."""
    metrics = [name for name, _ in data.objective.objectives][:_PANELS]
    several = len(metrics) > 1
    title = "Optimisation history" if several else short(data.metric, 50)
    started = [row for row in data.rows if row.mark is not Mark.CREATED]
    if not started:
        return nothing(data, title, "No trial has started yet.")
    improved = [_improvements(data, metric) for metric in metrics]
    keep = {row.number for rows in improved for row in rows}
    # What runs, and the end of the line.
    keep |= {row.number for row in started[-_LATEST:] if row.value is None or row is started[-1]}
    shown = {row.number for row in thinned(started, keep, data.most)}
    has_lane = any(
        None in [row.value for row in data.rows_of(metric) if row.mark is not Mark.CREATED]
        for metric in metrics
    )
    panels = Panels(
        len(metrics), lane=has_lane, left=60, titles=several, panel=150 if several else 190
    )
    traces: list[Trace] = []
    layout: dict[str, Any] = {"annotations": [], "shapes": []}
    below = []
    for place, metric in enumerate(metrics):
        rows = data.rows_of(metric)
        drawn = [row for row in rows if row.number in shown]
        note = _panel(data, metric, drawn, improved[place], panels, place, traces, layout)
        below.append(note)
        if several:
            smaller = data.smaller_is_better(metric)
            words = ", ".join(filter(None, [direction(smaller), note]))
            axes = panels.axes(place)
            layout["annotations"].append(panel_title(metric, axes, short(metric, 40), False, words))
    traces += anchors(panels, traces)
    panels.key = key(traces, hidden={"best so far"} if not several else ())
    subtitle = direction(data.smaller_is_better(data.metric)) if not several else ""
    if not several and below[0]:
        subtitle += f"  ·  {below[0]}"
    rest = len(started) - len(shown)
    of_many = f" {amount(len(shown))} of {amount(len(started))} trials are drawn." if rest else ""
    endings = listed((mark.value, data.counts[mark]) for mark in Mark if mark is not Mark.SUCCEEDED)
    sentence = f"{best_in_words(data)}{', ' if endings else ''}{endings}.{of_many}"
    for place in range(len(metrics)):
        count = data.spec.max_trial_count or 0
        unfinished = data.counts[Mark.RUNNING] or data.counts[Mark.CREATED]
        last = max(data.rows[-1].number, count - 1 if unfinished else 0)
        x = trial_axis(0, last)
        if place == len(metrics) - 1:
            x["title"] = {"text": "trial"}
        _add(layout, panels, place, x)
    return Figure.of(
        title,
        sentence,
        {"not started": data.counts[Mark.CREATED], "left out among their neighbours": rest},
        subtitle=subtitle,
        traces=traces,
        layout={**layout, "margin": panels.margin},
        height=panels.height,
    )


def _add(layout: dict[str, Any], panels: Panels, place: int, x: dict[str, Any]) -> None:
    """Complete the axes of a panel, whose upward one is in the layout already."""
    y = layout.pop(f"axis of {place}")
    layout.update(panels.layout(place, x, y))


def _improvements(data: ExperimentData, metric: str) -> list[Row]:
    """The trials that were better in *metric* than every one before."""
    sign = 1 if data.smaller_is_better(metric) else -1
    best = None
    rows = []
    for row in data.rows_of(metric):
        if row.value is None or row.mark is Mark.INFEASIBLE:
            continue
        if best is None or sign * row.value < best:
            best = sign * row.value
            rows.append(row)
    return rows


def _panel(
    data: ExperimentData,
    metric: str,
    rows: Sequence[Row],
    improved: Sequence[Row],
    panels: Panels,
    place: int,
    traces: list[Trace],
    layout: dict[str, Any],
) -> str:
    """Add the traces of one objective; what there is to say of the others that lie beyond."""
    axes = panels.axes(place)
    goal = data.objective.goal if metric == data.metric else None
    valued = [row for row in rows if row.value is not None]
    axis = ValueAxis.of(
        [row.value for row in valued if row.value is not None],
        data.smaller_is_better(metric),
        goal,
        may_bend=True,
    )
    best = improved[-1] if improved else None
    if best is not None and data.smaller_is_better(metric):
        axis = _with_room(axis, best.value or 0.0, panels.panel)
    layout[f"axis of {place}"] = axis.layout()
    beyond = {row.number for row in valued if row.value is not None and axis.is_beyond(row.value)}
    inside = [row for row in valued if row.number not in beyond]
    _future(data, rows, axes, layout)
    if goal is not None and _within(axis, goal):
        layout["shapes"].append(_line(axis.at(goal), axes))
        layout["annotations"].append(
            note(
                f"goal {value_text(goal)}",
                0,
                axis.along(goal),
                {**axes, "xaxis": f"{axes['xaxis']} domain"},
                xanchor="left",
                yanchor="bottom",
            )
        )
    if improved:
        last = rows[-1].number
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "best so far",
                "legendgroup": "best so far",
                "showlegend": False,
                "x": [*(row.number for row in improved), last],
                "y": [axis.at(row.value or 0.0) for row in [*improved, improved[-1]]],
                "line": {"shape": "hv", "width": 2, "color": BLUE},
                "hoverinfo": "skip",
                **axes,
            }
        )
    for mark, group in by_mark(inside).items():
        traces.append(
            dots(
                mark,
                [row for row in group if row is not best],
                lambda row: (row.number, axis.at(row.value or 0.0)),
                metric,
                axes,
                told=bool(axis.bend),
            )
        )
    if beyond:
        traces.extend(_edge(rows, beyond, axis, metric, axes))
    if best is not None and best.number not in beyond:
        y = axis.at(best.value or 0.0)
        traces.append(best_mark(best, best.number, y, metric, axes))
        is_low = data.smaller_is_better(metric)
        layout["annotations"].append(_label(best, rows[-1].number, axis, axes, is_low))
    if panels.lane:
        without = [row for row in rows if row.value is None]
        traces.extend(lane(without, lambda row: row.number, panels.lane_axes(place)))
    if not beyond:
        return axis.words
    side = "below" if axis.cut < 0 else "above"
    limit = value_text(float(f"{axis.low if axis.cut < 0 else axis.high:.3g}"))
    return f"{'▾' if axis.cut < 0 else '▴'} {amount(len(beyond))} {side} {limit}"


def _edge(
    rows: Sequence[Row], beyond: set[int], axis: ValueAxis, metric: str, axes: dict[str, str]
) -> list[Trace]:
    """Small triangles where trials lie beyond the range; their values stand under the pointer."""
    symbol = "triangle-down" if axis.cut < 0 else "triangle-up"
    traces = []
    for mark, group in by_mark([row for row in rows if row.number in beyond]).items():
        colour = shape_of(mark).colour
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": mark.value,
                "legendgroup": mark.value,
                "showlegend": False,
                "x": [row.number for row in group],
                "y": [axis.edge] * len(group),
                "customdata": [row.number for row in group],
                "text": [value_text(row.value) for row in group],
                "marker": Shape(symbol, colour, 6, opacity=0.72).marker(),
                "hovertemplate": (
                    f"trial %{{customdata}}<br>{hover(metric)} %{{text}}<extra></extra>"
                ),
                **axes,
            }
        )
    return traces


def _with_room(axis: ValueAxis, best: float, height: int) -> ValueAxis:
    """*axis* with room for the words under the *best* at its lower end.

    Above the best are the line that led to it, and the other trials.
    """
    low, at, high = map(axis.along, (axis.low, best, axis.high))
    share = _UNDER / height
    lower = (at - share * high) / (1 - share)
    if not lower < low:
        return axis
    end = axis.value(lower)
    if axis.is_log:
        return replace(axis, low=max(end, 1e-307)) if lower > -307 else axis
    return replace(axis, low=end) if is_finite(end) else axis


def _label(
    best: Row, last: int, axis: ValueAxis, axes: dict[str, str], is_low: bool
) -> dict[str, Any]:
    """The value and the trial of the best, under it where it *is_low*, else above."""
    share = best.number / last if last else 0.0
    anchor = "right" if share > 0.85 else "left" if share < 0.15 else "center"
    value = best.value or 0.0
    return note(
        f"<b>{metric_number(value)}</b>{SPACE}trial {best.number}",
        best.number,
        axis.along(value),
        axes,
        xanchor=anchor,
        yanchor="top" if is_low else "bottom",
        yshift=-7 if is_low else 7,
        font={"size": 11, "color": GOLD_INK},
    )


def _within(axis: ValueAxis, value: float) -> bool:
    return axis.low <= value <= axis.high


def _line(value: float, axes: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": f"{axes['xaxis']} domain",
        "yref": axes["yaxis"],
        "x0": 0,
        "x1": 1,
        "y0": value,
        "y1": value,
        "line": {"color": INK2, "width": 1, "dash": "4px,3px"},
    }


def _future(
    data: ExperimentData, rows: Sequence[Row], axes: dict[str, str], layout: dict[str, Any]
) -> None:
    """A tint where trials are still to come."""
    count, last = data.spec.max_trial_count, rows[-1].number
    unfinished = data.counts[Mark.RUNNING] or data.counts[Mark.CREATED]
    if not count or not unfinished or last >= count - 1:
        return
    layout["shapes"].append(
        {
            "type": "rect",
            "layer": "below",
            "xref": axes["xaxis"],
            "yref": f"{axes['yaxis']} domain",
            "x0": last + 0.5,
            "x1": 1.02 * (count - 1) + 0.6,
            "y0": 0,
            "y1": 1,
            "fillcolor": TINT,
            "line": {"width": 0},
        }
    )
    if (count - last) > 0.15 * count:
        layout["annotations"].append(
            note(
                f"{amount(count - 1 - last)} to go",
                (last + count) / 2,
                0,
                {**axes, "yaxis": f"{axes['yaxis']} domain"},
                yanchor="bottom",
            )
        )
