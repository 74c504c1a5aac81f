"""The rungs of a rule for early stopping: how far each trial came, and where it was stopped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hpo_lab.dashboard.figures.axes import ValueAxis, rounded
from hpo_lab.dashboard.figures.data import ExperimentData, Mark, Row
from hpo_lab.dashboard.figures.figure import Figure, Trace, best_in_words, nothing
from hpo_lab.dashboard.figures.marks import best_mark, by_mark, dots, key, thinned
from hpo_lab.dashboard.figures.panels import Panels, anchors, panel_title
from hpo_lab.dashboard.figures.theme import BLUE, GOLD_INK, PURPLE
from hpo_lab.dashboard.figures.wording import counted, direction, short

__all__ = ["rule_rungs"]

_PANELS = 8
_MOST = 300


@dataclass(frozen=True, slots=True)
class _Climb:
    """A trial with its value at each rung that it has reached, by step."""

    row: Row
    values: dict[int, float]


def rule_rungs(data: ExperimentData, steps_of: Callable[[int, int], list[int]]) -> Figure:
    """A panel for each bracket: rungs across, values upwards, a line for each trial.

    Args:
        data: The experiment.
        steps_of: The rungs of a trial up to a step.
    """
    rule = data.spec.early_stopping.algorithm_name if data.spec.early_stopping else ""
    title = f"Rungs of {short(rule, 30)}"
    climbs = _climbs(data, steps_of)
    if not climbs:
        return nothing(data, title, "No trial has reached a rung yet.")
    best = data.best
    keep = {best.number} if best else set()
    shown = {row.number for row in thinned([climb.row for climb in climbs], keep, _MOST)}
    by_bracket: dict[int, list[_Climb]] = defaultdict(list)
    for climb in climbs:
        by_bracket[min(climb.values)].append(climb)
    brackets = sorted(by_bracket)[:_PANELS]
    axis = ValueAxis.of(
        value for climb in climbs if climb.row.number in shown for value in climb.values.values()
    )
    columns = min(4, len(brackets))
    panels = Panels(len(brackets), columns, panel=190, titles=True, left=60, between=16, under=64)
    traces: list[Trace] = []
    layout: dict[str, Any] = {"annotations": []}
    for place, first in enumerate(brackets):
        members = [each for each in by_bracket[first] if each.row.number in shown]
        levels = sorted({step for each in by_bracket[first] for step in each.values})
        axes = panels.axes(place)
        traces += _panel(data, members, levels, axes)
        sizes = [sum(level in each.values for each in by_bracket[first]) for level in levels]
        head = f"from step {first}" if len(brackets) > 1 else "all trials"
        words = "→".join(map(str, sizes[:6]))
        layout["annotations"].append(panel_title(head, axes, head, False, words))
        x = {
            "range": [-0.4, len(levels) - 0.6],
            "tickvals": list(range(len(levels))),
            "ticktext": list(map(str, levels)),
            "tickangle": 0,
            "title": {"text": "step"},
        }
        y = axis.layout() | ({"showticklabels": False} if place % columns else {})
        layout.update(panels.layout(place, x, y))
    traces += anchors(panels, traces)
    panels.key = key(traces)
    stopped = sum(climb.row.mark is Mark.EARLY_STOPPED for climb in climbs)
    panelled = sum(len(by_bracket[first]) for first in brackets)
    drawn = sum(each.row.number in shown for first in brackets for each in by_bracket[first])
    return Figure.of(
        title,
        f"{counted(stopped, 'trial')} of {len(climbs)} stopped at a rung. {best_in_words(data)}.",
        {
            "without a rung": len(data.rows) - len(climbs),
            "in further brackets": len(climbs) - panelled,
            "left out among their neighbours": panelled - drawn,
        },
        subtitle=f"{short(data.metric, 30)}, {direction(data.smaller_is_better(data.metric))}; "
        "a line is a trial",
        traces=traces,
        layout={**layout, "margin": panels.margin},
        height=panels.height,
    )


def _climbs(data: ExperimentData, steps_of: Callable[[int, int], list[int]]) -> list[_Climb]:
    from hpo_lab.stopping.curve import Curve

    strategy = data.objective.strategy(data.metric)
    climbs = []
    for row in data.rows:
        reported = data.curves.get(row.number)
        if not reported:
            continue
        curve = Curve(strategy).then(reported.items())
        at = {step: curve.value(step) for step in steps_of(row.number, max(reported))}
        values = {step: value for step, value in at.items() if value is not None}
        if values:
            climbs.append(_Climb(row, values))
    return climbs


def _panel(
    data: ExperimentData, climbs: Sequence[_Climb], levels: Sequence[int], axes: dict[str, str]
) -> list[Trace]:
    """The lines of the trials, and a mark at the last rung of each."""
    place = {step: index for index, step in enumerate(levels)}
    last = {each.row.number: max(each.values) for each in climbs}
    values = {each.row.number: each.values[last[each.row.number]] for each in climbs}
    is_best = [each for each in climbs if each.row is data.best]
    stopped = [each for each in climbs if each.row.mark is Mark.EARLY_STOPPED]
    others = [
        each
        for each in climbs
        if each.row is not data.best and each.row.mark is not Mark.EARLY_STOPPED
    ]
    traces: list[Trace] = []
    for group, colour, width, opacity in (
        (stopped, PURPLE, 1.0, 0.4),
        (others, BLUE, 1.0, 0.4),
        (is_best, GOLD_INK, 2.2, 1.0),
    ):
        xs: list[float | None] = []
        ys: list[float | None] = []
        for each in group:
            xs += [*(place[step] for step in each.values), None]
            ys += [*map(rounded, each.values.values()), None]
        if group:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": xs[:-1],
                    "y": ys[:-1],
                    "line": {"color": colour, "width": width},
                    "opacity": opacity,
                    "hoverinfo": "skip",
                    "showlegend": False,
                    **axes,
                }
            )

    def at(row: Row) -> tuple[float, float]:
        return place[last[row.number]], rounded(values[row.number])

    rows = [each.row for each in climbs if each.row is not data.best]
    traces += [dots(mark, group, at, data.metric, axes) for mark, group in by_mark(rows).items()]
    for each in is_best:
        traces.append(best_mark(each.row, *at(each.row), data.metric, axes))
    return traces
