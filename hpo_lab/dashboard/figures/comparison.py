"""Several experiments with the same objective: the best so far of each, in one picture."""

from __future__ import annotations

from collections.abc import Mapping

from hpo_lab.dashboard.figures.axes import ValueAxis, rounded
from hpo_lab.dashboard.figures.data import ExperimentData, Mark, Row
from hpo_lab.dashboard.figures.figure import Figure, Trace
from hpo_lab.dashboard.figures.marks import key
from hpo_lab.dashboard.figures.panels import Panels, trial_axis
from hpo_lab.dashboard.figures.theme import SERIES
from hpo_lab.dashboard.figures.wording import direction, distinct, hover, plain, short, value_text

__all__ = ["MOST_COMPARED", "comparison"]

MOST_COMPARED = len(SERIES)
_DASHES = ("solid", "dash", "dot", "dashdot")


def comparison(experiments: Mapping[str, ExperimentData]) -> Figure:
    """The best so far of *experiments* by name, at most `MOST_COMPARED`, over their trials."""
    first = next(iter(experiments.values()))
    smaller = first.smaller_is_better(first.metric)
    lines = {name: _improvements(data) for name, data in experiments.items()}
    lines = {name: rows for name, rows in lines.items() if rows}
    labels = dict(zip(experiments, distinct(list(experiments), 30), strict=True))
    axis = ValueAxis.of(
        row.value for rows in lines.values() for row in rows if row.value is not None
    )
    traces: list[Trace] = []
    for place, name in enumerate(experiments):
        rows = lines.get(name)
        if not rows:
            continue
        values = [rounded(row.value or 0.0) for row in rows]
        shown = f"{labels[name]}  {value_text(rows[-1].value)}"
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": plain(shown),
                "legendgroup": name,
                "showlegend": False,
                "x": [*(row.number for row in rows), experiments[name].trials[-1].number],
                "y": [*values, values[-1]],
                "line": {
                    "shape": "hv",
                    "width": 2,
                    "color": SERIES[place],
                    "dash": _DASHES[place % len(_DASHES)],
                },
                "hovertemplate": f"{hover(name)}, trial %{{x}}<br>%{{y:.4~g}}<extra></extra>",
            }
        )
    panels = Panels(panel=220, left=60)
    panels.key = key(traces)
    last = max((data.trials[-1].number for data in experiments.values() if data.trials), default=0)
    best = [f"{name} {value_text(rows[-1].value)}" for name, rows in lines.items()]
    without = [name for name in experiments if name not in lines]
    text = f"Best {short(first.metric, 60)} so far: {', '.join(best)}." if best else ""
    if without:
        text += f" Without a result: {', '.join(without)}."
    return Figure.of(
        short(first.metric, 50),
        text.strip(),
        subtitle=f"best so far, {direction(smaller)}",
        traces=traces,
        layout={
            **panels.layout(0, {**trial_axis(0, last), "title": {"text": "trial"}}, axis.layout()),
            "margin": panels.margin,
        },
        height=panels.height,
    )


def _improvements(data: ExperimentData) -> list[Row]:
    """The trials that were better than every one before."""
    best = None
    rows = []
    for row in data.rows:
        if row.value is None or row.mark is Mark.INFEASIBLE:
            continue
        if best is None or data.loss(row.value) < best:
            best = data.loss(row.value)
            rows.append(row)
    return rows
