"""A line of `%%tune` of which some options change, and the others stay as they are written."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hpo_lab.options.line import ALONGSIDE, split_arguments
from hpo_lab.options.tune_options import OPTIONS
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["LineParts", "changed_line", "line_parts"]

_TAKING = [*(option.flag for option in OPTIONS), *(extra.flag for extra in ALONGSIDE if extra.form)]
_BARE = [extra.flag for extra in ALONGSIDE if not extra.form]


@dataclass(frozen=True, slots=True)
class LineParts:
    """What a line says.

    Attributes:
        objectives: The words before the options, `maximize accuracy`, quoted as on a line.
        values: The texts behind each flag; an empty one for a flag that takes none.
        comment: What stands behind it.
    """

    objectives: str
    values: Mapping[str, Sequence[str]]
    comment: str = ""


def line_parts(line: str) -> LineParts:
    """The *line* in parts, right or wrong; nothing of one that cannot be read."""
    try:
        return _split(line)[0]
    except ValueError:
        return LineParts("", {})


def changed_line(line: str, objectives: str, values: Mapping[str, Sequence[str]]) -> str:
    """The *line* with other *objectives* and *values*.

    Args:
        line: What stands behind `%%tune`.
        objectives: The words before the options; empty ones leave those of the line.
        values: The texts behind the flags that change; without texts a flag goes.

    Raises:
        InvalidInput: The line or the objectives hold what cannot be read, and would be lost.
    """
    try:
        parts, problems = _split(line)
        words = shlex.split(objectives or parts.objectives)
    except ValueError as error:
        raise InvalidInput([Problem("", f"cannot be read: {error}")]) from None
    # A flag that lacks its value has nothing to lose.
    if lost := [each for each in problems if each.where not in _TAKING]:
        raise InvalidInput(lost)
    merged = {flag: values.get(flag, texts) for flag, texts in parts.values.items()}
    merged |= {flag: texts for flag, texts in values.items() if flag not in merged}
    for flag, texts in merged.items():
        for text in texts:
            # A text such as `-x` alone would be taken for a flag.
            joined = [f"{flag}={text}"] if text.startswith("-") else [flag, text]
            words += [flag] if flag in _BARE else joined
    return "  ".join(filter(None, [shlex.join(words), parts.comment]))


def _split(line: str) -> tuple[LineParts, list[Problem]]:
    tokens = shlex.split(line, comments=True)
    parts = split_arguments(tokens, taking=_TAKING, bare=_BARE)
    comment = _comment(line, tokens)
    return LineParts(shlex.join(parts.words), parts.values, comment), parts.problems


def _comment(line: str, tokens: Sequence[str]) -> str:
    for place, character in enumerate(line):
        if character == "#":
            try:
                if shlex.split(line[:place]) == list(tokens):
                    return line[place:]
            except ValueError:
                continue
    return ""
