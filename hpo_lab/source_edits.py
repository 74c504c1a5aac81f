"""Edits of a text, and the places of it that `ast` names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Edit", "SourceLines", "edited"]

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Edit:
    """The characters of a text from *start* up to *end* become *text*."""

    start: int
    end: int
    text: str


def edited(text: str, edits: Iterable[Edit]) -> str:
    """*text* with *edits*, which do not overlap."""
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


class SourceLines:
    """The lines of a source as Python counts them: form feeds and the like end none.

    Attributes:
        starts: The place in the source where each line begins.
    """

    def __init__(self, source: str) -> None:
        self.starts = [0, *(end.end() for end in _LINE_END.finditer(source))]
        self._ends = [*self.starts[1:], len(source)]
        self._source = source

    def __iter__(self) -> Iterator[str]:
        """Each line with its end."""
        return map(self._line, range(1, len(self.starts) + 1))

    def place(self, line: int, column: int) -> int:
        """The place of *column*, in bytes as `ast` has it, of *line*, counted from 1."""
        before = self._line(line).encode(errors="surrogatepass")[:column]
        return self.starts[line - 1] + len(before.decode(errors="surrogatepass"))

    def _line(self, number: int) -> str:
        return self._source[self.starts[number - 1] : self._ends[number - 1]]
