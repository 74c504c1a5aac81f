"""The search space: each parameter's range, scale and condition, with what was sampled on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from hpo_lab.dashboard.figures.axes import ParameterAxis
from hpo_lab.dashboard.figures.data import ExperimentData, Mark
from hpo_lab.dashboard.figures.figure import Figure, Trace, best_in_words, nothing
from hpo_lab.dashboard.figures.panels import ON_BAR
from hpo_lab.dashboard.figures.parameter_tree import (
    Branch,
    bound_in_words,
    kind_in_words,
    range_in_words,
    tree,
)
from hpo_lab.dashboard.figures.theme import (
    BLUE,
    CODE_FONT,
    GOLD,
    GOLD_INK,
    GROUND,
    INK,
    INK2,
    INK3,
    LINE,
    RED,
)
from hpo_lab.dashboard.figures.wording import (
    amount,
    counted,
    distinct,
    hover,
    plain,
    short,
    value_text,
)
from hpo_lab.experiment.model import Parameter, Value
from hpo_lab.experiment.space import same

__all__ = ["search_space"]

_ROW = 46
_BINS = 24
_CHOICES = 12
_NAMES, _RANGE, _BEST = -1.02, -0.45, 1.34
"""Where the columns of words begin, and where the last ends; the samples are from 0 to 1."""


def search_space(data: ExperimentData) -> Figure:
    """A row for each parameter, those with a condition below the parameter that it reads."""
    title = "Search space"
    if not data.parameters:
        return nothing(data, title, "There are no parameters.")
    branches = list(tree(list(data.parameters.values())))
    assigned = [row for row in data.rows if row.trial.assignments]
    traces: list[Trace] = []
    notes: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    best = data.best.trial.assignments if data.best else {}
    written: Mapping[str, Value] = data.spec.initial_points[0] if data.spec.initial_points else {}
    at_bound = []
    labels = distinct([branch.parameter.name for branch in branches], 20)
    for place, branch in enumerate(branches):
        parameter = branch.parameter
        name = parameter.name
        values = [row.trial.assignments[name] for row in assigned if name in row.trial.assignments]
        axis = ParameterAxis(parameter, values)
        cells = _cells(axis)
        traces.append(_samples(axis, cells, values, place, notes))
        is_bound = _words(parameter, branch, labels[place], place, best, bool(data.best), notes)
        if is_bound:
            at_bound.append(parameter.name)
        shapes += _lines(branch, place)
        for name, source in (("best", best), ("as written", written)):
            if parameter.name in source:
                unit = axis.unit(source[parameter.name])
                if unit is not None:
                    traces.append(_mark(name, unit, place, source[parameter.name], data, cells))
    shown: set[str] = set()
    for trace in traces:
        if trace["name"] and trace["name"] not in shown:
            shown.add(trace["name"])
            trace["showlegend"] = True
    conditional = sum(branch.parameter.when is not None for branch in branches)
    bounds = (
        f" At a bound: {', '.join(short(name, 40) for name in at_bound[:6])}." if at_bound else ""
    )
    return Figure.of(
        title,
        f"{counted(len(branches), 'parameter')}, {amount(conditional)} with a condition. "
        f"{best_in_words(data)}.{bounds}",
        {
            "not started and without values": sum(
                not row.trial.assignments and row.mark is Mark.CREATED for row in data.rows
            ),
            "without values": sum(
                not row.trial.assignments and row.mark is not Mark.CREATED for row in data.rows
            ),
        },
        subtitle=f"sampled values of {counted(len(assigned), 'trial')}",
        traces=traces,
        layout={
            "xaxis": {"range": [_NAMES, _BEST], "visible": False, "fixedrange": True},
            "yaxis": {
                "range": [len(branches) - 0.45, -0.6],
                "visible": False,
                "fixedrange": True,
            },
            "annotations": notes,
            "shapes": shapes,
            "barmode": "overlay",
            "margin": {"l": 8, "r": 8, "t": 36, "b": 34},
        },
        height=70 + _ROW * len(branches),
        summarised=len(assigned),
    )


def _cells(axis: ParameterAxis) -> list[Value]:
    """The values of a parameter that has few; empty for a range."""
    if axis.choices is not None:
        return axis.choices if len(axis.choices) <= _CHOICES else []
    if axis.is_whole and axis.high - axis.low < _CHOICES:
        return list(range(round(axis.low), round(axis.high) + 1))
    return []


def _samples(
    axis: ParameterAxis,
    cells: Sequence[Value],
    values: Sequence[Value],
    place: int,
    notes: list[dict[str, Any]],
) -> Trace:
    """Bars of how often each value, or each part of the range, was sampled."""
    words: list[str]
    if cells:
        count = len(cells)
        counts = Counter(zip(values, map(type, values), strict=True))
        tally = [
            sum(number for (value, _), number in counts.items() if same(value, cell))
            for cell in cells
        ]
        wide = 1 / count
        middles = [(index + 0.5) * wide for index in range(count)]
        words = [
            f"{value_text(cell)} \N{MULTIPLICATION SIGN}{amount(tally[index])}"
            for index, cell in enumerate(cells)
        ]
        width = wide * 0.94
        room = int(42 / count)
        notes += [
            {
                "text": plain(short(word if len(word) <= room else value_text(cell), room)),
                "x": middle,
                "y": place + 0.27,
                "xref": "x",
                "yref": "y",
                "showarrow": False,
                "yanchor": "bottom",
                "font": {"size": 10, "color": INK},
                "name": ON_BAR,
            }
            for word, cell, middle in zip(words, cells, middles, strict=True)
            if room > 1
        ]
    else:
        tally = axis.parts(values, _BINS)
        middles = [(index + 0.5) / _BINS for index in range(_BINS)]
        words = [counted(each, "trial") for each in tally]
        width = 1 / _BINS * 0.9
    most = max(tally, default=0) or 1
    return {
        "type": "bar",
        "name": "",
        "x": [round(middle, 4) for middle in middles],
        # The range grows downwards: a bar rises from the ground line of its row.
        "y": [-round(0.5 * each / most, 4) for each in tally],
        "base": [place + 0.28] * len(tally),
        "width": [round(width, 4)] * len(tally),
        "marker": {"color": BLUE, "opacity": 0.6, "line": {"width": 0}},
        "hovertext": [f"{hover(axis.name)}: {plain(short(word, 60))}" for word in words],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }


def _mark(
    name: str, unit: float, place: int, value: Value, data: ExperimentData, cells: Sequence[Value]
) -> Trace:
    if cells:
        # They are drawn as wide bars, inside whose left end the mark leaves the words free.
        index = round(unit * (len(cells) - 1))
        unit = index / len(cells) + min(0.03, 0.5 / len(cells))
    marker: dict[str, Any]
    if name == "best":
        marker = {
            "symbol": "star",
            "color": GOLD,
            "size": 12,
            "opacity": 1,
            "line": {"color": GOLD_INK, "width": 1.1},
        }
        name = f"best, trial {data.best.number}" if data.best else name
        y = place + 0.28
    else:
        marker = {
            "symbol": "triangle-up",
            "color": GROUND,
            "size": 9,
            "opacity": 1,
            "line": {"color": INK, "width": 1.2},
        }
        y = place + 0.38
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "legendgroup": name,
        "showlegend": False,
        "x": [round(unit, 4)],
        "y": [y],
        "marker": marker,
        "hovertemplate": f"{name}: {hover(value_text(value))}<extra></extra>",
    }


def _lines(branch: Branch, place: int) -> list[dict[str, Any]]:
    """The rule under a row, the axis of its samples, and the branch to the parameter above."""
    flat = {"type": "line", "xref": "x", "yref": "y", "layer": "below"}
    lines = [
        {
            **flat,
            "x0": _NAMES,
            "x1": _BEST,
            "y0": place + 0.52,
            "y1": place + 0.52,
            "line": {"color": LINE, "width": 1},
        },
        {
            **flat,
            "x0": 0,
            "x1": 1,
            "y0": place + 0.28,
            "y1": place + 0.28,
            "line": {"color": INK3, "width": 1},
        },
    ]
    if branch.parent is not None:
        x = _NAMES + 0.05 * (branch.depth - 1) + 0.012
        stroke = {"color": INK3, "width": 1}
        lines += [
            {
                **flat,
                "x0": x,
                "x1": x,
                "y0": branch.parent + 0.36,
                "y1": place - 0.08,
                "line": stroke,
            },
            {
                **flat,
                "x0": x,
                "x1": x + 0.03,
                "y0": place - 0.08,
                "y1": place - 0.08,
                "line": stroke,
            },
        ]
    return lines


def _words(
    parameter: Parameter,
    branch: Branch,
    label: str,
    place: int,
    best: Mapping[str, Value],
    has_best: bool,
    notes: list[dict[str, Any]],
) -> bool:
    """Name, kind, range and best value; whether that is at a bound of the range."""
    indent = _NAMES + 0.05 * min(branch.depth, 4)

    def write(text: str, x: float, y: float, colour: str, tip: str = "", **more: Any) -> None:
        note = {
            "text": text,
            "x": x,
            "y": y,
            "xref": "x",
            "yref": "y",
            "showarrow": False,
            "xanchor": "left",
            "yanchor": "middle",
            "font": {"size": 11, "color": colour},
        }
        notes.append({**note, **more, **({"hovertext": plain(tip)} if tip else {})})

    code = {"size": 11, "color": INK, "family": CODE_FONT}
    write(plain(label), indent, place - 0.08, INK, parameter.name, font=code)
    kind = kind_in_words(parameter)
    when = f"when {parameter.when}" if parameter.when else ""
    small = {"size": 10, "color": INK2}
    write(
        plain(short(when or kind, 26)),
        indent,
        place + 0.26,
        INK2,
        f"{kind}; {when}" if when else "",
        font=small,
    )
    write(
        plain(short(range_in_words(parameter), 19)),
        _RANGE,
        place - 0.08,
        INK,
        range_in_words(parameter),
    )
    if when:
        write(plain(short(kind, 19)), _RANGE, place + 0.26, INK2, font=small)
    if not has_best:
        return False
    right = {"xanchor": "right"}
    if parameter.name not in best:
        write("not active", _BEST, place - 0.08, INK2, **right)
        return False
    value = best[parameter.name]
    write(
        f"<b>{plain(short(value_text(value), 12))}</b>",
        _BEST,
        place - 0.08,
        GOLD_INK,
        value_text(value),
        **right,
    )
    bound = bound_in_words(parameter, value)
    if bound:
        write(bound, _BEST, place + 0.26, RED, **right, font={"size": 10, "color": RED})
    return bool(bound)
