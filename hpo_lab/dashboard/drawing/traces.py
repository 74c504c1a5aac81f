"""Traces of plotly as elements of an SVG."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from hpo_lab.dashboard.drawing.canvas import Canvas, line_path, number, text_width
from hpo_lab.dashboard.drawing.scales import Scale
from hpo_lab.dashboard.drawing.symbols import draw_symbols
from hpo_lab.dashboard.figures.axes import ticks
from hpo_lab.dashboard.figures.theme import BLUE, GROUND, INK2, RAMP

__all__ = ["DRAWERS", "draw_colour_bar"]

Trace = Mapping[str, Any]
Point = tuple[float, float]

_MANY = 300


def _runs(trace: Trace, x: Scale, y: Scale) -> list[list[Point]]:
    """The pixels of a line, in pieces where it is interrupted."""
    runs: list[list[Point]] = [[]]
    many = len(trace["x"]) > _MANY
    for a, b in zip(trace["x"], trace["y"], strict=True):
        if a is None or b is None:
            if runs[-1]:
                runs.append([])
            continue
        at = x(a), y(b)
        runs[-1].append((float(round(at[0])), float(round(at[1]))) if many else at)
    return [run for run in runs if run]


def draw_scatter(canvas: Canvas, trace: Trace, x: Scale, y: Scale) -> None:
    """Lines, then markers, then words."""
    mode = trace.get("mode", "markers")
    if "lines" in mode:
        _lines(canvas, trace, _runs(trace, x, y))
    if "markers" in mode:
        _markers(canvas, trace, x, y)
    if "text" in mode:
        font = trace.get("textfont", {})
        for a, b, words in zip(trace["x"], trace["y"], trace["text"], strict=True):
            anchor = trace.get("textposition", "middle center").split()[-1]
            # The side on which the words stand is the opposite of the end that is fixed.
            anchor = {"left": "right", "right": "left"}.get(anchor, "center")
            canvas.text(
                x(a), y(b) + 4, words, anchor=anchor, fill=font.get("color", INK2), halo=True
            )


def _lines(canvas: Canvas, trace: Trace, runs: Sequence[Sequence[Point]]) -> None:
    line = trace.get("line", {})
    stroke, width = line.get("color", BLUE), line.get("width", 2)
    dash = line.get("dash", "").replace("px", "").replace(",", " ")
    dash = {"dot": "2 3", "dash": "6 3", "solid": ""}.get(dash, dash)
    opacity = trace.get("opacity", 1)
    if line.get("shape") in ("hv", "vh"):
        runs = [_stairs(run, line["shape"] == "hv") for run in runs]
    if trace.get("fill") == "tozeroy":
        return
    if line.get("shape") == "spline":
        d = "".join(map(_curve, runs))
    else:
        d = "".join(map(line_path, runs))
    canvas.path(d, stroke=stroke, width=width, dash=dash, opacity=opacity)


def _stairs(run: Sequence[Point], across_first: bool) -> list[Point]:
    points = [run[0]]
    for x, y in run[1:]:
        before = points[-1]
        points += [(x, before[1]) if across_first else (before[0], y), (x, y)]
    return points


def _curve(run: Sequence[Point]) -> str:
    """A line that leaves and reaches each of its points level."""
    pieces = [f"M{number(run[0][0])} {number(run[0][1])}"]
    for (a, b), (c, d) in pairwise(run):
        middle = number((a + c) / 2)
        pieces.append(f"C{middle} {number(b)} {middle} {number(d)} {number(c)} {number(d)}")
    return "".join(pieces)


def _markers(canvas: Canvas, trace: Trace, x: Scale, y: Scale) -> None:
    """The markers; those of one colour and size are one path."""
    marker = trace.get("marker", {})
    count = len(trace["x"])
    colours = _each(marker.get("color", BLUE), count)
    symbols = _each(marker.get("symbol", "circle"), count)
    line = marker.get("line", {})
    groups: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for place, (a, b) in enumerate(zip(trace["x"], trace["y"], strict=True)):
        if a is not None and b is not None:
            groups[symbols[place], colours[place]].append((x(a), y(b)))
    for (symbol, colour), points in groups.items():
        draw_symbols(
            canvas,
            symbol,
            points,
            size=marker.get("size", 7),
            colour=colour,
            line=(line.get("color", colour), line.get("width", 0)),
            opacity=marker.get("opacity", 1),
        )


def _each(value: Any, count: int) -> Sequence[Any]:
    return value if isinstance(value, list) else [value] * count


def draw_bar(canvas: Canvas, trace: Trace, x: Scale, y: Scale) -> None:
    """Bars from their base, across or upwards, with a width in the units of the other axis."""
    flat = trace.get("orientation") == "h"
    marker = trace.get("marker", {})
    places, lengths = (trace["y"], trace["x"]) if flat else (trace["x"], trace["y"])
    count = len(places)
    # Its line separates a bar from the next.
    line_width = marker.get("line", {}).get("width", 0)
    gap = line_width if isinstance(line_width, int | float) else 0
    bases = _each(trace.get("base", 0), count)
    widths = _each(trace.get("width", 0.72), count)
    colours = _each(marker.get("color", BLUE), count)
    words = _each(trace.get("text", ""), count)
    groups: dict[tuple[str, float], dict[str, None]] = defaultdict(dict)
    labels = []
    for place in range(count):
        at, half = places[place], widths[place] / 2
        ends = bases[place], bases[place] + lengths[place]
        if flat:
            a, b, c, d = x(ends[0]), x(ends[1]), y(at + half), y(at - half)
        else:
            a, b, c, d = x(at - half), x(at + half), y(ends[1]), y(ends[0])
        c, d = min(c, d), max(c, d)
        if count > _MANY or gap:
            a, b = float(round(a)), float(round(b))
        wide = max(b - a - gap, 0.8)
        # A thick line: half of the bytes of a box.
        line = f"M{number(a)} {number((c + d) / 2)}h{number(wide)}"
        groups[colours[place], round(d - c, 1)][line] = None
        labels.append((a, b, (c + d) / 2, words[place]))
    opacity = marker.get("opacity", 1)
    for (colour, height), lines in groups.items():
        if height:
            canvas.path("".join(lines), stroke=colour, width=height, opacity=opacity)
    inside = trace.get("insidetextfont", {}).get("color", GROUND)
    outside = trace.get("textposition") == "outside"
    for a, b, middle, text in labels:
        if not text:
            continue
        if outside:
            canvas.text(b + 6, middle + 4, text, fill="--hpo-ink")
        elif b - a > text_width(text) + 4:
            canvas.text((a + b) / 2, middle + 4, f"<b>{text}</b>", anchor="center", fill=inside)


def draw_heatmap(canvas: Canvas, trace: Trace, x: Scale, y: Scale) -> None:
    """Cells in the colours of the ramp; neighbours of one colour in a row are one."""
    low, high = trace["zmin"], trace["zmax"]
    reverse = bool(trace.get("reversescale"))
    lefts, bottoms = _edges(trace["x"], x), _edges(trace["y"], y)
    boxes: dict[str, list[str]] = defaultdict(list)
    for row, values in enumerate(trace["z"]):
        top, bottom = bottoms[row + 1], bottoms[row]
        column = 0
        while column < len(values):
            colour = _cell(values[column], low, high, reverse)
            end = column + 1
            while end < len(values) and _cell(values[end], low, high, reverse) == colour:
                end += 1
            if colour:
                a, b = lefts[column], lefts[end]
                # A hair more than its size, so that no seam shows between two of them.
                boxes[colour].append(
                    f"M{number(a)} {number(top)}h{number(b - a + 0.3)}"
                    f"v{number(bottom - top + 0.3)}h{number(a - b - 0.3)}z"
                )
            column = end
    for colour, paths in boxes.items():
        canvas.path("".join(paths), fill=colour, opacity=trace.get("opacity", 1))


def draw_colour_bar(canvas: Canvas, trace: Trace, x: Scale, y: Scale) -> None:
    """The ramp of a heat map on its right, with the values at its ends."""
    left, bottom, top = x.end + 14, y.start, y.end
    bar = trace.get("colorbar", {})
    low, high = trace["zmin"], trace["zmax"]
    height = (bottom - top) / len(RAMP)
    for place, colour in enumerate(RAMP[::-1] if trace.get("reversescale") else RAMP):
        canvas.rect(left, bottom - (place + 1) * height, 10, height + 0.3, colour)
    values = bar.get("tickvals") or ticks(low, high, 4)
    words = bar.get("ticktext") or [f"{value:.4g}" for value in values]
    for value, word in zip(values, words, strict=True):
        if low <= value <= high and high > low:
            at = bottom - (value / 2 - low / 2) / (high / 2 - low / 2) * (bottom - top)
            canvas.text(left + 15, at + 4, word)


def _cell(value: float | None, low: float, high: float, reverse: bool) -> str:
    return "" if value is None else ramp_colour(value, low, high, reverse)


def ramp_colour(value: float, low: float, high: float, reverse: bool = False) -> str:
    """The name of the colour of *value* on the ramp from *low* to *high*."""
    share = (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5
    share = min(max(1 - share if reverse else share, 0.0), 1.0)
    return RAMP[min(int(share * len(RAMP)), len(RAMP) - 1)]


def _edges(middles: Sequence[float], scale: Scale) -> list[float]:
    """The pixels between the middles of cells, and those before the first and after the last."""
    pixels = [scale(middle) for middle in middles]
    if len(pixels) == 1:
        return [scale.start, scale.end]
    between = [(a + b) / 2 for a, b in pairwise(pixels)]
    first, last = 2 * pixels[0] - between[0], 2 * pixels[-1] - between[-1]
    return [first, *between, last]


DRAWERS: Mapping[str, Callable[[Canvas, Trace, Scale, Scale], None]] = {
    "scatter": draw_scatter,
    "bar": draw_bar,
    "heatmap": draw_heatmap,
}
"""What draws a trace, by its type."""
