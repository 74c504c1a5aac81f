"""The code of a trial, and what it means: two codes of one meaning compute the same.

The meaning of Python is that of `source_meaning`; the text of magics and shell commands has a
part in it.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import json
from collections.abc import Hashable, Iterator, Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from hpo_lab.masking import masked_source
from hpo_lab.notebook.magic_effects import MagicKind
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.slicing import names_of
from hpo_lab.notebook.source_meaning import meaning, names_that_read

__all__ = ["CodeChange", "TrialCode"]

Operations = Sequence[tuple[str, int, int, int, int]]


@dataclass(frozen=True, slots=True)
class CodeChange:
    """Lines of a cell that are others than before.

    Attributes:
        cell: What the cell is called.
        line: The line of the cell where the change begins, counted from 1.
        before, now: The lines, without secrets.
    """

    cell: str
    line: int
    before: tuple[str, ...]
    now: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Statement:
    meaning: str
    line: int
    lines: tuple[str, ...]
    is_python: bool = True

    @property
    def shown(self) -> list[str]:
        """Its lines without secrets."""
        mark = "" if self.is_python else "!"
        return masked_source(mark + "\n".join(self.lines)).removeprefix(mark).split("\n")


@dataclass(frozen=True)
class TrialCode:
    """The cells of a trial as they run in it: its set-up, then the tuned cell.

    Attributes:
        cells: The cells.
        first_line: The line on which the tuned cell begins for its author, below `%%tune`.
    """

    cells: tuple[ParsedCell, ...]
    first_line: int = 1

    @property
    def digest(self) -> str:
        """Equal for codes of the same meaning, where the same version of Python reads them."""
        text = json.dumps(self.meaning)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    @property
    def meaning(self) -> list[list[str]]:
        """What it computes, cell by cell in their order."""
        return [[part.meaning for part in statements] for _, statements in self._parts]

    @cached_property
    def _parts(self) -> list[tuple[ParsedCell, list[_Statement]]]:
        trees = [cell.tree for cell in self.cells if isinstance(cell.tree, ast.Module)]
        magics = {magic.name for cell in self.cells for magic in cell.magics}
        read = names_that_read(*trees) | magics
        parts = []
        for number, cell in enumerate(self.cells, start=1):
            first_line = self.first_line if number == len(self.cells) else 1
            statements = list(_statements(cell, first_line, read))
            if statements and not _is_repeated(cell, self.cells[number:]):
                parts.append((cell, statements))
        return parts

    def changes(self, before: TrialCode) -> list[CodeChange]:
        """Where it means something else than *before*, as far as lines show it."""
        old, new = before._parts, self._parts
        changes: list[CodeChange] = []
        for tag, i, i_end, j, j_end in _operations(_keys(old), _keys(new)):
            if tag == "equal":
                continue
            # The last cells are the tuned ones, whatever else came or went.
            pairs = max(i_end - i, j_end - j)
            left = [None] * (pairs - (i_end - i)) + [part for _, part in old[i:i_end]]
            right = [None] * (pairs - (j_end - j)) + [*new[j:j_end]]
            for was, now in zip(left, right, strict=True):
                label = now[0].label if now else ""
                changes += _changed(label or "an earlier cell", was or [], now[1] if now else [])
        return changes


def _is_repeated(cell: ParsedCell, later: Sequence[ParsedCell]) -> bool:
    """Whether a session executed *cell* again, which reads nothing of other cells.

    A cell such as `k = k * 10` computes something else each time.
    """
    is_again = any((each.id, each.source) == (cell.id, cell.source) for each in later)
    return bool(cell.id) and is_again and not names_of([cell])[1] - {*dir(builtins)}


def _keys(parts: Sequence[tuple[ParsedCell, list[_Statement]]]) -> list[tuple[str, ...]]:
    return [tuple(part.meaning for part in statements) for _, statements in parts]


def _operations(old: Sequence[Hashable], new: Sequence[Hashable]) -> Operations:
    return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def _changed(
    label: str, before: Sequence[_Statement], now: Sequence[_Statement]
) -> Iterator[CodeChange]:
    old, new = [part.meaning for part in before], [part.meaning for part in now]
    for tag, i, i_end, j, j_end in _operations(old, new):
        if tag == "equal":
            continue
        was = [line for part in before[i:i_end] for line in part.lines]
        lines = [
            (part.line + n, line) for part in now[j:j_end] for n, line in enumerate(part.lines)
        ]
        behind = now[j].line if j < len(now) else now[-1].line + len(now[-1].lines) if now else 1
        texts = [text for _, text in lines]
        shown_was = [line for part in before[i:i_end] for line in part.shown]
        shown = [line for part in now[j:j_end] for line in part.shown]
        for kind, a, a_end, b, b_end in _operations(was, texts):
            gone, come = _code(shown_was[a:a_end]), _code(shown[b:b_end])
            if kind != "equal" and (gone or come):
                place = lines[b][0] if b < len(lines) else lines[-1][0] + 1 if lines else behind
                yield CodeChange(label, place, gone, come)


def _code(lines: Sequence[str]) -> tuple[str, ...]:
    """*lines* without those that are empty or a comment alone."""
    return tuple(line for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _statements(cell: ParsedCell, first_line: int, read: Set[str]) -> Iterator[_Statement]:
    """What a cell does, by statements of Python or, where it has none, by lines.

    What its statements show, docstrings and annotations may be *read* by all cells.
    """
    lines = "\n".join(cell.lines).rstrip("\n").split("\n")
    for magic in cell.magics:
        at = magic.first_line - 2
        said = f"%%{magic.name} {magic.arguments}".rstrip()
        yield _Statement(said, at + first_line, (said,))
    if cell.kind is MagicKind.CODE and not isinstance(cell.tree, SyntaxError):
        for statement in cell.tree.body:
            if text := meaning(statement, read=read):
                starts = [statement.lineno, *(d.lineno for d in _decorators(statement))]
                at, end = min(starts) - 1, statement.end_lineno or statement.lineno
                yield _Statement(text, at + first_line, tuple(lines[at:end]))
        return
    start = cell.magics[-1].first_line - 1 if cell.magics else 0
    for at, line in enumerate(lines[start:], start):
        yield _Statement(line, at + first_line, (line,), is_python=False)


def _decorators(statement: ast.stmt) -> Sequence[ast.expr]:
    return getattr(statement, "decorator_list", ())
