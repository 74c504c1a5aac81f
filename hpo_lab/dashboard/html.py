"""The pieces that HTML is made of here: text, tables, and the style of all of them.

The style is one sheet, `hpo.css`. It takes its colours from JupyterLab's theme where there is
one. Without it, as in a notebook that is not trusted, the text still reads from the top down.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape, unescape
from importlib.resources import files
from types import MappingProxyType

from hpo_lab.dashboard.words import number, shortened
from hpo_lab.experiment.model import Value
from hpo_lab.printable import printable

__all__ = [
    "Cell",
    "assignments",
    "box",
    "cut",
    "details",
    "foot",
    "name_html",
    "style",
    "table",
    "value_cell",
    "value_list",
]

_TIP = 400
"""Bytes of the text where the pointer rests."""
_NAME = 60
"""Characters of the name of a parameter."""


@cache
def style() -> str:
    """The style sheet of every view, without comments and needless spaces."""
    text = files("hpo_lab.dashboard").joinpath("hpo.css").read_text("utf-8")
    return re.sub(r"\s*\n\s*", "", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))


def box(*pieces: str, label: str = "") -> str:
    """The frame around everything that is displayed at once, with the style sheet.

    Args:
        pieces: What is in it, as HTML.
        label: What it is, for a screen reader.
    """
    named = f' aria-label="{cut(label, 100)}"' if label else ""
    return (
        f'<style>{style()}</style><section class="hpo hpo-out"{named}>{"".join(pieces)}</section>'
    )


def details(title: str, more: str, *pieces: str, is_open: bool = False) -> str:
    """What is folded under *title*; *more* says in plain words what there is."""
    tag = "<details open>" if is_open else "<details>"
    said = f" <span>{more}</span>" if more else ""
    return f"{tag}<summary>{title}{said}</summary>{''.join(pieces)}</details>"


def foot(hints: Sequence[tuple[str, str]]) -> str:
    """How to go on: commands, and what each of them does, both as text."""
    items = " ".join(
        f"<span><code>{cut(command, 100)}</code> {escape(effect)}</span>"
        for command, effect in hints
    )
    return f'<div class="hpo-foot">{items}</div>' if items else ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        html: What it shows.
        title: All of it as text, where *html* may be a part.
        is_left: Whether it is aligned on the left, as words are; numbers are not.
    """

    html: str
    title: str = ""
    is_left: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether *html* shows a part of *title* alone."""
        return bool(self.title) and escape(self.title) not in self.html


def table(
    heads: Sequence[str | Cell],
    rows: Sequence[Sequence[str | Cell] | str],
    *,
    classes: Sequence[str] = (),
    columns: Mapping[int, str] = MappingProxyType({}),
    label: str = "",
    prose: bool = False,
) -> str:
    """A table that scrolls where it is too wide.

    Args:
        heads: The first row; like the others of HTML that is whole already.
        rows: The others; a text is the title of the rows below it.
        classes: Of each row.
        columns: The classes of cells by the index of their column.
        label: What the table has, for a screen reader.
        prose: Whether all columns are words, of which the last wraps its lines.
    """

    def cells(tag: str, row: Sequence[str | Cell]) -> str:
        return "".join(
            _tag(tag, cell, prose, columns.get(index, "")) for index, cell in enumerate(row)
        )

    def line(row: Sequence[str | Cell] | str, kind: str) -> str:
        if isinstance(row, str):
            title = f'<th colspan="{len(heads)}" scope="rowgroup">{row}</th>'
            return f'<tr class="hpo-group">{title}</tr>'
        return f"<tr{_attribute('class', kind)}>{cells('td', row)}</tr>"

    head = cells("th", heads)
    kinds = [*classes, *[""] * (len(rows) - len(classes))]
    body = "".join(line(row, kind) for row, kind in zip(rows, kinds, strict=True))
    scrolls = f'<div class="hpo-scroll{" prose" if prose else ""}" tabindex="0" role="region"'
    return (
        f"{scrolls}{_attribute('aria-label', label)}><table>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _tag(tag: str, content: str | Cell, is_left: bool, kind: str) -> str:
    cell = content if isinstance(content, Cell) else Cell(content)
    tip = f' title="{cut(cell.title, _TIP)}"' if cell.is_cut else ""
    scope = ' scope="col"' if tag == "th" else ""
    named = " ".join(filter(None, ["lft" if cell.is_left or is_left else "", kind]))
    return f"<{tag}{scope}{_attribute('class', named)}{tip}>{cell.html}</{tag}>"


def _attribute(name: str, value: str) -> str:
    return f' {name}="{escape(value)}"' if value else ""


def value_cell(value: Value | None, place: float | None = None) -> Cell:
    """A value of a parameter: a number with four digits, a text as long as fits a column.

    Args:
        value: The value, None where the trial has none.
        place: Where it lies in its range, from 0 to 1; None draws nothing.
    """
    if value is None:
        return Cell('<span class="q">–</span>')  # noqa: RUF001, a dash stands for no value
    text = number(value)
    mark = ""
    if place is not None:
        edge = " edge" if at_bound(place) else ""
        mark = f' <span class="rng{edge}" style="--p:{min(1, max(0, place)):.2g}"></span>'
    return Cell(f"{cut(text, 24)}{mark}", title=text)


def value_list(values: Mapping[str, str], *, is_single: bool = False) -> str:
    """Names of parameters, each beside its value as HTML, in as many columns as all of them fit.

    Args:
        values: The values by name.
        is_single: Whether there is one column at any width.
    """
    items = [
        f'<div><dt title="{cut(name, _TIP)}"><code>{name_html(name)}</code></dt> '
        f"<dd>{value}</dd></div>"
        for name, value in values.items()
    ]
    letters = max(map(len, map(_words, items)), default=0)
    kind = "hpo-vals hpo-single" if is_single else "hpo-vals"
    return f'<dl class="{kind}" style="--w:{max(210, 7 * letters)}px">{"".join(items)}</dl>'


def _words(html: str) -> str:
    return unescape(re.sub("<[^>]*>", "", html))


def at_bound(place: float) -> bool:
    """Whether a value at *place* of its range, 0 to 1, is at a bound of it."""
    return not 0.01 <= place <= 0.99


def cut(text: str, room: int) -> str:
    """*text* as HTML that takes *room* bytes at most, cut where it is longer."""
    pieces = []
    for character in printable(text.encode("utf-8", "replace").decode()):
        piece = escape(character)
        room -= len(piece.encode())
        if room < 0:
            pieces.append("…")
            break
        pieces.append(piece)
    return "".join(pieces)


def name_html(name: str) -> str:
    """The *name* of a parameter as HTML, which may be broken behind its separators."""
    return re.sub(r"([._/-]+)", r"\1<wbr>", cut(shortened(name, _NAME), 2 * _NAME))


def assignments(values: Mapping[str, Value]) -> str:
    """Values of parameters on one line, as text."""
    return ", ".join(f"{name}={number(value)}" for name, value in values.items())
