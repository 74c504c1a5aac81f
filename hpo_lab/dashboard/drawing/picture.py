"""A figure as SVG: one function for every figure made of the traces below.

These are `scatter`, `bar`, `heatmap` and `parcoords`. An axis without a range in the layout has
that of its traces.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from html import unescape
from typing import Any

from hpo_lab.dashboard.drawing.canvas import Canvas, number, text_width
from hpo_lab.dashboard.drawing.coordinates import draw_coordinates
from hpo_lab.dashboard.drawing.scales import (
    PlotArea,
    Scale,
    axis_key,
    draw_axes,
    with_ranges,
)
from hpo_lab.dashboard.drawing.symbols import draw_symbols
from hpo_lab.dashboard.drawing.traces import DRAWERS, draw_colour_bar
from hpo_lab.dashboard.figures.figure import Figure
from hpo_lab.dashboard.figures.panels import ON_BAR
from hpo_lab.dashboard.figures.theme import INK2, INK3

__all__ = ["svg"]

_DASHES = {"dash": "6 3", "dot": "2 3", "dashdot": "8 3 2 3"}


def svg(figure: Figure, scheme: str = "light dark") -> str:
    """*figure* as a static SVG of a few KB, without scripts and references.

    Its colours are those of the page where it stands in one that has the variables of hpo_lab;
    else they are light or dark as *scheme* says.

    Args:
        figure: The figure.
        scheme: `light`, `dark`, `contrast`, or `light dark` to follow who shows it.
    """
    canvas = Canvas(figure.width, figure.height, scheme)
    canvas.heading(figure.title, figure.subtitle)
    layout = with_ranges(figure)
    margin = layout.get("margin", {"l": 56, "r": 16, "t": 36, "b": 42})
    area = PlotArea(
        margin["l"],
        margin["t"],
        figure.width - margin["l"] - margin["r"],
        figure.height - margin["t"] - margin["b"],
    )
    _shapes(canvas, layout, area, "below")
    draw_axes(canvas, layout, area)
    _traces(canvas, figure, layout, area)
    _shapes(canvas, layout, area, "above")
    for note in layout.get("annotations", ()):
        _annotation(canvas, note, layout, area)
    _key(canvas, figure)
    return canvas.document(figure.title, figure.text)


def _traces(canvas: Canvas, figure: Figure, layout: Mapping[str, Any], area: PlotArea) -> None:
    """The traces, those of one panel in one window."""
    panels: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for trace in figure.traces:
        if trace["type"] == "parcoords":
            draw_coordinates(canvas, trace, area)
        else:
            panels[trace.get("xaxis", "x"), trace.get("yaxis", "y")].append(trace)
    for (across, upwards), traces in panels.items():
        x = Scale(layout.get(axis_key(across), {}), area, True)
        y = Scale(layout.get(axis_key(upwards), {}), area, False)
        # A marker at the edge of the panel is whole.
        canvas.open_window(x.start - 7, y.end - 7, x.end - x.start + 14, y.start - y.end + 14)
        for trace in traces:
            DRAWERS[trace["type"]](canvas, trace, x, y)
        canvas.close_window()
        for trace in traces:
            if trace.get("showscale"):
                draw_colour_bar(canvas, trace, x, y)


def _place(ref: str, value: float, layout: Mapping[str, Any], area: PlotArea, letter: str) -> float:
    """The pixel of a coordinate of a shape or an annotation."""
    across = letter == "x"
    if ref == "paper":
        return area.x(value) if across else area.y(value)
    name, _, domain = ref.partition(" ")
    scale = Scale(layout.get(axis_key(name), {}), area, across)
    if domain:
        return scale.start + value * (scale.end - scale.start)
    return scale.along(value)


def _shapes(canvas: Canvas, layout: Mapping[str, Any], area: PlotArea, layer: str) -> None:
    for shape in layout.get("shapes", ()):
        if shape.get("layer", "above") != layer:
            continue
        ends = []
        for letter in ("x", "y"):
            ref = shape.get(f"{letter}ref", letter)
            for end in ("0", "1"):
                value = shape[f"{letter}{end}"]
                axis = layout.get(axis_key(ref), {}) if " " not in ref and ref != "paper" else {}
                if axis.get("type") == "log":
                    # Unlike annotations, shapes have the value itself.
                    ends.append(Scale(axis, area, letter == "x")(value))
                else:
                    ends.append(_place(ref, value, layout, area, letter))
        x0, x1, y0, y1 = ends
        line = shape.get("line", {})
        if shape["type"] == "rect":
            x, y = min(x0, x1), min(y0, y1)
            fill, opacity = shape.get("fillcolor", "none"), shape.get("opacity", 1)
            canvas.rect(x, y, abs(x1 - x0), abs(y1 - y0), fill, opacity)
        else:
            canvas.path(
                f"M{number(x0)} {number(y0)}L{number(x1)} {number(y1)}",
                stroke=line.get("color", INK3),
                width=line.get("width", 1),
                dash=dash_array(line.get("dash", "")),
            )


def dash_array(dash: str) -> str:
    """A dash of plotly as SVG has it."""
    return _DASHES.get(dash, dash.replace("px", "").replace(",", " ") if dash != "solid" else "")


def _annotation(
    canvas: Canvas, note: Mapping[str, Any], layout: Mapping[str, Any], area: PlotArea
) -> None:
    x = _place(note.get("xref", "x"), note["x"], layout, area, "x") + note.get("xshift", 0)
    y = _place(note.get("yref", "y"), note["y"], layout, area, "y") - note.get("yshift", 0)
    font = note.get("font", {})
    size = font.get("size", 11)
    lines = note["text"].count("<br>") + 1
    height = (lines - 1) * 1.35 * size
    match note.get("yanchor", "middle"):
        case "bottom":
            y -= 4 + height
        case "top":
            y += 3 + 0.75 * size
        case _:
            y += 0.36 * size - height / 2
    shift = {"left": 1, "right": -1, "center": 0}[note.get("xanchor", "center")]
    canvas.text(
        x + shift,
        y,
        note["text"],
        anchor=note.get("xanchor", "center"),
        size=size,
        fill=font.get("color", INK2),
        code="family" in font,
        # On a bar a halo would be a hole in it.
        halo=note.get("name") != ON_BAR,
    )


def _key(canvas: Canvas, figure: Figure) -> None:
    """What the marks mean, in lines at the bottom."""
    entries = [trace for trace in figure.traces if trace.get("showlegend")]
    if not entries or figure.layout.get("showlegend") is False:
        return
    lines: list[list[tuple[float, dict[str, Any]]]] = [[]]
    x = 10.0
    for trace in entries:
        wide = text_width(unescape(trace["name"])) + 34
        if x + wide > canvas.width and lines[-1]:
            lines.append([])
            x = 10.0
        lines[-1].append((x, trace))
        x += wide
    for place, line in enumerate(lines):
        y = canvas.height - 10 - 15 * (len(lines) - 1 - place)
        for x, trace in line:
            if "lines" in trace.get("mode", ""):
                look = trace.get("line", {})
                canvas.path(
                    f"M{number(x - 4)} {number(y)}h16",
                    stroke=look.get("color", INK2),
                    width=look.get("width", 2),
                    dash=dash_array(look.get("dash", "")),
                )
            marker = trace.get("marker", {})
            if "markers" in trace.get("mode", ""):
                line_ = marker.get("line", {})
                colour = marker.get("color", INK2)
                draw_symbols(
                    canvas,
                    marker.get("symbol", "circle"),
                    [(x + 4, y)],
                    size=min(9, marker.get("size", 7)),
                    colour=colour if isinstance(colour, str) else INK2,
                    line=(line_.get("color", INK2), line_.get("width", 0)),
                )
            elif trace["type"] == "bar":
                colour = marker.get("color", INK2)
                colour = colour if isinstance(colour, str) else colour[0]
                canvas.rect(x, y - 4, 9, 8, colour, marker.get("opacity", 1))
            canvas.text(x + 15, y + 4, trace["name"])
