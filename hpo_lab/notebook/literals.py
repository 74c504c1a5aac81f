"""The literals of annotated assignments: other values in their places, and nothing else changed."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping

from hpo_lab.experiment.model import Value
from hpo_lab.experiment.space import same
from hpo_lab.notebook.annotation_text import split_when
from hpo_lab.notebook.annotations import Annotation, parse_annotations
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.source_edits import Edit, SourceLines

__all__ = ["literal_edits"]

_WITHOUT_TEXT = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER)


def literal_edits(source: str, values: Mapping[str, Value], *, first_line: int = 1) -> list[Edit]:
    """What to change in a cell so that its annotated assignments assign *values*.

    A choice is written as it stands in its annotation, any other value as Python writes it. A
    literal that has its value already stays as it is.

    Args:
        source: The cell.
        values: By name; what they do not name stays.
        first_line: The line on which the annotated code begins, counted from 1: that below
            `%%tune`.

    Returns:
        The changes in the order of their places in *source*.

    Raises:
        InvalidInput: The annotations cannot be used.
    """
    starts = SourceLines(source).starts
    cell = ParsedCell(source[starts[first_line - 1] :])
    edits: list[Edit] = []
    for annotation in parse_annotations(cell):
        name = annotation.name
        if name not in values or same(values[name], annotation.default):
            continue
        text = _as_written(annotation, values[name])
        for start, end in _places(cell, annotation):
            first, last = (starts[first_line - 2 + line] + column for line, column in (start, end))
            edits.append(Edit(first, last, text))
            text = ""
    return edits


def _as_written(annotation: Annotation, value: Value) -> str:
    expression = split_when(annotation.text)[0]
    call = ast.parse(expression, mode="eval").body
    assert isinstance(call, ast.Call)
    if ast.unparse(call.func) == "choice":
        for choice in call.args:
            if same(ast.literal_eval(choice), value):
                return ast.get_source_segment(expression, choice) or repr(value)
    return repr(value)


_Position = tuple[int, int]
"""A line, counted from 1, and a column in characters."""


def _places(cell: ParsedCell, annotation: Annotation) -> Iterator[tuple[_Position, _Position]]:
    """From where to where the literal stands: of its parts, where comments stand between."""
    assert isinstance(cell.tree, ast.Module)
    first = annotation.assignment[0]
    statement = next(node for node in cell.tree.body if node.lineno == first)
    assert isinstance(statement, ast.Assign | ast.AnnAssign)
    literal = statement.value
    assert literal is not None and literal.end_lineno and literal.end_col_offset is not None
    python = cell.python.split("\n")

    def place(line: int, column: int) -> _Position:
        """IPython takes away what stands before the code of a line: indentation, prompts."""
        return line, column + len(cell.lines[line - 1]) - len(python[line - 1])

    def characters(line: int, column: int) -> int:
        return len(python[line - 1].encode()[:column].decode())

    start = (literal.lineno, characters(literal.lineno, literal.col_offset))
    end = (literal.end_lineno, characters(literal.end_lineno, literal.end_col_offset))
    if not any(start <= comment.start < end for comment in cell.comments):
        yield place(*start), place(*end)
        return
    for token in tokenize.generate_tokens(io.StringIO(cell.python).readline):
        if start <= token.start < end and token.type not in _WITHOUT_TEXT:
            yield place(*token.start), place(*token.end)
