"""Answers about a cell that is being written: what hpo_lab reads in it, and edits of it.

Front ends know no Python and nothing of annotations; they send the source of a cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from hpo_lab.notebook.annotations import Annotation, LineProblem, read_annotations
from hpo_lab.notebook.magic_effects import MagicKind
from hpo_lab.notebook.parsed_cell import CellMagic, ParsedCell
from hpo_lab.notebook.tunable import (
    Tunable,
    Words,
    annotated,
    metric_names,
    suggestion,
    tunables,
    words_of,
)
from hpo_lab.options import changed_line, line_parts, parse_line
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.server.request import ApiRequest, Body

__all__ = ["AnnotationEdit", "CellSource", "LineEdit", "annotate", "change_line", "read"]

_LARGEST = 200_000
_ON_A_LINE = r"^[^\r\n]*$"

_Flag = Annotated[str, Field(pattern=r"^--?[a-z][a-z-]*$")]
_Text = Annotated[str, Field(max_length=10_000, pattern=_ON_A_LINE)]


class CellSource(Body):
    """A code cell.

    Attributes:
        source: Its text.
    """

    source: str = Field(max_length=_LARGEST)


class AnnotationEdit(CellSource):
    """An annotation to write.

    Attributes:
        line: The last line of the assignment, counted from 1.
        annotation: What stands behind `# tune:`; empty takes it away.
    """

    line: int = Field(ge=1)
    annotation: str = Field(max_length=10_000, pattern=_ON_A_LINE)


class LineEdit(CellSource):
    """What to say on the line of `%%tune`.

    Attributes:
        objectives: `maximize accuracy`; empty leaves what is said.
        options: The texts behind each flag that changes; no text takes it away.
    """

    objectives: str = Field(default="", max_length=1000, pattern=_ON_A_LINE)
    options: dict[_Flag, list[_Text]] = Field(default_factory=dict)


def read(request: ApiRequest) -> Mapping[str, Any]:
    """What stands in a cell: parameters, what is wrong with them, values and metrics."""
    return _read(ParsedCell(request.body.source))


def annotate(request: ApiRequest) -> Mapping[str, Any]:
    """The cell with an annotation written behind a value, or taken away."""
    edit: AnnotationEdit = request.body
    cell = ParsedCell(edit.source)
    if not any(each.last == edit.line for each in tunables(cell)):
        raise InvalidInput([Problem("line", f"no value is assigned on line {edit.line} alone")])
    source = annotated(cell, edit.line, edit.annotation.strip())
    return {"source": source, **_read(ParsedCell(source))}


def change_line(request: ApiRequest) -> Mapping[str, Any]:
    """The cell with a `%%tune` line that says something else; it gets one where it has none."""
    edit: LineEdit = request.body
    cell = ParsedCell(edit.source)
    if other := _other_magic(cell):
        raise InvalidInput([Problem("", f"a cell of %%{other} is no Python, and cannot be tuned")])
    magic = cell.tune_magic
    line = changed_line(magic.arguments if magic else "", edit.objectives, edit.options)
    lines = cell.lines.copy()
    if magic is None:
        lines = [f"%%tune {line}".rstrip(), *(lines if edit.source.strip() else [])]
    else:
        lines[magic.first_line - 2] = f"%%tune {line}".rstrip()
    source = "\n".join(lines)
    return {"source": source, **_read(ParsedCell(source))}


def _read(cell: ParsedCell) -> dict[str, Any]:
    if _other_magic(cell):
        return {"parameters": [], "problems": [], "values": [], "metrics": [], "tune": None}
    annotations, problems = read_annotations(cell)
    magic = cell.tune_magic
    if magic is not None:
        problems = [*_line_problems(magic), *problems]
    return {
        "parameters": [_parameter(each) for each in annotations],
        "problems": [{"line": line, "message": message} for line, message in problems],
        "values": [_value(each) for each in tunables(cell)],
        "metrics": metric_names(cell),
        "tune": None if magic is None else _line(magic),
    }


def _other_magic(cell: ParsedCell) -> str:
    """The magic that takes the text of *cell* for something else than Python; empty for none."""
    magics = (each for each in cell.magics if each.name != "tune")
    return next((each.name for each in magics if each.kind is not MagicKind.CODE), "")


def _line_problems(magic: CellMagic) -> list[LineProblem]:
    problems = parse_line(magic.arguments, where="")[2]
    texts = [": ".join(filter(None, [each.where, each.message])) for each in problems]
    return [(magic.first_line - 1, text) for text in texts]


def _parameter(annotation: Annotation) -> dict[str, Any]:
    return {
        "line": annotation.line,
        "text": annotation.text,
        "default": annotation.default,
        "parameter": annotation.parameter.to_document(),
    }


def _value(value: Tunable) -> dict[str, Any]:
    suggested = suggestion(value.name, value.value)
    return {
        "name": value.name,
        "value": value.value,
        "first": value.first,
        "last": value.last,
        "annotation": value.annotation,
        "words": _words(words_of(value.annotation or suggested) or words_of(suggested)),
    }


def _words(words: Words | None) -> dict[str, Any]:
    assert words is not None
    return {
        "word": words.word,
        "arguments": [*words.arguments],
        "step": words.step,
        "when": words.when,
    }


def _line(magic: CellMagic) -> dict[str, Any]:
    parts = line_parts(magic.arguments)
    return {
        "line": magic.first_line - 1,
        "objectives": parts.objectives,
        "options": {flag: [*texts] for flag, texts in parts.values.items()},
    }
