"""The lineage of population based training: values over generations, and who copied whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hpo_lab.dashboard.figures.axes import ParameterAxis, ValueAxis, rounded
from hpo_lab.dashboard.figures.data import ExperimentData, Mark, Row
from hpo_lab.dashboard.figures.figure import Figure, Trace, best_in_words, nothing
from hpo_lab.dashboard.figures.influence import chosen_parameters
from hpo_lab.dashboard.figures.marks import best_mark, by_mark, dots, key, lane, thinned
from hpo_lab.dashboard.figures.panels import Panels, anchors, panel_title
from hpo_lab.dashboard.figures.theme import BLUE, GOLD_INK, INK2
from hpo_lab.dashboard.figures.wording import counted, direction, distinct, short

__all__ = ["lineage"]

_GENERATION, _MEMBER, _ORIGIN = "generation", "member", "origin"
_EXPLOITED = "exploited"
_PARAMETERS = 5
_MOST = 1000

Place = Callable[[Row], float | None]


def lineage(data: ExperimentData) -> Figure:
    """A panel for the objective and for each parameter over generations.

    A line joins a trial with the one that goes on from its checkpoint, a dashed one where
    another member took it over. The line that led to the best is strong.
    """
    title = "Lineage"
    rows = [row for row in data.rows if _generation(row) is not None]
    if not rows:
        name = data.spec.algorithm.algorithm_name
        why = f"The trials have no generations: {short(name, 40)} does not train a population."
        return nothing(data, title, why)
    started = [row for row in rows if row.mark is not Mark.CREATED]
    if not started:
        return nothing(data, title, "No trial has started yet.")
    ancestry = _ancestry(data, {row.number: row for row in rows})
    shown = {row.number: row for row in thinned(started, ancestry, _MOST)}
    parameters = chosen_parameters(data, _PARAMETERS)
    count = 1 + len(parameters)
    columns = 2 if count > 1 else 1
    panels = Panels(
        count,
        columns,
        panel=140,
        lane=any(row.value is None for row in shown.values()),
        titles=True,
        left=64,
        between=64,
        under=64,
    )
    values = [row.value for row in shown.values() if row.value is not None]
    smaller = data.smaller_is_better(data.metric)
    axis = ValueAxis.of(values)
    names = distinct([parameter.name for parameter in parameters], 22)
    traces: list[Trace] = []
    layout: dict[str, Any] = {"annotations": []}
    generations = [_generation(row) or 0 for row in shown.values()]
    low, high = min(generations), max(generations)
    x = {
        "range": [low - 0.4 - 0.02 * high, high + 0.4 + 0.02 * high],
        "title": {"text": "generation"},
    }
    if high - low <= 8:
        x |= {
            "tickvals": list(range(low, high + 1)),
            "ticktext": list(map(str, range(low, high + 1))),
        }
    for place in range(count):
        axes = panels.axes(place)
        if place == 0:
            traces += _panel(data, shown, lambda row: row.value, data.metric, ancestry, panels, 0)
            words = direction(smaller)
            layout["annotations"].append(
                panel_title(data.metric, axes, short(data.metric, 20), False, words)
            )
            layout.update(panels.layout(0, x, axis.layout()))
            continue
        parameter = parameters[place - 1]
        values_ = [
            row.trial.assignments[parameter.name]
            for row in shown.values()
            if parameter.name in row.trial.assignments
        ]
        upwards = ParameterAxis(parameter, values_)
        traces += _panel(data, shown, _place_of(upwards), parameter.name, ancestry, panels, place)
        words = "log scale" if upwards.is_log else ""
        layout["annotations"].append(
            panel_title(parameter.name, axes, names[place - 1], beside=words)
        )
        layout.update(panels.layout(place, x, upwards.layout(9)))
    traces += anchors(panels, traces)
    panels.key = key(traces)
    members = {row.trial.labels.get(_MEMBER, "") for row in rows}
    copied = sum(row.trial.labels.get(_ORIGIN) == _EXPLOITED for row in rows)
    unstarted = sum(row.mark is Mark.CREATED for row in data.rows)
    unlabelled = sum(row.mark is not Mark.CREATED and _generation(row) is None for row in data.rows)
    others = len(data.parameters) - len(parameters)
    return Figure.of(
        title,
        f"{counted(len(members), 'member')} over {counted(high - low + 1, 'generation')}, "
        f"{counted(copied, 'time')} a better one was copied. {best_in_words(data)}.",
        {
            "not started": unstarted,
            "without a generation": unlabelled,
            "left out among their neighbours": len(started) - len(shown),
        },
        subtitle="a line goes on from a checkpoint, a dotted one from another member's"
        + (f"  ·  {counted(others, 'further parameter')}" if others else ""),
        traces=traces,
        layout={**layout, "margin": panels.margin},
        height=panels.height,
    )


def _generation(row: Row) -> int | None:
    text = row.trial.labels.get(_GENERATION, "")
    return int(text) if text.isdecimal() and len(text) < 8 else None


def _place_of(axis: ParameterAxis) -> Place:
    def place(row: Row) -> float | None:
        name = axis.name
        return axis.place(row.trial.assignments[name]) if name in row.trial.assignments else None

    return place


def _ancestry(data: ExperimentData, rows: Mapping[int, Row]) -> set[int]:
    """The best trial and those whose checkpoints it goes back to."""
    numbers: set[int] = set()
    row = data.best
    while row is not None and row.number not in numbers:
        numbers.add(row.number)
        row = rows.get(row.trial.parent) if row.trial.parent is not None else None
    return numbers


def _panel(
    data: ExperimentData,
    shown: Mapping[int, Row],
    place_of: Place,
    name: str,
    ancestry: set[int],
    panels: Panels,
    place: int,
) -> list[Trace]:
    axes = panels.axes(place)
    heights = {
        number: height for number, row in shown.items() if (height := place_of(row)) is not None
    }
    pairs = []
    for number, row in shown.items():
        parent = row.trial.parent
        if number in heights and parent is not None and parent in heights:
            pairs.append((shown[parent], row))
    kinds = {
        "goes on": [p for p in pairs if p[1].trial.labels.get(_ORIGIN) != _EXPLOITED],
        "copied from another": [p for p in pairs if p[1].trial.labels.get(_ORIGIN) == _EXPLOITED],
        "led to the best": [p for p in pairs if p[1].number in ancestry],
    }
    looks = {
        "goes on": (BLUE, 1.2, "solid", 0.45),
        "copied from another": (INK2, 1.2, "2px,3px", 0.9),
        "led to the best": (GOLD_INK, 2.4, "solid", 1.0),
    }
    traces = [
        _segments(kind, kinds[kind], heights, looks[kind], axes) for kind in kinds if kinds[kind]
    ]
    best = data.best
    drawn = [row for number, row in shown.items() if number in heights and row is not best]
    for mark, group in by_mark(drawn).items():
        trace = dots(mark, group, lambda row: _at(row, heights), name, axes)
        if mark is Mark.SUCCEEDED:
            trace["marker"]["size"] = 6
        trace["text"] = [row.trial.labels.get(_MEMBER, "") for row in group]
        trace["hovertemplate"] = trace["hovertemplate"].replace(
            "trial %{customdata}", "trial %{customdata}, member %{text}"
        )
        traces.append(trace)
    if best is not None and best.number in heights:
        traces.append(best_mark(best, *_at(best, heights), data.metric, axes))
    if panels.lane and place == 0:
        without = [row for row in shown.values() if row.value is None]
        traces += lane(without, lambda row: float(_generation(row) or 0), panels.lane_axes(0))
    return traces


def _at(row: Row, heights: Mapping[int, float]) -> tuple[float, float]:
    return float(_generation(row) or 0), rounded(heights[row.number])


def _segments(
    name: str,
    pairs: Sequence[tuple[Row, Row]],
    heights: Mapping[int, float],
    look: tuple[str, float, str, float],
    axes: Mapping[str, str],
) -> Trace:
    xs: list[float | None] = []
    ys: list[float | None] = []
    for parent, row in pairs:
        (a, b), (c, d) = _at(parent, heights), _at(row, heights)
        xs += [a, c, None]
        ys += [b, d, None]
    colour, width, dash, opacity = look
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "legendgroup": name,
        "showlegend": False,
        "x": xs[:-1],
        "y": ys[:-1],
        "connectgaps": False,
        "line": {"color": colour, "width": width, "dash": dash},
        "opacity": opacity,
        "hoverinfo": "skip",
        **axes,
    }
