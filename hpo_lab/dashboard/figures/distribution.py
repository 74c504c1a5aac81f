"""The empirical distribution of the objective."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter

from hpo_lab.dashboard.figures.axes import ValueAxis
from hpo_lab.dashboard.figures.data import ExperimentData
from hpo_lab.dashboard.figures.figure import Figure, best_in_words, nothing
from hpo_lab.dashboard.figures.marks import best_mark
from hpo_lab.dashboard.figures.panels import Panels
from hpo_lab.dashboard.figures.theme import BLUE
from hpo_lab.dashboard.figures.wording import amount, direction, hover, short, value_text

__all__ = ["distribution"]

_STEPS = 400


def distribution(data: ExperimentData) -> Figure:
    """Which share of the trials is at least as good as a value."""
    title = "Empirical distribution"
    values = sorted(row.value for row in data.valued if row.value is not None)
    if not values:
        return nothing(data, title, f"{best_in_words(data)}.")
    smaller = data.smaller_is_better(data.metric)
    axis = ValueAxis.of(values, smaller, may_bend=True)
    count = len(values)
    places = range(count)
    if count > _STEPS:
        places_ = {round(place * (count - 1) / (_STEPS - 1)) for place in range(_STEPS)}
        places = sorted(places_)  # type: ignore[assignment]
    xs = [axis.at(values[place]) for place in places]
    ys = [round((place + 1) / count, 5) for place in places]
    panels = Panels(panel=190, left=60)
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": [xs[0], *xs],
        "y": [0, *ys],
        "line": {"shape": "hv", "color": BLUE, "width": 2},
        "showlegend": False,
        "hovertemplate": (
            f"%{{y:.0%}} of the trials have at most<br>{hover(data.metric)} "
            f"{'%{text}' if axis.bend else '%{x:.4~g}'}<extra></extra>"
        ),
    }
    if axis.bend:
        line["text"] = [value_text(values[place]) for place in [places[0], *places]]
    traces = [line]
    best = data.best
    if best is not None and best.value is not None:
        at = round(bisect_right(values, best.value) / count, 5)
        traces.append(best_mark(best, axis.at(best.value), at, data.metric))
    middle = values[(count - 1) // 2]
    x = axis.layout()
    beyond = sum(map(axis.is_beyond, values)) if axis.cut else 0
    note = (
        f"  ·  {amount(beyond)} lie beyond the {'left' if axis.cut < 0 else 'right'} edge"
        if beyond
        else f"  ·  {axis.words}" * bool(axis.words)
    )
    without = Counter(row.mark.value for row in data.rows if row.value is None)
    return Figure.of(
        title,
        f"{best_in_words(data)}; the median is {value_text(middle)}.",
        without,
        subtitle=f"share of the trials up to a value, {direction(smaller)}{note}",
        traces=traces,
        layout={
            **panels.layout(
                0,
                {**x, "title": {"text": hover(short(data.metric, 60))}},
                {
                    "range": [-0.02, 1.06],
                    "tickvals": [0, 0.25, 0.5, 0.75, 1],
                    "ticktext": ["0%", "25%", "50%", "75%", "100%"],
                },
            ),
            "margin": panels.margin,
        },
        height=panels.height,
        summarised=count - (best is not None),
    )
