"""The objective over two parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hpo_lab.dashboard.figures.axes import ParameterAxis, ValueAxis, rounded
from hpo_lab.dashboard.figures.data import ExperimentData, Mark, Row
from hpo_lab.dashboard.figures.figure import Figure, Trace, best_in_words, nothing
from hpo_lab.dashboard.figures.influence import chosen_parameters
from hpo_lab.dashboard.figures.marks import best_mark, by_mark, dots, key, shape_of, thinned
from hpo_lab.dashboard.figures.panels import Panels, panel_title
from hpo_lab.dashboard.figures.theme import GROUND, INK2, colourscale
from hpo_lab.dashboard.figures.wording import direction, hover, plain, short, value_text

__all__ = ["contour"]

_CELLS = 24
_MOST = 600
_REACH = 0.16
"""How far from a trial the field is coloured, as a share of an axis."""


def contour(data: ExperimentData) -> Figure:
    """The two parameters that matter most, the trials, and a field interpolated between them.

    The field is left empty where no trial is near.
    """
    title = "Contour"
    parameters = chosen_parameters(data, 2)
    if len(data.parameters) < 2:
        return nothing(data, title, "A contour needs two parameters.")
    if len(parameters) < 2:
        return nothing(data, title, "No trial has values of two parameters yet.")
    x, y = parameters
    rows = [
        row
        for row in data.rows
        if row.mark is not Mark.CREATED and {x.name, y.name} <= row.trial.assignments.keys()
    ]
    values = [row.trial.assignments for row in rows]
    across, upwards = (ParameterAxis(each, [v[each.name] for v in values]) for each in parameters)
    rows = [
        row
        for row, value in zip(rows, values, strict=True)
        if across.holds(value[x.name]) and upwards.holds(value[y.name])
    ]
    if not rows:
        why = f"No trial has {short(x.name, 40)} and {short(y.name, 40)} yet."
        return nothing(data, title, why)
    shown = thinned(rows, {data.best.number} if data.best else (), _MOST)
    best = next((row for row in shown if row is data.best), None)
    panels = Panels(panel=300, titles=True, left=72, right=76)
    axes = panels.axes(0)
    traces: list[Trace] = []
    valued = [row for row in shown if row.value is not None]
    smaller = data.smaller_is_better(data.metric)
    axis = ValueAxis.of([row.value or 0.0 for row in valued], smaller, may_bend=True)
    if valued:
        traces.append(_field(data, valued, axis, across, upwards))
    for mark, group in by_mark(row for row in shown if row is not best).items():
        trace = dots(mark, group, lambda row: _beside(row, across, upwards), y.name, None, x.name)
        trace["text"] = [
            value_text(row.value) if row.value is not None else "none" for row in group
        ]
        trace["hovertemplate"] = (
            f"trial %{{customdata}}<br>{hover(data.metric)} %{{text}}"
            f"{'' if mark is Mark.SUCCEEDED else f'<br>{mark.value}'}<extra></extra>"
        )
        if mark is Mark.SUCCEEDED:
            trace["marker"] |= {
                "color": GROUND,
                "size": 6,
                "opacity": 1,
                "line": {"color": INK2, "width": 1},
            }
        else:
            trace["marker"] = shape_of(mark).marker()
        traces.append(trace)
    if best is not None:
        at = _beside(best, across, upwards)
        traces.append(best_mark(best, *at, data.metric))
    panels.key = key(traces)
    words = "  log scale" if upwards.is_log else ""
    layout = panels.layout(
        0,
        {
            **across.layout(14),
            "title": {"text": plain(short(x.name, 60)) + (", log scale" if across.is_log else "")},
        },
        {**upwards.layout(10), "showgrid": False},
    )
    scale = f"  ·  {axis.words}" if axis.words else ""
    unstarted = data.counts[Mark.CREATED]
    return Figure.of(
        title,
        f"{best_in_words(data)}, over {short(x.name, 60)} and {short(y.name, 60)}.",
        {
            "not started": unstarted,
            "without a place on these axes": len(data.rows) - unstarted - len(rows),
            "left out among their neighbours": len(rows) - len(shown),
        },
        subtitle=f"{short(data.metric, 40)}, {direction(smaller)}{scale}",
        traces=traces,
        layout={
            **layout,
            "annotations": [panel_title(y.name, axes, short(y.name, 60), beside=words)],
            "margin": panels.margin,
        },
        height=panels.height,
    )


def _beside(row: Row, across: ParameterAxis, upwards: ParameterAxis) -> tuple[float, float]:
    """Where a trial is; those of one choice lie beside each other."""
    x, y = (axis.place(row.trial.assignments[axis.name]) for axis in (across, upwards))
    assert x is not None and y is not None
    if across.choices is not None:
        x = round(x + ((row.number * 37) % 11 - 5) / 18, 3)
    if upwards.choices is not None:
        y = round(y + ((row.number * 53) % 11 - 5) / 18, 3)
    return x, y


def _field(
    data: ExperimentData,
    rows: Sequence[Row],
    axis: ValueAxis,
    across: ParameterAxis,
    upwards: ParameterAxis,
) -> dict[str, Any]:
    """The heat map: in each cell the mean of the trials, the near ones counting most."""
    import numpy

    xs, x_units = _grid(across)
    ys, y_units = _grid(upwards)
    at = numpy.array(
        [
            (
                across.unit(row.trial.assignments[across.name]),
                upwards.unit(row.trial.assignments[upwards.name]),
            )
            for row in rows
        ],
        dtype=float,
    )
    values = [row.value or 0.0 for row in rows]
    clipped = numpy.clip(values, axis.low, axis.high)
    heights = numpy.array([axis.along(value) for value in clipped.tolist()])
    distance = (numpy.array(x_units)[None, :, None] - at[:, 0]) ** 2 + (
        numpy.array(y_units)[:, None, None] - at[:, 1]
    ) ** 2
    weights = 1 / (distance + 1e-4) ** 1.5
    scale = max(1.0, float(numpy.abs(heights).max()))
    field = scale * (weights * (heights / scale)).sum(axis=2) / weights.sum(axis=2)
    near = distance.min(axis=2) <= _REACH**2
    low, high = float(heights.min()), float(heights.max())
    bar: dict[str, Any] = {"thickness": 10, "len": 0.9, "outlinewidth": 0, "exponentformat": "e"}
    if axis.is_log:
        marks = list(range(math.ceil(low), math.floor(high) + 1))
        marks = marks[:: max(1, len(marks) // 5)]
        bar |= {"tickvals": marks, "ticktext": [f"1e{mark}" for mark in marks]}
    if axis.bend:
        bar |= {name: axis.layout()[name] for name in ("tickvals", "ticktext")}
    return {
        "type": "heatmap",
        "x": xs,
        "y": ys,
        "z": [
            [rounded(float(value)) if ok else None for value, ok in zip(row, oks, strict=True)]
            for row, oks in zip(field, near, strict=True)
        ],
        "zmin": low,
        "zmax": high,
        "zsmooth": False,
        "colorscale": colourscale(),
        "reversescale": data.smaller_is_better(data.metric),
        "opacity": 0.85,
        "hoverinfo": "skip",
        "showlegend": False,
        "colorbar": bar,
        "showscale": high > low,
    }


def _grid(axis: ParameterAxis) -> tuple[list[float], list[float]]:
    """The middles of the cells along an axis, and their units."""
    if axis.choices is not None:
        count = len(axis.choices)
        units = [place / (count - 1) if count > 1 else 0.5 for place in range(count)]
        return [float(place) for place in range(count)], units
    if axis.low == axis.high:
        return [axis.low], [0.5]
    units = [(place + 0.5) / _CELLS for place in range(_CELLS)]
    if axis.is_log:
        ratio = math.log(axis.high / axis.low)
        return [rounded(axis.low * math.exp(unit * ratio)) for unit in units], units
    return [rounded(axis.low * (1 - unit) + axis.high * unit) for unit in units], units
