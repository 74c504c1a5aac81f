"""The metrics that have bounds, and which trials keep them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hpo_lab.dashboard.figures.axes import ValueAxis, is_finite, rounded
from hpo_lab.dashboard.figures.data import ExperimentData, Mark, Row
from hpo_lab.dashboard.figures.figure import Figure, Trace, best_in_words, nothing
from hpo_lab.dashboard.figures.marks import (
    best_mark,
    by_mark,
    dots,
    key,
    lane,
    thinned,
)
from hpo_lab.dashboard.figures.panels import Panels, anchors, panel_title, trial_axis
from hpo_lab.dashboard.figures.theme import INK2, RED
from hpo_lab.dashboard.figures.wording import amount, counted, hover, short, value_text
from hpo_lab.experiment.model import MetricConstraint

__all__ = ["constraints"]

_PANELS = 6


def constraints(data: ExperimentData) -> Figure:
    """A panel for each constraint: its metric in each trial, the bounds, and who breaks them."""
    title = "Constraints"
    bounds = data.objective.constraints
    if not bounds:
        return nothing(data, title, "The experiment has no constraints.")
    started = [row for row in data.rows if row.mark is not Mark.CREATED]
    if not started:
        return nothing(data, title, "No trial has started yet.")
    shown = thinned(started, {data.best.number} if data.best else (), data.most)
    panelled = bounds[:_PANELS]
    tables = [_values(data, bound, shown) for bound in panelled]
    panels = Panels(
        len(panelled),
        panel=110,
        lane=any(len(table) < len(shown) for table in tables),
        titles=True,
        left=64,
        under=46,
    )
    traces: list[Trace] = []
    layout: dict[str, Any] = {"annotations": [], "shapes": []}
    last = data.rows[-1].number
    for place, (bound, table) in enumerate(zip(panelled, tables, strict=True)):
        axes = panels.axes(place)
        axis = _axis(bound, list(table.values()))
        traces += _panel(data, bound, table, shown, panels, place)
        layout["shapes"] += _bounds(bound, axis, axes)
        broken = sum(bool(bound.violation(value)) for value in table.values())
        words = (
            f"{_range(bound)}, {counted(broken, 'trial')} {'breaks' if broken == 1 else 'break'} it"
        )
        layout["annotations"].append(
            panel_title(bound.name, axes, short(bound.name, 40), False, words)
        )
        x = trial_axis(0, last)
        if place == len(panelled) - 1:
            x["title"] = {"text": "trial"}
        layout.update(panels.layout(place, x, axis.layout()))
    traces += anchors(panels, traces)
    _explain(traces)
    panels.key = key(traces)
    infeasible = data.counts[Mark.INFEASIBLE]
    more = len(bounds) - len(panelled)
    return Figure.of(
        title,
        f"{counted(infeasible, 'trial')} of {amount(len(data.trials))} "
        f"{'breaks' if infeasible == 1 else 'break'} a constraint. {best_in_words(data)}.",
        {
            "not started": data.counts[Mark.CREATED],
            "left out among their neighbours": len(started) - len(shown),
        },
        subtitle=counted(len(bounds), "constraint")
        + (f", the first {len(panelled)} of them" if more else ""),
        traces=traces,
        layout={**layout, "margin": panels.margin},
        height=panels.height,
    )


def _values(data: ExperimentData, bound: MetricConstraint, rows: Sequence[Row]) -> dict[int, float]:
    """The finite values of the metric of *bound*, by trial."""
    strategy = data.objective.strategy(bound.name)
    values = {}
    for row in rows:
        metric = row.trial.metrics.get(bound.name)
        value = None if metric is None else metric.by(strategy)
        if value is not None and is_finite(value) and row.trial.is_final:
            values[row.number] = value
    return values


def _axis(bound: MetricConstraint, values: Sequence[float]) -> ValueAxis:
    ends = [end for end in (bound.min, bound.max) if end is not None and is_finite(end)]
    return ValueAxis.of([*values, *ends])


def _range(bound: MetricConstraint) -> str:
    low = "" if bound.min is None else f"at least {value_text(float(bound.min))}"
    high = "" if bound.max is None else f"at most {value_text(float(bound.max))}"
    return " and ".join(filter(None, [low, high]))


def _panel(
    data: ExperimentData,
    bound: MetricConstraint,
    table: dict[int, float],
    shown: Sequence[Row],
    panels: Panels,
    place: int,
) -> list[Trace]:
    axes = panels.axes(place)
    traces: list[Trace] = []
    best = data.best if data.best is not None and data.best.number in table else None

    def at(row: Row) -> tuple[float, float]:
        return row.number, rounded(table[row.number])

    inside = [row for row in shown if row.number in table and row is not best]
    broken = [row for row in inside if bound.violation(table[row.number])]
    kept = [row for row in inside if not bound.violation(table[row.number])]
    # A trial that keeps this constraint may break another.
    kept = [
        row._replace(mark=Mark.SUCCEEDED) if row.mark is Mark.INFEASIBLE else row for row in kept
    ]
    for mark, group in by_mark(kept).items():
        traces.append(dots(mark, group, at, bound.name, axes))
    if broken:
        traces.append(dots(Mark.INFEASIBLE, broken, at, bound.name, axes))
    if best is not None:
        star = best_mark(best, *at(best), bound.name, axes)
        star["hovertemplate"] = (
            f"best: trial {best.number}<br>{hover(bound.name)} %{{y:.4~g}}<extra></extra>"
        )
        traces.append(star)
    if panels.lane:
        without = [row for row in shown if row.number not in table]
        without = [
            row._replace(mark=Mark.NO_VALUE) if row.value is not None else row for row in without
        ]
        traces += lane(without, lambda row: row.number, panels.lane_axes(place))
    return traces


def _bounds(bound: MetricConstraint, axis: ValueAxis, axes: dict[str, str]) -> list[dict[str, Any]]:
    """A dashed line at each bound, and a tint beyond it."""
    shapes = []
    across = f"{axes['xaxis']} domain"
    for end, limit in ((bound.min, axis.low), (bound.max, axis.high)):
        if end is None or not axis.low <= end <= axis.high:
            continue
        sides = {"xref": across, "yref": axes["yaxis"], "x0": 0, "x1": 1, "y0": end}
        shapes += [
            {
                "type": "rect",
                "layer": "below",
                **sides,
                "y1": limit,
                "fillcolor": RED,
                "opacity": 0.07,
                "line": {"width": 0},
            },
            {
                "type": "line",
                **sides,
                "y1": end,
                "line": {"color": INK2, "width": 1, "dash": "4px,3px"},
            },
        ]
    return shapes


def _explain(traces: list[Trace]) -> None:
    """Here a trial that succeeded is one that keeps the constraint."""
    for trace in traces:
        if trace.get("name") == Mark.SUCCEEDED.value:
            trace["name"] = trace["legendgroup"] = "keeps it"
