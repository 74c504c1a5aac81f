"""Notebook files with other values in the literals of a cell, and every other byte as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpo_lab.experiment.model import Parameter, Value
from hpo_lab.experiment.space import contains, same
from hpo_lab.notebook.annotations import Annotation, parse_annotations
from hpo_lab.notebook.document import choose_tune_cell, read_notebook, tune_cells
from hpo_lab.notebook.literals import literal_edits
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.replacing import require_file
from hpo_lab.problems import InvalidInput, Problem, nearest
from hpo_lab.source_edits import Edit, edited

__all__ = ["Rewritten", "rewrite", "with_edits"]

_SPACE = re.compile(r"[ \t\r\n]*")
_CHARACTER = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # one outside the first plane
    r"|\\u[0-9a-fA-F]{4}|\\.|.",
    re.DOTALL,
)
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A notebook with other values in a `%%tune` cell.

    Attributes:
        label: What to call the cell in messages: `cell 3`.
        content: The file.
        before: The values that are replaced, by name; empty where the cell has all already.
    """

    label: str
    content: bytes
    before: Mapping[str, Value]


def rewrite(
    path: Path,
    parameters: Sequence[Parameter],
    values: Mapping[str, Value],
    *,
    cell: str | None = None,
) -> Rewritten:
    """The notebook at *path* with *values* in the literals of its `%%tune` cell.

    Args:
        path: The file, which is not written.
        parameters: Those of the experiment that the values are from.
        values: By name.
        cell: Which `%%tune` cell where there are several: its number or id.

    Raises:
        InvalidInput: The file is no notebook that can be tuned, or its annotations do not fit
            *parameters* and *values*; every problem is named.
    """
    with suppress(OSError):  # which `read_notebook` tells
        require_file(path)
    notebook = read_notebook(path)
    chosen = choose_tune_cell(tune_cells(notebook), cell)
    where, first_line = f"{path.name}, {chosen.label}", chosen.magic_lineno + 1
    annotations = parse_annotations(ParsedCell(chosen.source), where=where, first_line=first_line)
    text = path.read_bytes().decode()
    problems = list(_misfits(annotations, parameters, values, where))
    if (form := json.loads(text).get("nbformat", 4)) < 4:
        message = f"is of notebook format {form}; open and save it in JupyterLab first"
        problems.append(Problem(str(path), message))
    if problems:
        raise InvalidInput(problems)
    source: str = notebook.cells[chosen.index].source
    edits = literal_edits(source, values, first_line=first_line)
    after = parse_annotations(ParsedCell(edited(source, edits)), where=where)
    before = {
        old.name: old.default
        for old, new in zip(annotations, after, strict=True)
        if not same(old.default, new.default)
    }
    return Rewritten(chosen.label, with_edits(text, chosen.index, edits).encode(), before)


def with_edits(text: str, index: int, edits: Iterable[Edit]) -> str:
    """The JSON *text* of a notebook with *edits* in the source of the cell at *index*.

    JSON can write a text in many ways, and a notebook keeps a source as one text or as several.
    Every character outside the edits stays as it is written.
    """
    source = _member(text, _member(text, _member(text, _skip(text, 0), "cells"), index), "source")
    strings = [source] if text[source] == '"' else [start for _, start in _members(text, source)]
    characters = [
        character.span()
        for start in strings
        for character in _CHARACTER.finditer(text, start + 1, _end(text, start) - 1)
    ]
    written: list[Edit] = []
    for edit in edits:
        new = json.dumps(edit.text, ensure_ascii=text.isascii())[1:-1]
        for start, end in characters[edit.start : edit.end]:
            written.append(Edit(start, end, new))
            new = ""
    return edited(text, written)


def _misfits(
    annotations: Sequence[Annotation],
    parameters: Sequence[Parameter],
    values: Mapping[str, Value],
    where: str,
) -> Iterator[Problem]:
    """Where the annotations of a cell do not fit an experiment."""
    annotated = {annotation.name: annotation for annotation in annotations}
    names = [parameter.name for parameter in parameters]
    for name in names:
        if name not in annotated:
            message = f"has no annotated {name}{nearest(name, list(annotated))}"
            yield Problem(where, f"{message}; the experiment has {', '.join(names)}")
    for name, annotation in annotated.items():
        place = f"{where}, line {annotation.line}"
        if name not in names:
            yield Problem(place, f"{name} is no parameter of the experiment{nearest(name, names)}")
        elif name in values and not contains(annotation.parameter, values[name]):
            message = f"{name} = {values[name]!r} is outside the range here, {annotation.text}"
            yield Problem(place, message)


def _members(text: str, at: int) -> Iterator[tuple[Any, int]]:
    """The members of the object or array at *at*: the key or number, and where the value begins."""
    is_object = text[at] == "{"
    at, number = _skip(text, at + 1), 0
    while text[at] not in "]}":
        key: Any = number
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)  # behind the colon
        yield key, at
        at = _skip(text, _end(text, at))
        if text[at] == ",":
            at = _skip(text, at + 1)
        number += 1


def _member(text: str, at: int, key: str | int) -> int:
    """Where the value of *key* begins; as for `json`, the last counts."""
    places: dict[str | int, int] = dict(_members(text, at))
    return places[key]


def _end(text: str, at: int) -> int:
    """Where the value that begins at *at* ends."""
    _, end = _DECODER.raw_decode(text, at)
    return end


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
