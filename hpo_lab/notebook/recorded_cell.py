"""The tuned cell of an experiment, read back from the notebook that its trials execute."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.slicing import names_of
from hpo_lab.notebook.trial_notebook import OBJECTIVE_TAG, PARAMETERS_TAG, TUNE_TAG, set_by_trial

__all__ = ["RecordedCell"]


@dataclass(frozen=True, slots=True)
class RecordedCell:
    """The tuned cell as it was when the experiment began.

    Attributes:
        source: The cell without its `%%tune` line.
        set_up: The earlier cells that it needs.
    """

    source: str
    set_up: tuple[ParsedCell, ...]

    @classmethod
    def of(cls, notebook: Mapping[str, Any]) -> RecordedCell:
        """The cell in a trial *notebook*, as JSON has it."""
        parameters, tuned, set_up = "", "", []
        for cell in notebook["cells"]:
            source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
            tags = cell["metadata"].get("tags", ())
            if PARAMETERS_TAG in tags:
                parameters = source
            elif TUNE_TAG in tags:
                tuned = source
            elif cell["cell_type"] == "code" and OBJECTIVE_TAG not in tags:
                set_up.append(ParsedCell(source))
        return cls(_put_back(_assignments(parameters), tuned), tuple(set_up))

    def lacking(self, names: Collection[str]) -> list[tuple[ParsedCell, list[str]]]:
        """The set-up cells to run before this one, each with the names that it lacks.

        Args:
            names: Those that are defined.
        """
        needed = names_of([ParsedCell(self.source)])[1] - {*names, *dir(builtins)}
        cells = ((cell, sorted(needed & names_of([cell])[0])) for cell in self.set_up)
        return [(cell, lacking) for cell, lacking in cells if lacking]


def _assignments(source: str) -> dict[str, list[str]]:
    """The lines of each annotated assignment in the cell `parameters`, by the variable."""
    lines = source.split("\n")
    return {
        node.id: lines[statement.lineno - 1 : statement.end_lineno]
        for statement in ast.parse(source).body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _put_back(assignments: Mapping[str, list[str]], tuned: str) -> str:
    """The cell *tuned* with the *assignments* where comments stand in their places."""
    marks = {set_by_trial(name): lines for name, lines in assignments.items()}
    lines = tuned.split("\n")
    for number in reversed(range(len(lines))):
        mark = lines[number].lstrip()
        if assignment := marks.get(mark):
            margin = lines[number].removesuffix(mark)
            there = slice(number, number + len(assignment))
            lines[there] = [margin + line for line in assignment]
    return "\n".join(lines)
