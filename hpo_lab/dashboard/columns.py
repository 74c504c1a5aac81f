"""Tables for a terminal whose columns are whole: what does not fit is left out, and named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style

from hpo_lab.counting import counted
from hpo_lab.printable import printable

__all__ = ["STAR", "Column", "print_columns"]

STAR = "★"
"""Before what is best; its row is bold."""

_GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its head, which is never broken.
        stays: Whether it is shown at any width.
        left: Whether its texts are aligned on the left.
        longest: How many cells of a text are shown at most; no number is so long.
        styles: Of a text, by that text.
    """

    name: str
    stays: bool = False
    left: bool = False
    longest: int = 24
    styles: Mapping[str, str] = field(default_factory=dict)


def print_columns(
    console: Console,
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]],
    *,
    preferred: Sequence[str] = (),
    option: str = "",
) -> list[str]:
    """Print a table.

    No line is wider than the console, unless the columns that stay are. Columns whose texts
    differ from row to row are preferred to those whose texts are all the same.

    Args:
        console: Where.
        columns: In the order of their places.
        rows: Each has a text for every column.
        preferred: Names of columns, that to be dropped last first; by default in their order.
        option: The option that chooses columns, which the table names where it drops some.

    Returns:
        The names of the columns that were dropped.
    """
    table = [tuple(_cells(columns, row)) for row in rows]
    texts = [_Extent.of(column, [row[n] for row in table]) for n, column in enumerate(columns)]
    rank = {name: place for place, name in enumerate(preferred)}
    order = sorted(
        range(len(columns)),
        key=lambda index: (
            not columns[index].stays,
            not texts[index].varies,
            rank.get(columns[index].name, len(rank)),
            index,
        ),
    )
    kept, widths = _fitting(columns, texts, order, console.width)
    is_coloured = console.color_system and not console.no_color
    colours = ColorSystem.STANDARD if is_coloured else None

    def write(row: Sequence[str], *, bold: bool) -> None:
        pieces = []
        for index in kept:
            column, text = columns[index], row[index]
            space = " " * (widths[index] - _width(text))
            if colours and (bold or text in column.styles):
                style = Style.parse(column.styles.get(text, "")) + Style(bold=bold or None)
                text = style.render(text, color_system=colours)
            pieces.append(f"{text}{space}" if column.left else f"{space}{text}")
        console.file.write((" " * _GAP).join(pieces).rstrip() + "\n")

    heads = [
        _cut(printable(column.name), widths.get(index, 0)) for index, column in enumerate(columns)
    ]
    write(heads, bold=True)
    console.file.write("─" * _total(widths[index] for index in kept) + "\n")
    for cells in table:
        write(cells, bold=cells[0].startswith(STAR))
    dropped = [column.name for index, column in enumerate(columns) if index not in widths]
    for line in _note(dropped, option, console.width):
        console.file.write(f"{line}\n")
    return dropped


@dataclass(slots=True)
class _Extent:
    """How wide the texts of a column are, and whether they differ."""

    head: int
    cells: int
    varies: bool

    @classmethod
    def of(cls, column: Column, texts: Sequence[str]) -> _Extent:
        widest = max(map(_width, texts), default=0)
        return cls(cell_len(column.name), widest, len(set(texts)) > 1)


def _fitting(
    columns: Sequence[Column], texts: Sequence[_Extent], order: Sequence[int], room: int
) -> tuple[list[int], dict[int, int]]:
    """The columns that fit into *room* cells, in their places, and their widths."""
    widths = {
        index: max(texts[index].head, texts[index].cells)
        for index, column in enumerate(columns)
        if column.stays
    }
    # A head says less than the numbers below it.
    least = {index: max(texts[index].cells, 3) for index in widths}
    while _total(widths.values()) > room:
        shrinking = [index for index in widths if widths[index] > least[index]]
        if not shrinking:
            break
        widths[max(shrinking, key=widths.__getitem__)] -= 1
    for index in order:
        width = max(texts[index].head, texts[index].cells)
        if index not in widths and _total([*widths.values(), width]) <= room:
            widths[index] = width
    return sorted(widths), widths


def _total(widths: Iterable[int]) -> int:
    values = list(widths)
    return sum(values) + _GAP * (len(values) - 1)


def _note(dropped: Sequence[str], option: str, room: int) -> Iterator[str]:
    """What was left out and how to see it, in lines that are broken between words alone."""
    if not dropped:
        return
    yield ""
    count = counted(len(dropped), "more column")
    example = ",".join(dropped[:2])
    example = dropped[0] if cell_len(example) > room else example
    way = f"{option} {example} or a wider terminal" if option else "a wider terminal"
    yield from _wrapped(f"{count}: {', '.join(dropped)}", room)
    yield from _wrapped(f"To see more: {way}", room)


def _wrapped(text: str, room: int) -> Iterator[str]:
    """Lines of at most *room* cells, unless a word is wider."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and cell_len(longer) > room:
            yield line
            longer = word
        line = longer
    yield line


def _cells(columns: Sequence[Column], row: Sequence[str]) -> Iterator[str]:
    """The texts of a row, each in a line and as long as its column allows."""
    for column, text in zip(columns, row, strict=True):
        if not text.isprintable():
            text = printable(" ".join(text.splitlines()))
        yield _cut(text, column.longest)


def _cut(text: str, room: int) -> str:
    return text if _width(text) <= room else f"{set_cell_size(text, room - 1)}…"


def _width(text: str) -> int:
    """How many cells *text* takes: in a table of very many rows, most texts are numbers."""
    return len(text) if text.isascii() else cell_len(text)
