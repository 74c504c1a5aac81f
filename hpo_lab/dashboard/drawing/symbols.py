"""The shapes of markers as paths."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from hpo_lab.dashboard.drawing.canvas import number

__all__ = ["draw_symbols"]

from hpo_lab.dashboard.drawing.canvas import Canvas

Point = tuple[float, float]

_MANY = 300
_MOST = 500
"""So many markers of one kind are drawn in a panel; more cannot be told apart."""


def _polygon(corners: Sequence[Point]) -> str:
    """A closed path around *corners*, relative to the middle of the marker."""
    (x, y), *others = corners
    before, pieces = (x, y), [f"m{number(x)} {number(y)}"]
    for x, y in others:
        pieces.append(f"l{number(x - before[0])} {number(y - before[1])}")
        before = x, y
    return "".join(pieces) + "z"


def _star(radius: float) -> list[Point]:
    return [
        (
            (radius, radius * 0.44)[place % 2] * math.sin(place * math.pi / 5),
            -(radius, radius * 0.44)[place % 2] * math.cos(place * math.pi / 5),
        )
        for place in range(10)
    ]


def _diamond(radius: float) -> list[Point]:
    return [(0, -radius), (radius, 0), (0, radius), (-radius, 0)]


def _square(radius: float) -> list[Point]:
    side = radius * 0.88
    return [(-side, -side), (side, -side), (side, side), (-side, side)]


def _triangle(radius: float, up: bool) -> list[Point]:
    way = -1 if up else 1
    return [(-radius, -way * 0.6 * radius), (radius, -way * 0.6 * radius), (0, way * radius)]


_FILLED: dict[str, Callable[[float], list[Point]]] = {
    "star": _star,
    "diamond": _diamond,
    "square": _square,
    "triangle-up": lambda radius: _triangle(radius, True),
    "triangle-down": lambda radius: _triangle(radius, False),
}


def _strokes(symbol: str, radius: float) -> str:
    """The lines of a symbol that has no inside."""
    r, d = number(radius), number(2 * radius)
    match symbol:
        case "line-ns":
            return f"m0-{r}v{d}"
        case "line-ew":
            return f"m-{r} 0h{d}"
        case "cross-thin":
            return f"m-{r} 0h{d}m-{r}-{r}v{d}"
        case "circle":
            return f"m-{r} 0a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0-{d} 0"
    k, s = number(radius * 0.85), number(radius * 1.7)
    return f"m-{k}-{k}l{s} {s}m0-{s}l-{s} {s}"


def draw_symbols(
    canvas: Canvas,
    symbol: str,
    points: Sequence[Point],
    *,
    size: float,
    colour: str,
    line: tuple[str, float],
    opacity: float = 1,
) -> None:
    """Draw a marker at each of *points*; those at the same place once.

    Args:
        canvas: Where.
        symbol: As plotly calls it.
        points: In pixels; whole ones where there are many.
        size: The diameter.
        colour: Of the inside, or of the lines where there is none.
        line: Colour and width of the outline.
        opacity: Of the whole.
    """
    places = list(
        dict.fromkeys(
            (round(x, 1), round(y, 1))
            if len(points) < _MANY
            else (float(round(x)), float(round(y)))
            for x, y in points
        )
    )
    if len(places) > _MOST:
        canvas.hidden += len(places) - _MOST
        places = [places[place * len(places) // _MOST] for place in range(_MOST)]
    starts = [f"M{number(x)} {number(y)}" for x, y in places]
    radius, open_ = size / 2, symbol.endswith("-open")
    base = symbol.removesuffix("-open")
    width = max(line[1], 1.2)
    if base == "circle" and not open_:
        # Lines without a length, whose ends are round: a third of the bytes of circles.
        d = "".join(f"{start}h0" for start in starts)
        if line[1]:
            edge = size + 2 * line[1]
            canvas.path(d, stroke=line[0], width=edge, round_caps=True, opacity=opacity)
        canvas.path(d, stroke=colour, width=size, round_caps=True, opacity=opacity)
    elif base in _FILLED:
        outline = _polygon(_FILLED[base](radius))
        d = "".join(f"{start}{outline}" for start in starts)
        if open_:
            canvas.path(d, stroke=colour, width=width, opacity=opacity)
        else:
            stroke = line[0] if line[1] else ""
            canvas.path(d, fill=colour, stroke=stroke, width=line[1], opacity=opacity)
    else:
        strokes = _strokes(base, radius)
        d = "".join(f"{start}{strokes}" for start in starts)
        canvas.path(d, stroke=colour, width=width, opacity=opacity)
