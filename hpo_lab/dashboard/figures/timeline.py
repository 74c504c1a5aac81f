"""When each trial ran, where, and how it ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple

from hpo_lab.dashboard.figures.data import ExperimentData, Mark, Row
from hpo_lab.dashboard.figures.figure import Figure, Trace, best_in_words, nothing
from hpo_lab.dashboard.figures.marks import shape_of
from hpo_lab.dashboard.figures.panels import Panels
from hpo_lab.dashboard.figures.theme import GOLD, GROUND
from hpo_lab.dashboard.figures.wording import amount, counted, plain, short
from hpo_lab.dashboard.words import duration

__all__ = ["timeline"]

_BARS = 600
_APART = 300
"""Up to so many bars a gap of a pixel is between a bar and the next."""
_ROWS = 64
_PLACES = ("place", "node", "worker", "gpu", "device")
"""What the record of a trial may say about where it ran, in its labels or reported as text."""


_MARKED = (Mark.EARLY_STOPPED, Mark.FAILED, Mark.NO_VALUE, Mark.KILLED, Mark.INFEASIBLE)


class Bar(NamedTuple):
    """One trial, or several of the same kind that follow each other.

    Attributes:
        start, end: Seconds since the first start.
        mark: How the trials ended; None for the best.
        first: The number of the first.
        size: How many trials it is of.
    """

    start: float
    end: float
    mark: Mark | None
    first: int
    size: int = 1


def timeline(data: ExperimentData) -> Figure:
    """A bar for each trial in the row of its place, worker and GPU, where these are known.

    Where they are not, a row is a slot: what one after the other did.
    """
    title = "Timeline"
    spans = _spans(data)
    if not spans:
        return nothing(data, title, "No trial has a time at which it started.")
    origin = min(start for _, start, _ in spans)
    end = max(end for _, _, end in spans)
    by_row = _rows(data, spans)
    names = list(by_row)[:_ROWS]
    hidden = sum(len(group) for group in list(by_row.values())[_ROWS:])
    bars = {
        name: [
            Bar(start - origin, end - origin, None if row is data.best else row.mark, row.number)
            for row, start, end in by_row[name]
        ]
        for name in names
    }
    total = sum(map(len, bars.values()))
    if total > _BARS:
        bars = {name: _merged(group, (end - origin) / 600) for name, group in bars.items()}
    drawn = sum(map(len, bars.values()))
    wide = max(end - origin, 1e-3)
    words = [plain(short(name, 28)) for name in names]
    height = 26 if len(names) <= 16 else 14
    panels = Panels(
        panel=max(60, height * len(names)),
        left=min(200, 24 + round(6.4 * max(map(len, words)))),
        labelled=True,
    )
    traces = _traces(data, bars, names, wide, gap=1 if drawn <= _APART else 0)
    panels.key = 1
    ticks = _time_ticks(wide)
    count = len(spans)
    without = len(data.rows) - count
    merged = total - drawn
    running = data.counts[Mark.RUNNING]
    return Figure.of(
        title,
        f"{counted(count, 'trial')} in {duration(end - origin)} in {counted(len(by_row), 'row')}"
        f"{f', {amount(running)} running' if running else ''}. {best_in_words(data)}.",
        {
            "without a start": without,
            "in the bars of their neighbours": merged,
            f"in {amount(len(by_row) - len(names))} further rows": hidden,
        },
        subtitle="what ran where; a bar is a trial" if not merged else "what ran where",
        traces=traces,
        layout={
            **panels.layout(
                0,
                {
                    "range": [-0.01 * wide, 1.01 * wide],
                    "tickvals": [place for place, _ in ticks],
                    "ticktext": [word for _, word in ticks],
                    "title": {"text": "time since the first start"},
                },
                {
                    "range": [len(names) - 0.3, -0.5],
                    "tickvals": list(range(len(names))),
                    "ticktext": words,
                    "showgrid": False,
                },
            ),
            "barmode": "overlay",
            "margin": panels.margin,
        },
        height=panels.height,
    )


def _spans(data: ExperimentData) -> list[tuple[Row, float, float]]:
    """The trials that have started, with start and end, in the order of starting."""
    spans = []
    latest = max(
        [data.now or 0.0, *(t.completed_at or t.started_at or 0.0 for t in data.trials)],
        default=0.0,
    )
    for row in data.rows:
        start = row.trial.started_at
        if start is not None and row.mark is not Mark.CREATED:
            end = row.trial.completed_at if row.trial.is_final else latest
            spans.append((row, start, max(start, start if end is None else end)))
    return sorted(spans, key=lambda span: (span[1], span[0].number))


def _rows(
    data: ExperimentData, spans: Sequence[tuple[Row, float, float]]
) -> Mapping[str, list[tuple[Row, float, float]]]:
    """The trials by the row they are drawn in."""
    where = [_where(row) for row, _, _ in spans]
    rows: dict[str, list[tuple[Row, float, float]]] = defaultdict(list)
    for name in sorted({name for name in where if name}):
        rows[name] = []
    slots: list[tuple[float, int]] = []
    for name, span in zip(where, spans, strict=True):
        if not name:
            _, start, end = span
            # The slot that is free for longest, so that rows fill evenly.
            slot = heappop(slots)[1] if slots and slots[0][0] <= start + 1e-9 else len(slots)
            heappush(slots, (end, slot))
            place = "slot" if data.place == "local" else f"{data.place}, slot"
            name = f"{place} {slot}"
        rows[name].append(span)
    return rows


def _where(row: Row) -> str:
    """What the record says about where a trial ran: `worker a, gpu 1`; empty where nothing."""
    labels, metrics = row.trial.labels, row.trial.metrics
    if not labels and not any(name in metrics for name in _PLACES):
        return ""
    texts = {
        name: labels.get(name) or (metrics[name].text if name in metrics else "")
        for name in _PLACES
    }
    return ", ".join(f"{name} {text}" for name, text in texts.items() if text)


def _merged(bars: Sequence[Bar], gap: float) -> list[Bar]:
    """Bars of one kind that follow each other within a *gap* of seconds as one."""
    merged: list[Bar] = []
    for bar in bars:
        before = merged[-1] if merged else None
        if before and before.mark is bar.mark is not None and bar.start - before.end <= gap:
            end, size = max(before.end, bar.end), before.size + bar.size
            merged[-1] = Bar(before.start, end, bar.mark, before.first, size)
        else:
            merged.append(bar)
    if len(merged) <= _BARS:
        return merged
    # Too many changes to be seen: those that are long enough, and the best.
    longest = sorted(merged, key=lambda bar: (bar.mark is not None, bar.start - bar.end))[:_BARS]
    return sorted(longest)


def _traces(
    data: ExperimentData,
    bars: Mapping[str, Sequence[Bar]],
    names: Sequence[str],
    wide: float,
    gap: int,
) -> list[Trace]:
    groups: dict[Mark | None, list[tuple[int, Bar]]] = defaultdict(list)
    for place, name in enumerate(names):
        for bar in bars[name]:
            groups[bar.mark].append((place, bar))
    traces: list[Trace] = []
    least = wide / (280 if gap else 800)
    for mark in [*Mark, None]:
        if mark not in groups:
            continue
        group = groups[mark]
        word = mark.value if mark else "best"
        colour: Any = shape_of(mark).colour if mark else GOLD
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": word,
                "legendgroup": word,
                "showlegend": True,
                "y": [place for place, _ in group],
                "x": [round(max(bar.end - bar.start, least), 3) for _, bar in group],
                "base": [round(bar.start, 3) for _, bar in group],
                "width": [0.64 if mark is not Mark.RUNNING else 0.36] * len(group),
                "customdata": [bar.first for _, bar in group],
                "text": [_number(bar, wide) for _, bar in group],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "constraintext": "none",
                "insidetextfont": {"size": 10, "color": GROUND if mark else "#111111"},
                "hovertext": [_tip(bar, word) for _, bar in group],
                "hovertemplate": "%{hovertext}<extra></extra>",
                # The line is the gap between a bar and the next.
                "marker": {"color": colour, "line": {"width": gap, "color": GROUND}},
            }
        )
        if mark in _MARKED:
            traces.append(_marks(mark, group, word))
    return traces


def _marks(mark: Mark, group: Sequence[tuple[int, Bar]], word: str) -> Trace:
    """The marks below bars whose colour is not that of success."""
    shape = shape_of(mark)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": word,
        "legendgroup": word,
        "showlegend": False,
        "x": [round((bar.start + bar.end) / 2, 3) for _, bar in group],
        "y": [place + 0.46 for place, _ in group],
        "marker": {**shape.marker(), "size": 6, "opacity": 1},
        "hoverinfo": "skip",
    }


def _number(bar: Bar, wide: float) -> str:
    """The number of the trial, where its bar has room for it."""
    text = str(bar.first)
    room = 560 * (bar.end - bar.start) / wide
    return text if bar.size == 1 and room > 7 * len(text) + 3 else ""


def _tip(bar: Bar, word: str) -> str:
    span = f"{word}, {duration(bar.end - bar.start)}"
    if bar.size == 1:
        return f"trial {bar.first}: {span}"
    return f"{counted(bar.size, 'trial')} from {bar.first}: {span}"


_STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200)


def _time_ticks(wide: float) -> list[tuple[float, str]]:
    """About five times from 0 on, as `0:20` or `2:00:00`."""
    if wide < 4:
        return [(0.0, "0 s"), (wide, duration(wide))]
    step = next((step for step in _STEPS if wide / step <= 6), 86400 * max(1, round(wide / 5e5)))
    return [(float(place), _clock(place)) for place in range(0, int(wide) + 1, step)]


def _clock(seconds: int) -> str:
    if seconds >= 172800:
        return f"{seconds / 86400:g} d"
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
