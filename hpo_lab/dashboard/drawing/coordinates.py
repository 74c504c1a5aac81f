"""Parallel coordinates as lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

from hpo_lab.dashboard.drawing.canvas import Canvas, line_path, number, text_width
from hpo_lab.dashboard.drawing.scales import PlotArea
from hpo_lab.dashboard.drawing.symbols import draw_symbols
from hpo_lab.dashboard.figures.axes import ticks
from hpo_lab.dashboard.figures.theme import GOLD, GOLD_INK, GROUND, INK, INK3, RAMP
from hpo_lab.dashboard.figures.wording import short_choices

__all__ = ["draw_coordinates"]

_MOST = 200
"""So many lines can be told apart, those that are best included."""
_LINE = 11
"""The height of a word in pixels."""


def draw_coordinates(canvas: Canvas, trace: Mapping[str, Any], area: PlotArea) -> None:
    """A trace of type `parcoords`, whose lines have a colour from 0, the worst, to 1."""
    dimensions = trace["dimensions"]
    shades: list[float] = trace["line"]["color"]
    xs = [area.x(place / max(1, len(dimensions) - 1)) for place in range(len(dimensions))]
    order = sorted(range(len(shades)), key=shades.__getitem__)
    if len(order) > _MOST:
        canvas.hidden += len(order) - _MOST
        # The picture is the same to the eye: the worst lines lie below all others.
        every = len(order) / _MOST
        order = [order[int(place * every)] for place in range(_MOST - 1)] + order[-1:]
    # From the worst to the best: those of one colour are one path.
    paths: dict[int, list[str]] = defaultdict(list)

    def draw(paths: Mapping[int, Sequence[str]]) -> None:
        for place, pieces in sorted(paths.items()):
            width = 0.8 + 0.8 * place / len(RAMP)
            canvas.path("".join(pieces), stroke=RAMP[place], width=width)

    for line in order:
        points = [
            (float(round(x)), float(round(_pixel(dimension, dimension["values"][line], area))))
            for x, dimension in zip(xs, dimensions, strict=True)
        ]
        shade = shades[line]
        if line == order[-1]:
            draw(paths)
            canvas.path(line_path(points), stroke=GROUND, width=5)
            canvas.path(line_path(points), stroke=GOLD_INK, width=2.2)
            draw_symbols(canvas, "star", points[-1:], size=13, colour=GOLD, line=(GOLD_INK, 1.2))
        else:
            paths[min(int(shade * len(RAMP)), len(RAMP) - 1)].append(line_path(points))
    for place, (x, dimension) in enumerate(zip(xs, dimensions, strict=True)):
        canvas.path(
            f"M{number(x)} {number(area.top)}V{number(area.top + area.height)}", stroke=INK3
        )
        last = place == len(dimensions) - 1
        # Neighbours take turns in height, so that long names have room.
        y = area.top - (10 if place % 2 == 0 else 24)
        name = dimension["label"]
        anchor = "left" if place == 0 else "right" if last else "center"
        start = max(4, x - 3.3 * len(unescape(name))) if place == 0 else x
        canvas.text(start, y, name, anchor=anchor, fill=INK, code=not last, halo=True)
        pairs = _spread([(_pixel(dimension, v, area), word) for v, word in _ticks(dimension)])
        words = [word for _, word in pairs]
        widest = max((text_width(word, 10) for word in words), default=0)
        # Beyond the last axis is the star.
        side, shift, room = "left", 10 if last else 6, xs[1] - xs[0] - 14 if xs[1:] else 40
        if last:
            room = canvas.width - x - shift - 2
        elif place == 0 and widest <= x - 8:
            side, shift, room = "right", -6, x - 8
        for (at, _), word in zip(pairs, _fitting(words, room), strict=True):
            canvas.text(x + shift, at + 4, word, anchor=side, size=10, fill=INK, halo=True)


def _pixel(dimension: Mapping[str, Any], value: float, area: PlotArea) -> float:
    low, high = dimension["range"]
    share = (value / 2 - low / 2) / ((high / 2 - low / 2) or 1.0)
    return area.y(min(max(share, 0.0), 1.0))


def _spread(pairs: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Those of the words at pixels of an axis that do not lie on each other; the last one does."""
    kept: list[tuple[float, str]] = []
    for at, word in reversed(pairs):
        if all(abs(at - other) >= _LINE for other, _ in kept):
            kept.append((at, word))
    return kept


def _fitting(words: Sequence[str], room: float) -> list[str]:
    """*words* that are shortened until none is wider than *room* pixels."""
    cuts = (
        short_choices(words, letters) for letters in range(max(map(len, words), default=0), 2, -1)
    )
    fits = (cut for cut in cuts if max(text_width(word, 10) for word in cut) <= room)
    return next(fits, short_choices(words, 3))


def _ticks(dimension: Mapping[str, Any]) -> list[tuple[float, str]]:
    if "tickvals" in dimension:
        words = map(unescape, dimension["ticktext"])
        return list(zip(dimension["tickvals"], words, strict=True))
    low, high = dimension["range"]
    return [(value, f"{value:.4g}") for value in ticks(low, high, 4)]
