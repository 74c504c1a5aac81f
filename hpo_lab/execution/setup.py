"""The part of a trial notebook that all its trials share."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hpo_lab.execution.cells import source_of
from hpo_lab.execution.outputs import Cell

__all__ = ["set_up_cells", "shared_cells"]

# A report belongs to a trial, and so does what it keeps, and what reads its folder.
_OF_A_TRIAL = re.compile(
    r"\b(report(_variables)?|keep|checkpoint_dir)\s*\(|HPO_LAB_TRIAL_FOLDER|HPO_CHECKPOINT_DIR"
)


def shared_cells(cells: Sequence[Cell]) -> int:
    """How many of the first *cells* can run once for all trials.

    These are the cells down to the cell tagged `parameters`, which assigns the defaults:
    nothing there can depend on the values of a trial, which come below. The first that may
    report something, or look at a checkpoint, ends them.
    """
    for index, cell in enumerate(cells):
        if _has_defaults(cell):
            return index + 1
        if cell["cell_type"] == "code" and _OF_A_TRIAL.search(source_of(cell)):
            return index
    return 0


def set_up_cells(cells: Sequence[Cell]) -> list[Cell]:
    """The cells of code among those that run once for all trials."""
    shared = cells[: shared_cells(cells)]
    return [cell for cell in shared if cell["cell_type"] == "code" and not _has_defaults(cell)]


def _has_defaults(cell: Cell) -> bool:
    return "parameters" in cell["metadata"].get("tags", ())
