"""The problems of an input, reported together.

Every entry point (manifest, annotated cell, magic line, command line, Python call) collects
`Problem`s and raises a single `InvalidInput` with all of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hpo_lab.counting import counted
from hpo_lab.masking import masked
from hpo_lab.printable import printable

__all__ = ["InvalidInput", "Problem", "nearest"]


@dataclass(frozen=True, slots=True)
class Problem:
    """An error in an input.

    Attributes:
        where: The field path (`spec.parameters[1].feasibleSpace.max`), the place in a
            notebook (`cell 3, line 2`), or the option (`--trials`).
        message: The value and the values that are allowed, as a sentence without a full stop.
    """

    where: str
    message: str

    def __str__(self) -> str:
        """The place and the message, without passwords of addresses and control characters."""
        text = f"{self.where}: {self.message}" if self.where else self.message
        # Half of a surrogate pair, as wrong input may have it, cannot be printed.
        return masked(printable(text.encode(errors="backslashreplace").decode()))


class InvalidInput(ValueError):
    """Input that cannot be used; `problems` holds every reason, in reading order."""

    def __init__(self, problems: Iterable[Problem], source: str = "") -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.source = source
        super().__init__(str(self))

    def __str__(self) -> str:
        head = counted(len(self.problems), "problem")
        if self.source:
            head += f" in {self.source}"
        return "\n".join([f"{head}:", *(f"  {problem}" for problem in self.problems)])


def nearest(word: str, names: Sequence[str]) -> str:
    """`"; did you mean 'x'?"` for the nearest of *names* to *word*, or an empty string."""
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""
