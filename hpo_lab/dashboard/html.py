"""The pieces that HTML is made of here: text, tables, states, and the colours of the theme.

Every piece carries its style with it and takes its colours from JupyterLab's theme where
there is one, so that it looks right in a light and a dark theme, in an exported page and in
a notebook that is opened without a kernel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
    "Cell",
    "assignments",
    "box",
    "cut",
    "dot",
    "state_mark",
    "table",
    "value_cell",
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
    "max-width:72em;padding:4px 2px;font-variant-numeric:tabular-nums"
)
MUTED = "opacity:.72"
_LINE = "1px solid var(--jp-border-color2, rgba(128,128,128,.3))"
# JupyterLab makes all columns equally wide.
_TABLE = "table-layout:auto;border-collapse:collapse;border:0;margin:0;font-size:12px"
_CELL = "padding:3px 14px 3px 0;text-align:{align};white-space:"
_WRAPS = "normal;vertical-align:top;overflow-wrap:anywhere;width:99%"
_TIP = 400
"""Bytes of the text where the pointer rests."""
_GOLD = "rgba(230,159,0,.14);font-weight:600"
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


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        html: What it shows.
        title: All of it as text, where *html* may be a part.
        is_number: Whether it is aligned on the right.
    """

    html: str
    title: str = ""
    is_number: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether *html* shows a part of *title* alone."""
        return bool(self.title) and escape(self.title) != self.html


def table(
    heads: Sequence[str | Cell],
    rows: Sequence[Sequence[str | Cell]],
    *,
    best: bool = False,
    prose: bool = False,
) -> str:
    """A table that scrolls where it is too wide.

    Args:
        heads: The first row; like the others of HTML that is whole already.
        rows: The others; a column of numbers is aligned on the right.
        best: Whether the first row is that of the best.
        prose: Whether the last column wraps its lines; no other column does.
    """
    numeric = [all(_cell(cell).is_number for cell in column) for column in zip(*rows, strict=True)]
    styles = [
        _CELL.format(align="right" if right else "left") + "nowrap"
        for right in numeric or [False] * len(heads)
    ]
    if prose:
        styles[-1] = _CELL.format(align="left") + _WRAPS
    head = "".join(map(partial(_tag, "th", f";font-weight:500;{MUTED}"), heads, styles))
    body = "".join(
        f'<tr style="background:{_GOLD if best and not place else "none"};border-top:{_LINE}">'
        f"{''.join(map(partial(_tag, 'td', ''), row, styles))}</tr>"
        for place, row in enumerate(rows)
    )
    return (
        f'<div style="overflow-x:auto"><table style="{_TABLE}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(cell: str | Cell) -> Cell:
    return cell if isinstance(cell, Cell) else Cell(cell)


def _tag(tag: str, more: str, content: str | Cell, style: str) -> str:
    cell = _cell(content)
    tip = f' title="{cut(cell.title, _TIP)}"' if cell.is_cut else ""
    return f'<{tag} style="{style}{more}"{tip}>{cell.html}</{tag}>'


def value_cell(value: Value | None) -> Cell:
    """A value of a parameter: a number with four digits, a text as long as fits a column."""
    text = number(value)
    return Cell(cut(text, 24), title=text, is_number=not isinstance(value, str))


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
