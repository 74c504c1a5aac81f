"""What is wrong with an input, said once and completely.

Every way in (manifest, annotated cell, magic line, command line, Python call) collects
`Problem`s and raises one `InvalidInput` that carries all of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["InvalidInput", "Problem", "nearest"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        where: The field path (`spec.parameters[1].feasibleSpace.max`), the place in a
            notebook (`cell 3, line 2`), or the option (`--trials`).
        message: What was found and what is allowed, as one sentence without a full stop.
    """

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class InvalidInput(ValueError):
    """Input that cannot be used; `problems` holds every reason, in reading order."""

    def __init__(self, problems: Iterable[Problem], source: str = "") -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.source = source
        super().__init__(str(self))

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"{count} problem{'s' if count != 1 else ''}"
        if self.source:
            head += f" in {self.source}"
        return "\n".join([f"{head}:", *(f"  {problem}" for problem in self.problems)])


def nearest(word: str, known: Sequence[str]) -> str:
    """`"; did you mean 'x'?"` for the known word nearest to *word*, or an empty string."""
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""
