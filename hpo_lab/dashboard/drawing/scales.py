"""The axes of a layout of plotly in pixels, with their ticks and grid lines."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import pairwise
from typing import Any

from hpo_lab.dashboard.drawing.canvas import Canvas, number, text_width
from hpo_lab.dashboard.figures.axes import is_finite, log_ticks, ticks
from hpo_lab.dashboard.figures.figure import Figure
from hpo_lab.dashboard.figures.theme import INK, INK3, LINE

__all__ = ["PlotArea", "Scale", "axis_key", "draw_axes", "with_ranges"]


@dataclass(frozen=True, slots=True)
class PlotArea:
    """The part of a picture inside its margins."""

    left: float
    top: float
    width: float
    height: float

    def x(self, share: float) -> float:
        """A pixel from a share of the width."""
        return self.left + share * self.width

    def y(self, share: float) -> float:
        """A pixel from a share of the height, which is counted from below."""
        return self.top + (1 - share) * self.height


class Scale:
    """From the values of an axis to pixels."""

    def __init__(self, axis: Mapping[str, Any], area: PlotArea, is_across: bool) -> None:
        """The scale of *axis*, of a layout of plotly."""
        self.axis, self.is_across = axis, is_across
        low, high = axis.get("domain", (0, 1))
        self.start, self.end = (
            (area.x(low), area.x(high)) if is_across else (area.y(low), area.y(high))
        )
        self.is_log = axis.get("type") == "log"
        self.low, self.high = map(float, axis.get("range", (0, 1)))

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        return self.along(math.log10(value) if self.is_log else value)

    def along(self, place: float) -> float:
        """The pixel of a place of the range, which is in logarithms where the axis is."""
        share = (place / 2 - self.low / 2) / ((self.high / 2 - self.low / 2) or 1.0)
        # A pixel far away is enough for what is cut anyway.
        share = min(max(share, -20.0), 20.0)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[tuple[float, str]]:
        """Pixels and words of the ticks."""
        if self.axis.get("visible") is False:
            return []
        values: Sequence[float]
        if "tickvals" in self.axis:
            values = self.axis["tickvals"]
            words = [unescape(str(word)) for word in self.axis.get("ticktext", values)]
        elif "dtick" in self.axis:
            step = self.axis["dtick"]
            first, last = math.ceil(self.low / step), math.floor(self.high / step)
            values = [float(place * step) for place in range(first, last + 1)]
            words = tick_words(values)
        else:
            room = abs(self.end - self.start) / (70 if self.is_across else 36)
            count = max(3, min(6, round(room)))
            low, high = min(self.low, self.high), max(self.low, self.high)
            if self.is_log:
                values = log_ticks(max(10.0**low, 1e-307), 10.0 ** min(high, 307.9), count)
            else:
                values = ticks(low, high, count)
            words = tick_words(values)
        pairs = [(self(value), word) for value, word in zip(values, words, strict=True)]
        first, last = sorted((self.start, self.end))
        return [(at, word) for at, word in pairs if first - 1 <= at <= last + 1]


def tick_words(values: Sequence[float]) -> list[str]:
    """The numbers at ticks, alike in their decimals, as many as tell them apart."""
    if not values:
        return []
    largest = max(map(abs, values))
    gaps = [abs(b - a) for a, b in pairwise(values) if a != b]
    smallest = min(gaps, default=largest or 1.0)
    if largest and (largest >= 1e6 or largest < 1e-3):
        is_even = len({f"{gap:.3g}" for gap in gaps}) <= 1
        digits = max(0, math.ceil(math.log10(largest / smallest) - 1e-9)) if is_even else 0
        return [_exponent(value, min(digits, 12)) for value in values]
    if len({f"{gap:.3g}" for gap in gaps}) > 1:
        return [f"{value:g}" for value in values]
    decimals = max(0, -math.floor(math.log10(smallest) + 1e-9))
    if any(abs(round(value, decimals) - value) > smallest * 1e-3 for value in values):
        decimals += 1
    return [f"{value:.{min(decimals, 12)}f}" for value in values]


def _exponent(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}"


def axis_key(ref: str) -> str:
    """The key of an axis in a layout: `xaxis2` of `x2`."""
    return f"{ref[0]}axis{ref[1:]}"


def with_ranges(figure: Figure) -> dict[str, Any]:
    """The layout of *figure*, in which every axis of a trace has a range."""
    layout = dict(figure.layout)
    values: dict[str, list[float]] = defaultdict(list)
    for trace in figure.traces:
        if trace["type"] == "parcoords":
            continue
        for letter in ("x", "y"):
            key = axis_key(trace.get(f"{letter}axis", letter))
            if "range" not in layout.get(key, {}):
                column = [value for value in trace.get(letter, ()) if is_finite(value)]
                is_length = trace["type"] == "bar" and (letter == "x") == (
                    trace.get("orientation") == "h"
                )
                values[key] += [*column, *([0.0] if is_length and column else [])]
    for key, numbers in values.items():
        axis = layout.get(key, {})
        if axis.get("type") == "log":
            numbers = [math.log10(value) for value in numbers if value > 0]
        low, high = min(numbers, default=0.0), max(numbers, default=1.0)
        room = 0.05 * (high - low) or 0.5
        layout[key] = {**axis, "range": [low - room, high + room]}
    return layout


def draw_axes(canvas: Canvas, layout: Mapping[str, Any], area: PlotArea) -> None:
    """Grid lines, axis lines, ticks and titles of every axis of *layout*."""
    for key, axis in layout.items():
        if not key.startswith(("xaxis", "yaxis")) or axis.get("visible") is False:
            continue
        is_across = key[0] == "x"
        scale = Scale(axis, area, is_across)
        partner = axis.get("anchor", "y" if is_across else "x")
        other = Scale(layout.get(axis_key(partner), {}), area, not is_across)
        (_across if is_across else _upwards)(canvas, axis, scale, other)


def _across(canvas: Canvas, axis: Mapping[str, Any], scale: Scale, other: Scale) -> None:
    ground, top = other.start, other.end
    places = scale.ticks()
    if axis.get("showgrid"):
        d = "".join(f"M{number(at)} {number(ground)}V{number(top)}" for at, _ in places)
        canvas.path(d, stroke=LINE)
    if axis.get("showline", True):
        d = f"M{number(scale.start)} {number(ground)}H{number(scale.end)}"
        if axis.get("ticks") != "":
            d += "".join(f"M{number(at)} {number(ground)}v4" for at, _ in places)
        canvas.path(d, stroke=INK3)
    if axis.get("showticklabels", True):
        after = -math.inf
        for at, word in sorted(places):
            half = text_width(word) / 2
            if at - half < after:
                continue
            after = at + half + 5
            canvas.text(at, ground + 16, word, anchor="center")
    title = (axis.get("title") or {}).get("text", "")
    if title:
        middle = (scale.start + scale.end) / 2
        canvas.text(middle, ground + 33, title, anchor="center", size=12, fill=INK)


def _upwards(canvas: Canvas, axis: Mapping[str, Any], scale: Scale, other: Scale) -> None:
    places = scale.ticks()
    if axis.get("showgrid", True):
        d = "".join(f"M{number(other.start)} {number(at)}H{number(other.end)}" for at, _ in places)
        canvas.path(d, stroke=LINE)
    if axis.get("showticklabels", True):
        font = axis.get("tickfont", {})
        for at, word in places:
            canvas.text(
                other.start - 7,
                at + 4,
                word,
                anchor="right",
                fill=font.get("color", "--hpo-ink2"),
                code="family" in font,
            )
