"""The Pareto front of several objectives as HTML: a table, and of two a drawing."""

from __future__ import annotations

from collections.abc import Sequence

from hpo_lab.dashboard.html import GREEN, GREY, MUTED, Cell, cut, table
from hpo_lab.dashboard.trials_html import parameter_cells
from hpo_lab.dashboard.words import number
from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.experiment.trial import objective_values
from hpo_lab.facade.summary import Best, Summary
from hpo_lab.facade.tally import Tally

__all__ = ["front_html"]

_ROWS = 8
_DOTS = 100
_WIDTH, _HEIGHT, _MARGIN = 240, 150, 5
_COLUMNS = 4
_PARAMETERS = 4

Point = tuple[float, ...]


def front_html(summary: Summary, tally: Tally) -> str:
    """The front of *summary*, beside the other trials where there are two objectives."""
    if not summary.front:
        return ""
    pieces = [f'<div style="flex:1 1 24em">{_table(summary)}</div>']
    if len(summary.spec.objective.objectives) == 2:
        pieces.append(_drawing(summary, tally))
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:8px 24px;margin-top:8px">'
        f"{''.join(pieces)}</div>"
    )


def _table(summary: Summary) -> str:
    names = [name for name, _ in summary.spec.objective.objectives][:_COLUMNS]
    shown = _spread(summary.front, _ROWS)
    parameters = [parameter.name for parameter in summary.spec.parameters]
    heads, cells = parameter_cells(parameters, [each.parameters for each in shown], _PARAMETERS)
    rows = [
        [
            Cell(str(each.number), is_number=True),
            *(Cell(number(each.values[name]), is_number=True) for name in names),
            *values,
        ]
        for each, values in zip(shown, cells, strict=True)
    ]
    metrics = [Cell(cut(name, 60), title=name) for name in names]
    front = table([Cell("Front: trial"), *metrics, *heads], rows)
    left_out = len(summary.front) - len(shown)
    return f'{front}<div style="{MUTED}">and {left_out} between them</div>' if left_out else front


def _spread(front: Sequence[Best], count: int) -> list[Best]:
    """At most *count* of the front, evenly from one end to the other."""
    if len(front) <= count:
        return list(front)
    return [front[round(place * (len(front) - 1) / (count - 1))] for place in range(count)]


def _drawing(summary: Summary, tally: Tally) -> str:
    """The trials in the plane of two objectives; there is no text inside the drawing.

    A front end that takes drawings out of a page leaves their text behind.
    """
    objective = summary.spec.objective
    front = _spread(summary.front, _DOTS)
    best = [tuple(each.values.values()) for each in front]
    # A trial that breaks a constraint could be beyond the front; it is not among these.
    others = [
        values
        for trial in reversed(tally.behind_front(_DOTS))
        if (values := objective_values(objective, trial)) is not None
    ]
    scale = _Scale([*best, *others])
    line = "L".join(f"{x} {y}" for x, y in map(scale, best))
    svg = (
        f'<svg role="img" aria-label="{len(summary.front)} trials on the Pareto front" '
        f'width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke-linecap="round" '
        f'style="display:block;border-left:{_LINE};border-bottom:{_LINE}">'
        f'<path d="{_dots(scale, others)}" style="stroke:{GREY};stroke-width:5;opacity:.8"></path>'
        f'<path d="M{line}" style="stroke:{GREEN};opacity:.5"></path>'
        f'<path d="{_dots(scale, best)}" style="stroke:{GREEN};stroke-width:7"></path></svg>'
    )
    (x, x_type), (y, y_type) = objective.objectives
    (left, right), (bottom, top) = scale.bounds
    return (
        f'<div style="flex:none;width:{_WIDTH}px;font-size:11px;line-height:1.4">'
        f"<div>↑ {_axis(y, y_type, bottom, top)}</div>{svg}"
        f'<div style="text-align:right">{_axis(x, x_type, left, right)} →</div></div>'
    )


_LINE = f"1px solid {GREY}"


def _axis(name: str, type: ObjectiveType, low: float, high: float) -> str:
    span = f"{number(low)} to {number(high)}, {type.value}"
    return f'{cut(name, 60)} <span style="{MUTED}">{span}</span>'


class _Scale:
    """From values of two objectives to places in the drawing."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.bounds = tuple((min(axis), max(axis)) for axis in zip(*points, strict=True))

    def __call__(self, point: Point) -> tuple[int, int]:
        x, y = (
            0.5 if low == high else (value / 2 - low / 2) / (high / 2 - low / 2)
            for value, (low, high) in zip(point, self.bounds, strict=True)
        )
        across, down = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN
        return round(_MARGIN + x * across), round(_MARGIN + (1 - y) * down)


def _dots(scale: _Scale, points: Sequence[Point]) -> str:
    """A path of dots: lines without a length, whose ends are round."""
    return "".join(f"M{x} {y}h0" for x, y in dict.fromkeys(map(scale, points)))
