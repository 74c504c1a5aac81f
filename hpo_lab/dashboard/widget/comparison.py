"""Several experiments beside each other: the best so far of each, and what they found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hpo_lab.dashboard.figures.axes import ValueAxis, rounded
from hpo_lab.dashboard.figures.figure import Figure, Trace
from hpo_lab.dashboard.figures.marks import key
from hpo_lab.dashboard.figures.panels import Panels, note, trial_axis
from hpo_lab.dashboard.figures.theme import SERIES
from hpo_lab.dashboard.figures.wording import direction, plain, short, value_text
from hpo_lab.dashboard.html import Cell, cut, table
from hpo_lab.dashboard.selection import best_so_far
from hpo_lab.dashboard.words import metric_number, number, time_used
from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.facade.summary import Summary
from hpo_lab.facade.tally import Tally

__all__ = ["MOST", "Compared", "comparison", "comparison_table"]

MOST = 8
"""So many experiments can be told apart in one picture."""
_LABELS = 4
"""Up to so many are named at the ends of their lines."""
_DASHES = ("solid", "dash", "dot", "dashdot")
_APART = 15
_POINTS = 400


@dataclass(frozen=True, slots=True)
class Compared:
    """An experiment among others.

    Attributes:
        summary: The experiment at a glance.
        curve: The best so far after each trial that has a value.
    """

    summary: Summary
    curve: Sequence[float]

    @classmethod
    def of(cls, summary: Summary, tally: Tally) -> Compared:
        """The experiment of *summary* with its trials."""
        return cls(summary, best_so_far(tally))


def comparison(experiments: Sequence[Compared]) -> Figure:
    """The best so far of each of *experiments*, which have the same first objective.

    Args:
        experiments: At most `MOST` of them with a value, at least one.
    """
    objective = experiments[0].summary.spec.objective
    metric, smaller = objective.objective_metric_name, objective.type is ObjectiveType.MINIMIZE
    shown = [each for each in experiments if each.curve][:MOST]
    axis = ValueAxis.of([value for each in shown for value in each.curve], smaller)
    is_labelled = len(shown) <= _LABELS
    panels = Panels(panel=230, left=60, right=150 if is_labelled else 16)
    traces: list[Trace] = []
    for place, each in enumerate(shown):
        last = len(each.curve) - 1
        improved = [x for x, y in enumerate(each.curve) if x in (0, last) or y != each.curve[x - 1]]
        improved = [*improved[: _POINTS - 1], last] if len(improved) > _POINTS else improved
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": plain(short(each.summary.title, 40)),
                "x": [x + 1 for x in improved],
                # What lies beyond the end of the axis begins at it.
                "y": [rounded(max(axis.low, min(axis.high, each.curve[x]))) for x in improved],
                "line": {
                    "shape": "hv",
                    "color": SERIES[place],
                    "dash": _DASHES[place % len(_DASHES)],
                    "width": 2,
                },
                "showlegend": not is_labelled,
                **panels.axes(0),
            }
        )
    panels.key = key(traces)
    most = max((len(each.curve) for each in shown), default=1)
    found = ", ".join(f"{each.summary.title} {value_text(each.curve[-1])}" for each in shown)
    without = len(experiments) - len(shown)
    return Figure.of(
        "Best so far",
        f"Best {metric} of each experiment: {found}.",
        {"experiments without a value": without},
        subtitle=f"{short(metric, 40)} by trials with a value, {direction(smaller)}",
        traces=traces,
        layout={
            **panels.layout(
                0, {**trial_axis(1, most), "title": {"text": "trials with a value"}}, axis.layout()
            ),
            "annotations": _labels(shown, axis, panels) if is_labelled else [],
            "margin": panels.margin,
        },
        height=panels.height,
    )


def _labels(shown: Sequence[Compared], axis: ValueAxis, panels: Panels) -> list[dict[str, object]]:
    """The names at the right edge, in the order of the last values, none upon another."""
    apart = _APART / panels.panel
    order = sorted(range(len(shown)), key=lambda place: shown[place].curve[-1])
    heights: list[float] = []
    for place in order:
        least = heights[-1] + apart if heights else 0.0
        heights.append(max(_height(shown[place].curve[-1], axis), least))
    beyond = max(0.0, heights[-1] - 1) if heights else 0.0
    axes = panels.axes(0)
    labels = []
    for place, height in zip(order, heights, strict=True):
        each = shown[place]
        text = f"{plain(short(each.summary.title, 14))} {value_text(each.curve[-1])}"
        font = {"size": 11, "color": SERIES[place]}
        where = {"xanchor": "left", "xshift": 6, "yanchor": "middle", "font": font}
        refs = {name: f"{ref} domain" for name, ref in axes.items()}
        labels.append(note(text, 1.0, height - beyond, refs, **where))
    return labels


def _height(value: float, axis: ValueAxis) -> float:
    """Where *value* lies between the ends of the axis, from 0 to 1."""
    numbers = (value, axis.low, axis.high)
    at, low, high = (math.log(each) if axis.is_log else each / 2 for each in numbers)
    return min(1.0, max(0.0, (at - low) / (high - low)))


def comparison_table(experiments: Sequence[Compared]) -> str:
    """A column for each of *experiments*: the best value, where it is, trials and time."""
    names = list(
        dict.fromkeys(
            parameter.name for each in experiments for parameter in each.summary.spec.parameters
        )
    )
    summaries = [each.summary for each in experiments]
    metric = summaries[0].spec.objective.objective_metric_name
    heads = [Cell(""), *(Cell(cut(each.title, 16), title=each.title) for each in summaries)]
    bests = [each.best for each in summaries]
    values = [metric_number(best.value) if best else "none" for best in bests]
    rows: list[list[str | Cell]] = [[cut(metric, 60), *values]]
    for name in names:
        cells = [number(best.parameters.get(name)) if best else "" for best in bests]
        rows.append([Cell(f"<code>{cut(name, 60)}</code>"), *(cut(cell, 60) for cell in cells)])
    rows += [
        ["Search", *(cut(each.spec.algorithm.algorithm_name, 40) for each in summaries)],
        ["Trials", *(str(each.completed) for each in summaries)],
        ["Time", *(cut(time_used(each), 40) for each in summaries)],
    ]
    return table(heads, rows, classes=["best"], label="Best values")
