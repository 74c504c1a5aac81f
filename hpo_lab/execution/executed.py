"""What an executed notebook says: where it failed, and which cells only tell of that.

Nothing of a kernel is imported here: a runner and the worker of a kernel read notebooks, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hpo_lab.execution.outputs import Cell

__all__ = ["MARKER", "Failure", "failure_of", "is_marker", "tags_of"]

MARKER = "papermill-error-cell-tag"
"""The tag of a cell that papermill adds, and that only says where a notebook failed."""

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


def is_marker(cell: Cell) -> bool:
    """Whether *cell* only says where a notebook failed."""
    return MARKER in tags_of(cell)


def tags_of(cell: Cell) -> list[str]:
    """The tags of *cell*."""
    tags: list[str] = cell["metadata"].get("tags", [])
    return tags
