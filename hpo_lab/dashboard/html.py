"""The pieces that HTML is made of here: text, tables, states, and the colours of the theme.

Every piece carries its style with it and takes its colours from JupyterLab's theme where
there is one, so that it looks right in a light and a dark theme, in an exported page and in
a notebook that is opened without a kernel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from hpo_lab.dashboard.words import number
from hpo_lab.experiment.model import Value

__all__ = [
    "BLUE",
    "CODE",
    "GREEN",
    "GREY",
    "MUTED",
    "RED",
    "assignments",
    "box",
    "cut",
    "dot",
    "state_mark",
    "table",
]

GREEN = "var(--jp-success-color1, #388e3c)"
BLUE = "var(--jp-brand-color1, #1976d2)"
RED = "var(--jp-error-color1, #d32f2f)"
ORANGE = "var(--jp-warn-color1, #f57c00)"
GREY = "var(--jp-ui-font-color3, #8a8a8a)"
_COLOURS = {
    "Created": GREY,
    "Running": BLUE,
    "Restarting": BLUE,
    "Succeeded": GREEN,
    "EarlyStopped": GREY,
    "Failed": RED,
    "MetricsUnavailable": RED,
    "Killed": ORANGE,
    "Stopped": ORANGE,
    "Interrupted": ORANGE,
}

_BOX = (
    "color:var(--jp-ui-font-color1, inherit);"
    "font:13px/1.5 var(--jp-ui-font-family, system-ui, sans-serif);"
    "max-width:50em;padding:4px 2px"
)
MUTED = "opacity:.72"
_LINE = "1px solid var(--jp-border-color2, rgba(128,128,128,.3))"
# JupyterLab makes all columns equally wide.
_TABLE = "table-layout:auto;border-collapse:collapse;border:0;margin:0;font-size:12px"
_CELL = "padding:3px 14px 3px 0;text-align:left;vertical-align:top;white-space:{wrap}"
CODE = "font-family:var(--jp-code-font-family, monospace);font-size:12px"


def box(*pieces: str) -> str:
    """The frame around everything that is displayed at once."""
    return f'<div class="jp-HpoLab" style="{_BOX}">{"".join(pieces)}</div>'


def state_mark(state: str, why: str = "") -> str:
    """The state of an experiment or a trial: a coloured dot, its name, and *why* as a tip."""
    mark = f"{dot(_COLOURS.get(state, GREY))}{escape(state)}"
    return f'<span title="{cut(why, 120)}">{mark}</span>' if why else mark


def dot(colour: str) -> str:
    """A dot in *colour*."""
    return (
        '<span style="display:inline-block;width:8px;height:8px;border-radius:4px;'
        f'margin-right:5px;background:{colour}"></span>'
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already; the last column alone wraps its lines."""
    wraps = ["nowrap"] * (len(heads) - 1) + ["normal;overflow-wrap:anywhere;width:99%"]
    styles = [_CELL.format(wrap=wrap) for wrap in wraps]
    head = "".join(
        f'<th style="{style};font-weight:500;{MUTED}">{cut(name, 60)}</th>'
        for name, style in zip(heads, styles, strict=True)
    )
    body = "".join(
        f'<tr style="background:none;border-top:{_LINE}">'
        + "".join(
            f'<td style="{style}">{cell}</td>' for cell, style in zip(row, styles, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div style="overflow-x:auto"><table style="{_TABLE}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def cut(text: str, room: int) -> str:
    """*text* as HTML that takes *room* bytes at most, cut where it is longer."""
    pieces = []
    for character in text.encode("utf-8", "replace").decode():
        piece = escape(character)
        room -= len(piece.encode())
        if room < 0:
            pieces.append("…")
            break
        pieces.append(piece)
    return "".join(pieces)


def assignments(values: Mapping[str, Value]) -> str:
    """Values of parameters on one line, as text."""
    return ", ".join(f"{name}={number(value)}" for name, value in values.items())
