"""The Pareto front: two objectives in one panel, several in a panel for each pair."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, islice
from typing import Any

from hpo_lab.dashboard.figures.axes import ValueAxis, rounded
from hpo_lab.dashboard.figures.data import ExperimentData, Mark, Row
from hpo_lab.dashboard.figures.figure import Figure, Trace, nothing
from hpo_lab.dashboard.figures.marks import by_mark, dots, front_marker, key, thinned
from hpo_lab.dashboard.figures.panels import Panels, panel_title
from hpo_lab.dashboard.figures.theme import GREEN, INK3
from hpo_lab.dashboard.figures.wording import (
    amount,
    counted,
    direction,
    hover,
    plain,
    short,
    value_text,
)
from hpo_lab.experiment.trial import objective_values, pareto_front

__all__ = ["pareto"]

_PAIRS = 6
_FRONT = 400
Values = tuple[float, ...]


def pareto(data: ExperimentData) -> Figure:
    """All trials with every objective, those on the front as diamonds, joined for a pair."""
    title = "Pareto front"
    names = [name for name, _ in data.objective.objectives]
    if len(names) < 2:
        why = f"There is a single objective, {short(data.metric, 60)}; a front needs two."
        return nothing(data, title, why)
    values: dict[int, Values] = {}
    for row in data.rows:
        if row.value is not None:
            numbers = objective_values(data.objective, row.trial)
            if numbers is not None and all(abs(number) < 1.7e308 for number in numbers):
                values[row.number] = numbers
    if not values:
        why = f"No trial has a value of all {len(names)} objectives yet."
        return nothing(data, title, why)
    rows = [row for row in data.rows if row.number in values]
    on_front = {trial.number for trial in pareto_front(data.objective, [r.trial for r in rows])}
    front = thinned([row for row in rows if row.number in on_front], most=_FRONT)
    others = thinned([row for row in rows if row.number not in on_front], most=data.most)
    pairs = list(islice(combinations(range(len(names)), 2), _PAIRS))
    columns = min(3, len(pairs))
    panels = Panels(
        len(pairs),
        columns,
        panel=240 if len(pairs) == 1 else 170,
        titles=True,
        left=64,
        between=52,
        under=64,
    )
    traces: list[Trace] = []
    layout: dict[str, Any] = {"annotations": []}
    axes_of = [
        ValueAxis.of([numbers[place] for numbers in values.values()]) for place in range(len(names))
    ]
    for place, (x, y) in enumerate(pairs):
        traces += _panel(data, names, (x, y), values, others, front, panels.axes(place))
        across = {**axes_of[x].layout(), "title": {"text": _name(data, x, columns)}}
        layout.update(panels.layout(place, across, axes_of[y].layout()))
        layout["annotations"].append(
            panel_title(
                names[y],
                panels.axes(place),
                short(names[y], 60 // columns),
                False,
                _way(data, y, columns),
            )
        )
    _explain(traces)
    panels.key = key(traces)
    best = min(front, key=lambda row: data.loss(values[row.number][0])) if front else None
    first = (
        f" The best {short(names[0], 40)} on it is {value_text(values[best.number][0])} in trial "
        f"{best.number}."
        if best
        else ""
    )
    counts = Counter(
        row.mark.value if row.value is None else "without all objectives"
        for row in data.rows
        if row.number not in values
    )
    rest = len(rows) - len(front) - len(others)
    more = len(names) * (len(names) - 1) // 2 - len(pairs)
    return Figure.of(
        title,
        f"{counted(len(on_front), 'trial')} of {amount(len(data.trials))} on the Pareto front of "
        f"{', '.join(short(name, 40) for name in names)}.{first}",
        {**counts, "left out among their neighbours": rest},
        subtitle=f"{amount(len(on_front))} of {counted(len(data.trials), 'trial')}"
        + (f"  ·  {counted(more, 'further pair')}" if more else ""),
        traces=traces,
        layout={**layout, "margin": panels.margin},
        height=panels.height,
    )


def _way(data: ExperimentData, place: int, columns: int) -> str:
    """Which way is better, in words where there is room for them."""
    words = direction(data.smaller_is_better(_names(data)[place]))
    return words if columns == 1 else words[-1]


def _names(data: ExperimentData) -> list[str]:
    return [name for name, _ in data.objective.objectives]


def _name(data: ExperimentData, place: int, columns: int) -> str:
    name = plain(short(_names(data)[place], 60 // columns))
    return f"{name}{', ' if columns == 1 else ' '}{_way(data, place, columns)}"


def _panel(
    data: ExperimentData,
    names: list[str],
    pair: tuple[int, int],
    values: dict[int, Values],
    others: list[Row],
    front: list[Row],
    axes: dict[str, str],
) -> list[Trace]:
    """The traces of two objectives."""
    x, y = pair

    def place(row: Row) -> tuple[float, float]:
        numbers = values[row.number]
        return rounded(numbers[x]), rounded(numbers[y])

    traces: list[Trace] = []
    if len(names) == 2 and len(front) > 1:
        line = sorted(map(place, front))
        smaller = data.smaller_is_better(names[1]), data.smaller_is_better(names[0])
        # The steps bound what the front dominates: which corner they turn depends on the way.
        shape = "hv" if smaller[1] else "vh"
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [a for a, _ in line],
                "y": [b for _, b in line],
                "line": {"shape": shape, "color": GREEN, "width": 1.6},
                "hoverinfo": "skip",
                "showlegend": False,
                **axes,
            }
        )
    for mark, group in by_mark(others).items():
        trace = dots(mark, group, place, names[y], axes, names[x])
        if mark is Mark.SUCCEEDED:
            trace["marker"] |= {"color": INK3, "size": 6}
        traces.append(trace)
    if front:
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "on the front",
                "legendgroup": "on the front",
                "showlegend": False,
                "x": [place(row)[0] for row in front],
                "y": [place(row)[1] for row in front],
                "customdata": [row.number for row in front],
                "marker": front_marker(),
                "hovertemplate": (
                    f"trial %{{customdata}}, on the front<br>{hover(names[x])} %{{x:.4~g}}"
                    f"<br>{hover(names[y])} %{{y:.4~g}}<extra></extra>"
                ),
                **axes,
            }
        )
    return traces


def _explain(traces: list[Trace]) -> None:
    """Name the other trials as what they are beside the front."""
    for trace in traces:
        if trace.get("name") == Mark.SUCCEEDED.value:
            trace["name"] = trace["legendgroup"] = "behind the front"
