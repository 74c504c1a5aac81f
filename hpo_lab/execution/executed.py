"""What an executed notebook says: where it failed, and which cells only tell of that.

Nothing of a kernel is imported here: a runner and the worker of a kernel read notebooks, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hpo_lab.execution.outputs import Cell, plain
from hpo_lab.trial.folder import CELL

__all__ = ["MARKER", "Failure", "failure_of", "is_marker", "name_of", "tags_of", "told"]

MARKER = "papermill-error-cell-tag"
"""The tag of a cell that papermill adds, and that only says where a notebook failed."""

_PLACE = re.compile(r"Cell In ?\[(?P<count>\d+)\], line (?P<line>\d+)(?P<rest>.*)")
_CODE = re.compile(r"(?P<mark>-+> |\s+)(?P<line>\d+)(?P<rest>( .*)?)$")

Failure = Mapping[str, Any]
"""The error output of a cell: `ename`, `evalue`, `traceback`."""


def failure_of(cells: Iterable[Cell]) -> tuple[int, Failure] | None:
    """The failure of executed *cells*, with the number of its cell.

    `sys.exit()` and `sys.exit(0)` end a notebook, but are no failure. A cell that is tagged
    `raises-exception` may fail.
    """
    for index, cell in enumerate(cells):
        if "raises-exception" in tags_of(cell):
            continue
        for output in cell.get("outputs", ()):
            exited = output.get("ename") == "SystemExit" and output["evalue"] in ("", "0")
            if output["output_type"] == "error" and not exited:
                return index, output
    return None


def told(failure: Failure, cells: Iterable[Cell]) -> str:
    """The traceback of *failure*, with cells and lines numbered as in the author's notebook.

    Args:
        failure: The error.
        cells: The executed cells.
    """
    counted = {cell["execution_count"]: cell for cell in cells if cell["cell_type"] == "code"}
    cell: Cell | None = None
    lines = []
    for line in plain(failure["traceback"]).split("\n"):
        if place := _PLACE.match(line):
            cell = counted.get(int(place["count"]))
            if cell is not None and name_of(cell):
                number = int(place["line"]) + _lines_above(cell)
                line = f"Cell {name_of(cell).removeprefix('cell ')}, line {number}{place['rest']}"
        elif not line.strip():
            cell = None
        elif cell is not None and (code := _CODE.match(line)):
            number = int(code["line"]) + _lines_above(cell)
            line = f"{code['mark']}{number:>{len(code['line'])}}{code['rest']}"
        lines.append(line)
    return "\n".join(lines)


def name_of(cell: Cell) -> str:
    """What the author's notebook calls *cell*: `cell 3`, `In [3]`; empty where that is not told."""
    return str(cell["metadata"].get(CELL, {}).get("name", ""))


def _lines_above(cell: Cell) -> int:
    """How many lines stand above *cell* in the author's notebook, such as that of `%%tune`."""
    return int(cell["metadata"].get(CELL, {}).get("line", 1)) - 1


def is_marker(cell: Cell) -> bool:
    """Whether *cell* only says where a notebook failed."""
    return MARKER in tags_of(cell)


def tags_of(cell: Cell) -> list[str]:
    """The tags of *cell*."""
    tags: list[str] = cell["metadata"].get("tags", [])
    return tags
