"""What trials reported step by step, the stopped ones with the bar at which they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hpo_lab.dashboard.figures.axes import ValueAxis, is_finite
from hpo_lab.dashboard.figures.data import ExperimentData, Mark, Row
from hpo_lab.dashboard.figures.figure import Figure, Trace, best_in_words, nothing
from hpo_lab.dashboard.figures.marks import best_mark, by_mark, key, shape_of, thinned
from hpo_lab.dashboard.figures.panels import Panels, note
from hpo_lab.dashboard.figures.theme import GOLD_INK, GROUND
from hpo_lab.dashboard.figures.wording import (
    SPACE,
    amount,
    direction,
    hover,
    listed,
    short,
    value_text,
)
from hpo_lab.facade.results import thinned_curve

__all__ = ["learning_curves"]

_CURVES = 120
_POINTS = 100
_FAINT = {Mark.SUCCEEDED: 0.3, Mark.INFEASIBLE: 0.4}


def learning_curves(data: ExperimentData) -> Figure:
    """The curve of each trial that reported more than once, or a dot where it did not."""
    title = "Learning curves"
    rows = [row for row in data.rows if _has_reported(row, data.metric)]
    chosen = thinned(rows, {data.best.number} if data.best else (), _CURVES)
    # Of those that are drawn alone: there may be millions of reports.
    reported = data.read_curves(data.metric, [row.number for row in chosen])
    curves = {
        row.number: points for row in chosen if (points := _finite(reported.get(row.number, {})))
    }
    shown = [row for row in chosen if row.number in curves]
    if not shown:
        why = f"No trial has reported a finite value of {short(data.metric, 60)} yet."
        return nothing(data, title, why)
    best = data.best if data.best is not None and data.best.number in curves else None
    drawn = {row.number: thinned_curve(curves[row.number], _POINTS) for row in shown}
    smaller = data.smaller_is_better(data.metric)
    axis = ValueAxis.of([value for points in drawn.values() for _, value in points], may_bend=True)
    panels = Panels(panel=220, left=60)
    axes = panels.axes(0)
    traces: list[Trace] = []
    for mark, group in by_mark([row for row in shown if row is not best]).items():
        traces += _group(mark, group, drawn, data.metric, axis)
    annotations: list[dict[str, Any]] = []
    if best is not None:
        traces += _best(best, drawn[best.number], data.metric, axis)
        step, value = drawn[best.number][-1]
        annotations.append(_label(best, step, value, axis, axes))
    panels.key = key(traces)
    steps = [step for points in drawn.values() for step, _ in points]
    low, high = min(steps), max(steps)
    room = 0.04 * (high - low) or 0.5
    endings = listed((mark.value, data.counts[mark]) for mark in Mark)
    spread = f" from {amount(low)} to {amount(high)}" if high > low else f" {amount(low)}"
    rest = len(rows) - len(chosen)
    return Figure.of(
        title,
        f"{best_in_words(data)}; steps{spread}, {endings}.",
        {
            "without a report": len(data.rows) - rest - len(shown),
            "left out among their neighbours": rest,
        },
        subtitle=f"{short(data.metric, 40)} by step, {direction(smaller)}"
        f"{axis.words and f'  ·  {axis.words}'}",
        traces=traces,
        layout={
            **panels.layout(
                0,
                {"range": [low - room, high + 2 * room], "title": {"text": "step"}},
                axis.layout(),
            ),
            "annotations": annotations,
            "margin": panels.margin,
        },
        height=panels.height,
    )


def _has_reported(row: Row, metric: str) -> bool:
    """Whether a trial has reported a finite value of *metric*."""
    summary = row.trial.metrics.get(metric)
    return summary is not None and summary.min is not None


def _finite(curve: Mapping[int, float]) -> list[tuple[int, float]]:
    return [(step, value) for step, value in sorted(curve.items()) if is_finite(value)]


def _group(
    mark: Mark,
    rows: Sequence[Row],
    curves: Mapping[int, Sequence[tuple[int, float]]],
    metric: str,
    axis: ValueAxis,
) -> list[Trace]:
    """The curves of trials of one mark as one trace, and where they end as another."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    numbers: list[int | None] = []
    values: list[float | None] = []
    for row in rows:
        for step, value in curves[row.number]:
            xs.append(step)
            ys.append(axis.at(value))
            numbers.append(row.number)
            values.append(value)
        # What follows is another curve.
        xs.append(None)
        ys.append(None)
        numbers.append(None)
        values.append(None)
    shape = shape_of(mark)
    is_usual = mark is Mark.SUCCEEDED
    lines: Trace = {
        "type": "scatter",
        "mode": "lines",
        "name": mark.value,
        "legendgroup": mark.value,
        "showlegend": False,
        "x": xs[:-1],
        "y": ys[:-1],
        "customdata": numbers[:-1],
        **_told(values[:-1], axis),
        "connectgaps": False,
        "opacity": _FAINT.get(mark, 0.9),
        "line": {
            "color": shape.colour,
            "width": 1.2,
            "dash": "dot" if mark is Mark.RUNNING else "solid",
        },
        "hovertemplate": (
            f"trial %{{customdata}}, step %{{x}}<br>{hover(metric)} "
            f"{'%{text}' if axis.bend else '%{y:.4~g}'}"
            f"{'' if is_usual else f'<br>{mark.value}'}<extra></extra>"
        ),
    }
    ends = [(row.number, *curves[row.number][-1]) for row in rows]
    singles = [end for end, row in zip(ends, rows, strict=True) if len(curves[row.number]) == 1]
    # A curve of one step is a dot; of the others the usual ending needs no mark.
    marked = singles if is_usual else ends
    if not marked:
        return [lines]
    return [
        lines,
        {
            "type": "scatter",
            "mode": "markers",
            "name": mark.value,
            "legendgroup": mark.value,
            "showlegend": False,
            "x": [step for _, step, _ in marked],
            "y": [axis.at(value) for _, _, value in marked],
            **_told([value for _, _, value in marked], axis),
            "customdata": [number for number, _, _ in marked],
            "marker": shape.marker(),
            "hovertemplate": lines["hovertemplate"],
        },
    ][:: -1 if is_usual else 1]


def _told(values: Sequence[float | None], axis: ValueAxis) -> Trace:
    """The *values* as they are, where the axis has them at other places."""
    if not axis.bend:
        return {}
    return {"text": ["" if value is None else value_text(value) for value in values]}


def _best(
    row: Row, points: Sequence[tuple[int, float]], metric: str, axis: ValueAxis
) -> list[Trace]:
    xs, ys = [step for step, _ in points], [axis.at(value) for _, value in points]
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": "best",
        "showlegend": False,
        "x": xs,
        "y": ys,
        "hoverinfo": "skip",
    }
    return [
        {**line, "line": {"color": GROUND, "width": 5}},
        {**line, "line": {"color": GOLD_INK, "width": 2.2}},
        best_mark(row, xs[-1], ys[-1], metric),
    ]


def _label(
    row: Row, step: int, value: float, axis: ValueAxis, axes: dict[str, str]
) -> dict[str, Any]:
    return note(
        f"<b>{value_text(row.value)}</b>{SPACE}trial {row.number}",
        step,
        axis.along(value),
        axes,
        xanchor="right",
        yanchor="bottom",
        yshift=8,
        font={"size": 11, "color": GOLD_INK},
    )
