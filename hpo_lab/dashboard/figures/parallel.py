"""Parallel coordinates: a line for each trial across its parameters to its objective."""

from __future__ import annotations

from typing import Any

from hpo_lab.dashboard.figures.axes import ParameterAxis, ValueAxis, rounded, tick_text, ticks
from hpo_lab.dashboard.figures.data import ExperimentData, Row
from hpo_lab.dashboard.figures.figure import Figure, best_in_words, nothing
from hpo_lab.dashboard.figures.influence import chosen_parameters
from hpo_lab.dashboard.figures.marks import by_mark, thinned
from hpo_lab.dashboard.figures.theme import colourscale
from hpo_lab.dashboard.figures.wording import amount, direction, distinct, plain, short, value_text
from hpo_lab.experiment.model import Parameter

__all__ = ["parallel"]

_MOST = 1000
_INACTIVE = -0.1


def parallel(data: ExperimentData) -> Figure:
    """The trials with a value as lines; the strongest are the best, the golden one the best.

    Axes are in the order of importance. Where a parameter was not active, the line runs below
    its axis.
    """
    title = "Parallel coordinates"
    rows = list(data.valued)
    parameters = chosen_parameters(data, data.axes)
    if not rows or not parameters:
        why = f"{best_in_words(data)}." if data.parameters else "There are no parameters."
        return nothing(data, title, why)
    best = data.best
    shown = thinned(rows, {best.number} if best else (), _MOST)
    left_out = {
        f"{mark.value}": len(group)
        for mark, group in by_mark(row for row in data.rows if row.value is None).items()
    }
    others = len(data.parameters) - len(parameters)
    beside = f"  ·  {amount(others)} further parameters not shown" if others else ""
    labels = distinct([parameter.name for parameter in parameters], 66 // len(parameters) + 1)
    smaller = data.smaller_is_better(data.metric)
    values = [row.value or 0.0 for row in shown]
    axis = ValueAxis.of(values, smaller, may_bend=True)
    trace = {
        "type": "parcoords",
        "customdata": [row.number for row in shown],
        "line": {"color": _shades(data, shown), "cmin": 0, "cmax": 1, "colorscale": colourscale()},
        "dimensions": [
            *(
                _dimension(parameter, label, shown)
                for parameter, label in zip(parameters, labels, strict=True)
            ),
            _objective(data, values, axis),
        ],
    }
    scale = f"  ·  {axis.words}" if axis.words else ""
    return Figure.of(
        title,
        f"{best_in_words(data)}, across {len(parameters)} of {len(data.parameters)} parameters.",
        {**left_out, "left out among their neighbours": len(rows) - len(shown)},
        subtitle=f"strong lines are good trials, {direction(smaller)}{scale}{beside}",
        traces=[trace],
        layout={"margin": {"l": 56, "r": 64, "t": 84, "b": 28}},
        height=340,
    )


def _shades(data: ExperimentData, rows: list[Row]) -> list[float]:
    """How good each trial is, from 0 to 1 by its rank; the best has the highest of all."""
    order = sorted(
        range(len(rows)),
        key=lambda place: (
            rows[place] is not data.best,
            data.loss(rows[place].value or 0.0),
            rows[place].number,
        ),
    )
    shades = [1.0] * len(rows)
    for rank, place in enumerate(order):
        shades[place] = round(1 - rank / len(rows), 4)
    return shades


def _dimension(parameter: Parameter, label: str, rows: list[Row]) -> dict[str, Any]:
    name = parameter.name
    axis = ParameterAxis(parameter, [v for row in rows if (v := _value(row, name)) is not None])
    units = [
        axis.unit(row.trial.assignments[name]) if name in row.trial.assignments else None
        for row in rows
    ]
    pairs = axis.unit_ticks()
    inactive = any(unit is None for unit in units)
    if inactive:
        pairs = [(_INACTIVE, "not active"), *pairs]
    spread = axis.choices is not None
    return {
        "label": plain(label),
        "range": [_INACTIVE - 0.04 if inactive else -0.04, 1.04],
        "values": [
            _INACTIVE
            if unit is None
            # Lines of one choice run beside each other.
            else round(unit + (((row.number * 37) % 11 - 5) / 160 if spread else 0), 4)
            for unit, row in zip(units, rows, strict=True)
        ],
        "tickvals": [place for place, _ in pairs],
        "ticktext": [word for _, word in pairs],
    }


def _value(row: Row, name: str) -> Any:
    return row.trial.assignments.get(name)


def _objective(data: ExperimentData, values: list[float], axis: ValueAxis) -> dict[str, Any]:
    """The last axis; the best is at its top."""
    # Where the worst are cut off, they end at the edge.
    kept = [axis.edge if axis.is_beyond(value) else value for value in values]
    places = [rounded(axis.along(value)) for value in kept]
    low, high = axis.along(axis.low), axis.along(axis.high)
    best = data.best
    if axis.bend:
        bent = axis.layout()
        marks, words = bent["tickvals"], bent["ticktext"]
    elif axis.is_log:
        marks = [float(place) for place in range(round(low), round(high) + 1)]
        marks = marks[:: max(1, len(marks) // 6)]
        words = [tick_text(10**mark) for mark in marks]
    else:
        marks = ticks(low, high, 5)
        words = [tick_text(mark) for mark in marks]
    if best is not None and best.value is not None:
        at = rounded(axis.along(best.value))
        near = 0.06 * (high - low)
        pairs = [(m, w) for m, w in zip(marks, words, strict=True) if abs(m - at) > near]
        pairs.append((at, value_text(best.value)))
        marks, words = [m for m, _ in pairs], [w for _, w in pairs]
    return {
        "label": plain(short(data.metric, 12)),
        "range": [high, low] if data.smaller_is_better(data.metric) else [low, high],
        "values": places,
        "tickvals": marks,
        "ticktext": words,
    }
