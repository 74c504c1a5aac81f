"""The objective over each parameter."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hpo_lab.dashboard.figures.axes import ParameterAxis, ValueAxis
from hpo_lab.dashboard.figures.data import ExperimentData, Mark, Row
from hpo_lab.dashboard.figures.figure import Figure, Trace, best_in_words, nothing
from hpo_lab.dashboard.figures.influence import chosen_parameters
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
from hpo_lab.dashboard.figures.panels import Panels, anchors, panel_title
from hpo_lab.dashboard.figures.wording import (
    amount,
    direction,
    distinct,
    hover,
    short,
    value_text,
)
from hpo_lab.experiment.model import Parameter, Value

__all__ = ["slices"]

_PANELS = 8
_COLUMNS = 4
_MOST = 300


def slices(data: ExperimentData) -> Figure:
    """A panel for each of the parameters that matter most, with all trials that have it."""
    title = "Slices"
    parameters = chosen_parameters(data, _PANELS)
    names = {parameter.name for parameter in parameters}
    rows = [
        row
        for row in data.rows
        if row.mark is not Mark.CREATED and not names.isdisjoint(row.trial.assignments)
    ]
    if not rows:
        why = "No trial has started yet." if data.parameters else "There are no parameters."
        return nothing(data, title, why)
    best = data.best
    shown = thinned(rows, {best.number} if best else (), _MOST)
    values = [row.value for row in shown if row.value is not None]
    axis = ValueAxis.of(values, data.smaller_is_better(data.metric), may_bend=True)
    columns = min(_COLUMNS, len(parameters))
    panels = Panels(
        len(parameters),
        columns,
        panel=130,
        lane=any(row.value is None for row in shown),
        titles=True,
        labelled=False,
        under=46,
        between=16,
        left=60,
    )
    traces: list[Trace] = []
    layout: dict[str, Any] = {"annotations": []}
    lost = {row.number for row in shown}
    room = 520 // columns // 7 - 3
    labels = distinct([parameter.name for parameter in parameters], room)
    for place, (parameter, label) in enumerate(zip(parameters, labels, strict=True)):
        lost -= _panel(data, parameter, shown, axis, panels, place, label, traces, layout)
    traces += anchors(panels, traces)
    panels.key = key(traces)
    others = len(data.parameters) - len(parameters)
    subtitle = (
        f"{short(data.metric, 30)} by parameter, {direction(data.smaller_is_better(data.metric))}"
    )
    if others:
        subtitle += f"  ·  {amount(others)} further parameters not shown"
    if axis.words:
        subtitle += f"  ·  {axis.words}"
    beyond = sum(axis.is_beyond(value) for value in values)
    if beyond:
        side, limit = ("below", axis.low) if axis.cut < 0 else ("above", axis.high)
        mark = "▾" if axis.cut < 0 else "▴"
        subtitle += f"  ·  {mark} {amount(beyond)} {side} {value_text(float(f'{limit:.3g}'))}"
    unstarted = data.counts[Mark.CREATED]
    return Figure.of(
        title,
        f"{best_in_words(data)}, over {len(parameters)} of {len(data.parameters)} parameters.",
        {
            "not started": unstarted,
            "without a place on these axes": len(data.rows) - unstarted - len(rows) + len(lost),
            "left out among their neighbours": len(rows) - len(shown),
        },
        subtitle=subtitle,
        traces=traces,
        layout={**layout, "margin": panels.margin},
        height=panels.height,
    )


def _panel(
    data: ExperimentData,
    parameter: Parameter,
    shown: list[Row],
    axis: ValueAxis,
    panels: Panels,
    place: int,
    label: str,
    traces: list[Trace],
    layout: dict[str, Any],
) -> set[int]:
    """Add the trials that have *parameter*; the numbers of those that are drawn."""
    name = parameter.name
    rows = [row for row in shown if name in row.trial.assignments]
    across = ParameterAxis(parameter, [row.trial.assignments[name] for row in rows])
    places = {row.number: across.place(row.trial.assignments[name]) for row in rows}
    rows = [row for row in rows if places[row.number] is not None]
    axes = panels.axes(place)

    def x(row: Row) -> float:
        at = places[row.number]
        assert at is not None
        # Trials of one choice lie beside each other.
        return at if across.choices is None else round(at + ((row.number * 37) % 11 - 5) / 18, 3)

    best = data.best
    for mark, group in by_mark([row for row in rows if row.value is not None]).items():
        inside = [row for row in group if not axis.is_beyond(row.value or 0.0) and row is not best]
        if inside:
            traces.append(
                dots(
                    mark,
                    inside,
                    lambda row: (x(row), axis.at(row.value or 0.0)),
                    data.metric,
                    axes,
                    name if across.choices is None else "",
                    told=bool(axis.bend),
                )
            )
        beyond = [row for row in group if axis.is_beyond(row.value or 0.0)]
        if beyond:
            symbol = "triangle-down" if axis.cut < 0 else "triangle-up"
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": mark.value,
                    "legendgroup": mark.value,
                    "showlegend": False,
                    "x": [x(row) for row in beyond],
                    "y": [axis.edge] * len(beyond),
                    "customdata": [row.number for row in beyond],
                    "text": [value_text(row.value) for row in beyond],
                    "marker": Shape(symbol, shape_of(mark).colour, 6, opacity=0.72).marker(),
                    "hovertemplate": (
                        f"trial %{{customdata}}<br>{hover(data.metric)} %{{text}}<extra></extra>"
                    ),
                    **axes,
                }
            )
    if best is not None and best in rows and not axis.is_beyond(best.value or 0.0):
        traces.append(best_mark(best, x(best), axis.at(best.value or 0.0), data.metric, axes))
    if panels.lane:
        without = [row for row in rows if row.value is None]
        traces.extend(lane(without, x, panels.lane_axes(place)))
    y = axis.layout()
    if place % panels.columns:
        y["showticklabels"] = False
    layout.update(panels.layout(place, across.layout(_room(across.choices or [], panels.wide)), y))
    words = "log" if across.is_log else ""
    layout["annotations"].append(panel_title(name, axes, label, beside=words))
    return {row.number for row in rows}


def _room(choices: Sequence[Value], width: float) -> int:
    """How many characters each of *choices* may have below a panel, so that none overlap."""
    pair = 2 * (width / max(1, len(choices)) - 7) / 6.2
    lengths = [len(value_text(value)) for value in choices]

    def fits(room: int) -> bool:
        cut = [min(length, room) for length in lengths]
        # Beside the first and the last there is the gap between panels.
        ends = [cut[0] - 3, cut[-1] - 3] if cut else [0, 0]
        return max(map(sum, pairwise([ends[0], *cut, ends[1]]))) <= pair

    return max(filter(fits, range(3, 13)), default=3)
