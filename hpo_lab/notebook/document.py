"""Notebook files: the `%%tune` cells in them and the cells above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.problems import InvalidInput, Problem, nearest
from hpo_lab.quick_import import import_nbformat

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["TuneCell", "cell_ids", "choose_tune_cell", "read_notebook", "tune_cells"]


@dataclass(frozen=True, slots=True)
class TuneCell:
    """A code cell that starts with `%%tune`.

    Attributes:
        index: Its place among all cells of the notebook, counted from 0.
        label: What to call it in messages: `cell 3`, counted from 1.
        magic_line: What follows `%%tune` on its line.
        magic_lineno: The line of the cell on which `%%tune` stands, counted from 1.
        source: The lines below it.
        earlier: The code cells above it; other `%%tune` cells run with their defaults.
        later: Those below it.
        id: The cell's id, empty in notebooks older than format 4.5.
    """

    index: int
    label: str
    magic_line: str
    magic_lineno: int
    source: str
    earlier: tuple[ParsedCell, ...]
    later: tuple[ParsedCell, ...] = ()
    id: str = ""


def read_notebook(path: Path) -> NotebookNode:
    """Read the notebook file at *path* as format 4.

    Raises:
        InvalidInput: There is no such file, it is no notebook, or it has no Python code.
    """
    import_nbformat()
    import nbformat
    from nbformat.reader import NotJSONError

    def refuse(message: str) -> InvalidInput:
        return InvalidInput([Problem(str(path), message)])

    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise refuse(f"no such file{_neighbour(path)}") from None
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise refuse("is no notebook: the file is not UTF-8 text") from None
    try:
        notebook: NotebookNode = nbformat.reads(text, as_version=4)
        sources = [(cell.cell_type, cell.source) for cell in notebook.cells]
    except NotJSONError:
        raise refuse("is no notebook: the file is not JSON") from None
    except RecursionError:
        raise refuse("is no notebook: its JSON is nested too deeply") from None
    # nbformat's upgrade of a document that is no notebook fails in any of these ways.
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise refuse(f"is no notebook: {reason}") from None
    language = _language(notebook)
    if language != "python":
        raise refuse(f"its kernel speaks {language!r}; only Python cells can be tuned")
    if not any(kind == "code" and source.strip() for kind, source in sources):
        raise refuse("has no code cells")
    return notebook


def cell_ids(notebook: Mapping[str, Any]) -> frozenset[str]:
    """The ids of the cells of *notebook*; notebooks older than format 4.5 have none."""
    return frozenset(str(cell["id"]) for cell in notebook["cells"] if cell.get("id"))


def tune_cells(notebook: NotebookNode) -> list[TuneCell]:
    """The code cells of *notebook* that start with `%%tune`, in order."""
    parsed = [
        (
            index,
            ParsedCell(cell.source, frozenset(cell.metadata.get("tags", ())), f"cell {index + 1}"),
        )
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.source.strip()
    ]
    cells = tuple(replace(cell, runs_tuned=cell.tune_magic is not None) for _, cell in parsed)
    return [
        TuneCell(
            index=index,
            label=cell.label,
            magic_line=magic.arguments,
            magic_lineno=magic.first_line - 1,
            source=magic.body,
            earlier=cells[:number],
            later=cells[number + 1 :],
            id=notebook.cells[index].get("id", ""),
        )
        for number, (index, cell) in enumerate(parsed)
        if (magic := cell.tune_magic) is not None
    ]


def choose_tune_cell(cells: Sequence[TuneCell], wanted: str | None = None) -> TuneCell:
    """The `%%tune` cell that *wanted* names.

    Args:
        cells: The `%%tune` cells of a notebook.
        wanted: A number among all cells of the notebook, counted from 1, or a cell's id;
            None where there is a single `%%tune` cell.

    Raises:
        InvalidInput: No cell starts with `%%tune`, none of those is *wanted*, or several are and
            *wanted* is None.
    """
    if not cells:
        message = (
            "the notebook has no `%%tune` cell; write `%%tune maximize accuracy` on the first "
            "line of a cell and annotate its values: lr = 0.01  # tune: loguniform(1e-4, 1e-1)"
        )
        raise InvalidInput([Problem("notebook", message)])
    listed = ", ".join(f"{c.index + 1} (id {c.id})" if c.id else str(c.index + 1) for c in cells)
    if wanted is None:
        if len(cells) == 1:
            return cells[0]
        message = f"{len(cells)} cells start with `%%tune`; say which: {listed}"
        raise InvalidInput([Problem("--cell", message)])
    for cell in cells:
        if wanted and wanted in (str(cell.index + 1), cell.id):
            return cell
    close = nearest(wanted, [cell.id for cell in cells if cell.id])
    message = f"cell {wanted!r} does not start with `%%tune`; those that do: {listed}{close}"
    raise InvalidInput([Problem("--cell", message)])


def _language(notebook: NotebookNode) -> str:
    """The language of the kernel; Python where the notebook does not say."""
    metadata = notebook.metadata
    language = metadata.get("kernelspec", {}).get("language")
    language = language or metadata.get("language_info", {}).get("name", "python")
    return "python" if language.lower() in ("ipython", "python", "python3") else str(language)


def _neighbour(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    return nearest(path.name, [other.name for other in path.parent.glob("*.ipynb")])
