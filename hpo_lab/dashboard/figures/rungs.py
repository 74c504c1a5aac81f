"""Rungs and brackets of multi-fidelity search and early stopping, and who was promoted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from hpo_lab.dashboard.figures.axes import ValueAxis, rounded
from hpo_lab.dashboard.figures.data import ExperimentData, Mark, Row
from hpo_lab.dashboard.figures.figure import Figure, Trace, best_in_words, nothing
from hpo_lab.dashboard.figures.marks import Shape, best_mark, by_mark, dots, key, lane, thinned
from hpo_lab.dashboard.figures.panels import Panels, anchors, panel_title
from hpo_lab.dashboard.figures.rule_rungs import rule_rungs
from hpo_lab.dashboard.figures.theme import BLUE, GOLD_INK
from hpo_lab.dashboard.figures.wording import counted, direction, short

__all__ = ["rungs"]

_RUNG, _BRACKET, _RESOURCE = "rung", "bracket", "resource"
_PANELS = 8
_MOST = 1500
_JOINED = 700


def rungs(data: ExperimentData) -> Figure:
    """A panel for each bracket: rungs across, values upwards, a line for each promotion."""
    title = "Brackets and rungs"
    rows = [row for row in data.rows if _level(row) is not None]
    if not rows and data.spec.early_stopping is not None:
        from hpo_lab.stopping.halving import rungs_of_trials

        steps_of = rungs_of_trials(data.spec)
        if steps_of is not None:
            return rule_rungs(data, steps_of)
    if not rows:
        name = data.spec.algorithm.algorithm_name
        why = f"The trials have no rungs: {short(name, 40)} gives each its full resource."
        return nothing(data, title, why)
    by_bracket: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_bracket[row.trial.labels.get(_BRACKET, "")].append(row)
    brackets = sorted(by_bracket, key=lambda name: (-_number(name), name))
    panelled = brackets[:_PANELS]
    promoted = {parent for row in rows if (parent := row.trial.parent) is not None}
    started = [row for name in panelled for row in by_bracket[name] if row.mark is not Mark.CREATED]
    if not started:
        return nothing(data, title, "No trial has started yet.")
    keep = {data.best.number} if data.best else set()
    shown = {row.number: row for row in thinned(started, keep, _MOST)}
    values = [row.value for row in shown.values() if row.value is not None]
    smaller = data.smaller_is_better(data.metric)
    axis = ValueAxis.of(values)
    columns = min(4, len(panelled))
    panels = Panels(
        len(panelled),
        columns,
        panel=190 if len(panelled) <= 4 else 150,
        lane=any(row.value is None for row in shown.values()),
        titles=True,
        left=60,
        between=16,
        under=64,
    )
    traces: list[Trace] = []
    without_line = 0
    layout: dict[str, Any] = {"annotations": []}
    resource = data.spec.algorithm.settings.get("resource_name", "rung")
    for place, name in enumerate(panelled):
        members = [row for row in by_bracket[name] if row.number in shown]
        drawn, unjoined = _panel(data, members, shown, promoted, panels, place)
        traces += drawn
        without_line += unjoined
        axes = panels.axes(place)
        sizes = Counter(_level(row) for row in by_bracket[name])
        steps = [str(sizes[level]) for level in sorted(sizes, key=lambda each: each or 0)]
        words = "→".join(steps[:6]) if len(by_bracket[name]) < 100_000 else ""
        head = f"bracket {short(name, 8)}" if name else "all trials"
        layout["annotations"].append(panel_title(head, axes, head, False, words))
        levels = _levels(by_bracket[name])
        x = {
            "range": [min(levels) - 0.4, max(levels) + 0.4],
            "tickvals": list(levels),
            "ticktext": list(levels.values()),
            "tickangle": 0,
            "title": {"text": short(resource, 20)},
        }
        y = axis.layout() | ({"showticklabels": False} if place % columns else {})
        layout.update(panels.layout(place, x, y))
    traces += anchors(panels, traces)
    panels.key = key(traces)
    unstarted = sum(row.mark is Mark.CREATED for row in data.rows)
    unlabelled = sum(row.mark is not Mark.CREATED and _level(row) is None for row in data.rows)
    count = len(promoted & {row.number for row in rows})
    started_in_all = sum(row.mark is not Mark.CREATED for row in rows)
    return Figure.of(
        title,
        f"{counted(len(brackets), 'bracket')}, {counted(count, 'trial')} promoted. "
        f"{best_in_words(data)}."
        + (f" Without a line: {counted(without_line, 'promotion')}." if without_line else ""),
        {
            "not started": unstarted,
            "without a rung": unlabelled,
            "in further brackets": started_in_all - len(started),
            "left out among their neighbours": len(started) - len(shown),
        },
        subtitle=f"{short(data.metric, 30)} by {short(resource, 30)}, {direction(smaller)}; "
        "a line is a promotion",
        traces=traces,
        layout={**layout, "margin": panels.margin},
        height=panels.height,
    )


def _level(row: Row) -> int | None:
    text = row.trial.labels.get(_RUNG, "")
    return int(text) if text.isdecimal() and len(text) < 4 else None


def _number(name: str) -> float:
    return float(name) if name.isdecimal() else 0.0


def _levels(rows: Sequence[Row]) -> dict[int, str]:
    """The rungs of a bracket, with the resource that a trial has there."""
    names: dict[int, str] = {}
    for row in rows:
        level = _level(row)
        if level is not None:
            names.setdefault(level, short(row.trial.labels.get(_RESOURCE) or str(level), 8))
    return dict(sorted(names.items()))


def _panel(
    data: ExperimentData,
    rows: Sequence[Row],
    shown: Mapping[int, Row],
    promoted: set[int],
    panels: Panels,
    place: int,
) -> tuple[list[Trace], int]:
    """The traces of a bracket, and how many promotions have no line for want of room."""
    axes = panels.axes(place)

    def x(row: Row) -> float:
        return float(_level(row) or 0)

    valued = [row for row in rows if row.value is not None]
    ancestry = _ancestry(data, shown)
    joined = [
        (parent, row)
        for row in valued
        if (parent := shown.get(row.trial.parent if row.trial.parent is not None else -1))
        and parent.value is not None
        and _level(parent) is not None
    ]
    strong = [pair for pair in joined if pair[1].number in ancestry]
    others = [pair for pair in joined if pair[1].number not in ancestry]
    traces = [
        _segments(pairs, x, colour, width, opacity, axes)
        for pairs, colour, width, opacity in (
            (others[:_JOINED], BLUE, 1.0, 0.5),
            (strong, GOLD_INK, 2.2, 1.0),
        )
        if pairs
    ]
    best = data.best
    for mark, group in by_mark(row for row in valued if row is not best).items():
        went_on = [row for row in group if row.number in promoted]
        ended = [row for row in group if row.number not in promoted]
        for part, suffix in ((went_on, "promoted"), (ended, "")):
            if not part:
                continue
            trace = dots(
                mark, part, lambda row: (x(row), rounded(row.value or 0.0)), data.metric, axes
            )
            if mark is Mark.SUCCEEDED:
                word = suffix or "not promoted"
                trace["name"] = trace["legendgroup"] = word
                if not suffix:
                    trace["marker"] = Shape("circle-open", BLUE, 6, 1.3, 0.8).marker()
            traces.append(trace)
    if best is not None and best in rows:
        traces.append(best_mark(best, x(best), rounded(best.value or 0.0), data.metric, axes))
    if panels.lane:
        traces += lane([row for row in rows if row.value is None], x, panels.lane_axes(place))
    return traces, len(others[_JOINED:])


def _ancestry(data: ExperimentData, shown: Mapping[int, Row]) -> set[int]:
    """The best trial and those that it continues from."""
    numbers: set[int] = set()
    row = data.best
    while row is not None and row.number not in numbers:
        numbers.add(row.number)
        row = shown.get(row.trial.parent) if row.trial.parent is not None else None
    return numbers


def _segments(
    pairs: Sequence[tuple[Row, Row]],
    x: Any,
    colour: str,
    width: float,
    opacity: float,
    axes: Mapping[str, str],
) -> Trace:
    """A line from each trial to the one that continues it."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for parent, row in pairs:
        xs += [x(parent), x(row), None]
        ys += [rounded(parent.value or 0.0), rounded(row.value or 0.0), None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": xs[:-1],
        "y": ys[:-1],
        "connectgaps": False,
        "line": {"color": colour, "width": width},
        "opacity": opacity,
        "hoverinfo": "skip",
        "showlegend": False,
        **axes,
    }
