"""Executes the cells of a notebook in this process, and keeps papermill's record in it.

The notebook is plain JSON in format 4: neither `nbformat` nor `papermill` is imported by a
trial, whose import costs more than most trials.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from hpo_lab.execution.executed import MARKER, Failure, failure_of, tags_of
from hpo_lab.execution.outputs import Cell, Outputs
from hpo_lab.execution.shell import Shell

__all__ = [
    "INJECTED",
    "Execution",
    "parameters_cell",
    "source_of",
]

INJECTED = "injected-parameters"
_STYLE = (
    'style="color:red; font-family:Helvetica Neue, Helvetica, Arial, sans-serif; font-size:2em;"'
)
_TOP = (
    f"<span {_STYLE}>An Exception was encountered at "
    "'<a href=\"#papermill-error-cell\">In [%s]</a>'.</span>"
)
_ANCHOR = (
    f'<span id="papermill-error-cell" {_STYLE}>'
    "Execution using papermill encountered an exception here and stopped:</span>"
)


class Execution:
    """A notebook on its way through a shell.

    Attributes:
        notebook: The notebook, filled in as its cells run.
        position: The cell that is next.
        failed: Whether a cell ended the execution.
        actions: What is done in place of cells, by their source.
    """

    def __init__(
        self,
        notebook: dict[str, Any],
        shell: Shell,
        outputs: Outputs,
        *,
        watch: Callable[[str, int], None] = lambda event, index: None,
    ) -> None:
        """Prepare the notebook: old outputs and records are taken out.

        Args:
            notebook: In format 4.
            shell: Where its code runs.
            outputs: Where the shell's messages go.
            watch: Called with `start` or `end` and the number of a cell.
        """
        self.notebook = notebook
        self.position = 0
        self.failed = False
        self.actions: Mapping[str, Callable[[], None]] = {}
        self._shell = shell
        self._outputs = outputs
        self._watch = watch
        self._begun = _now()
        for cell in notebook["cells"]:
            _prepare(cell)
        record = notebook["metadata"].setdefault("papermill", {})
        record |= {"start_time": self._begun.isoformat(), "end_time": None}
        record |= {"duration": None, "exception": None}

    def insert(self, cell: Cell) -> None:
        """Put a cell below the cell tagged `parameters`, or at the top."""
        cells = self.notebook["cells"]
        tagged = [n for n, each in enumerate(cells) if "parameters" in tags_of(each)]
        _prepare(cell)
        cells.insert(tagged[0] + 1 if tagged else 0, cell)

    def foresee(self) -> None:
        """Do beforehand what every fork of this process would do for the cells to come."""
        following = self.notebook["cells"][self.position :]
        self._shell.foresee(source_of(cell) for cell in following if _runs(cell))

    def run(self, until: int | None = None, *, mark: Mapping[str, Any] | None = None) -> None:
        """Run the cells up to number *until*, or to the end, or to a cell that fails.

        Args:
            until: The first cell that is left out.
            mark: Added to the metadata of the cells that ran, under `hpo_lab`.
        """
        cells = self.notebook["cells"]
        stop = len(cells) if until is None else until
        while self.position < stop and not self.failed:
            cell = cells[self.position]
            record = cell["metadata"]["papermill"]
            begun = _now()
            record |= {"start_time": begun.isoformat(), "status": "running", "exception": False}
            self._watch("start", self.position)
            self.failed = not self._run(cell)
            if mark and cell["cell_type"] == "code":
                cell["metadata"]["hpo_lab"] = dict(mark)
            ended = _now()
            record |= {"end_time": ended.isoformat(), "duration": (ended - begun).total_seconds()}
            record["status"] = "failed" if self.failed else "completed"
            if self.failed:
                record["exception"] = True
                self.notebook["metadata"]["papermill"]["exception"] = True
            self._watch("end", self.position)
            self.position += 1

    def _run(self, cell: Cell) -> bool:
        if not _runs(cell):
            return True
        source = source_of(cell)
        self._outputs.begin(cell)
        action = self.actions.get(source)
        succeeded = self._shell.act(source, action) if action else self._shell.run(source)
        return succeeded or "raises-exception" in tags_of(cell)

    def complete(self) -> Failure | None:
        """Complete the record; the error that papermill would raise, if any."""
        ended = _now()
        record = self.notebook["metadata"]["papermill"]
        record |= {
            "end_time": ended.isoformat(),
            "duration": (ended - datetime.fromisoformat(record["start_time"])).total_seconds(),
        }
        numbered = failure_of(self.notebook["cells"])
        if numbered is None:
            return None
        index, failure = numbered
        cells = self.notebook["cells"]
        cells.insert(index, _marker("papermill-error", _ANCHOR))
        count = cells[index + 1]["execution_count"]
        cells.insert(0, _marker("papermill-error-top", _TOP % count))
        return failure

    def save(self, path: str) -> None:
        """Write the notebook in a single step, a line for each cell.

        Indented as `nbformat` writes it, it would take ten times as long.
        """
        cells = ",\n".join(_json(cell) for cell in self.notebook["cells"])
        rest = _json({name: part for name, part in self.notebook.items() if name != "cells"})
        part = f"{path}.part"
        with open(part, "w", encoding="utf-8") as file:
            file.write(f'{{"cells": [\n{cells}\n], {rest[1:]}\n')
        os.replace(part, path)


def parameters_cell(values: Mapping[str, Any]) -> Cell:
    """The cell that papermill's Python translator makes of *values*: numbers, texts, booleans."""
    lines = "".join(f"{name} = {_literal(value)}\n" for name, value in values.items())
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": INJECTED,
        "metadata": {"tags": [INJECTED]},
        "outputs": [],
        "source": f"# Parameters\n{lines}",
    }


def _literal(value: Any) -> str:
    if isinstance(value, str):
        # A JSON text is a Python text, and has the quotes that papermill writes.
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def _marker(identifier: str, source: str) -> Cell:
    return {
        "cell_type": "markdown",
        "id": identifier,
        "metadata": {"tags": [MARKER]},
        "source": source,
    }


def _prepare(cell: Cell) -> None:
    if cell["cell_type"] == "code":
        cell["outputs"], cell["execution_count"] = [], None
    cell["metadata"]["papermill"] = dict.fromkeys(
        ("duration", "end_time", "exception", "start_time")
    ) | {"status": "pending"}


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False)


def source_of(cell: Cell) -> str:
    """The text of a cell, whose source may be a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _runs(cell: Cell) -> bool:
    return (
        cell["cell_type"] == "code"
        and bool(source_of(cell).strip())
        and "skip-execution" not in tags_of(cell)
    )


def _now() -> datetime:
    return datetime.now(UTC)
