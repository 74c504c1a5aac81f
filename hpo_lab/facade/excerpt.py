"""The lines of a traceback that say where a trial failed."""

from __future__ import annotations

import re

__all__ = ["excerpt"]

_FRAME = re.compile(r"(Cell |File |  File \")")
_POINTER = re.compile(r"-+> *\d+ ")
_RULE = re.compile(r"-{10,}$")
_FRAMES = 3
_LINES = 12
_WIDTH = 160


def excerpt(traceback: str) -> str:
    """Where the user's own code failed, and with what, of a *traceback* by IPython or Python.

    Each frame is shown by its place and the line that ran; frames of libraries are left out,
    but for the last.
    """
    lines = traceback.strip("\n").splitlines()
    starts = [index for index, line in enumerate(lines) if _FRAME.match(line)]
    if not starts:
        return _cut([line for line in lines if not _RULE.match(line)][-_LINES:])
    rules = [index for index, line in enumerate(lines) if _RULE.match(line)]
    heading = lines[: rules[0]] if rules and rules[0] < starts[0] else []
    frames = [lines[a:b] for a, b in zip(starts, [*starts[1:], len(lines)], strict=True)]
    ending = _ending(frames[-1])
    own = [frame for frame in frames[:-1] if _is_own(frame[0])]
    if len(own) >= _FRAMES:
        own = [own[0], *own[2 - _FRAMES :]]
    return _cut(
        [*heading, *(line for frame in [*own, frames[-1]] for line in _frame(frame)), *ending]
    )


def _is_own(place: str) -> bool:
    return not re.search(r"site-packages|/lib/python|[/\\]hpo_lab[/\\]", place)


def _frame(lines: list[str]) -> list[str]:
    """The place of a frame and the line that ran."""
    place, *code = lines
    pointed = [line for line in code if _POINTER.match(line)]
    if not pointed and not place.startswith(" "):
        return lines[:3]
    # Python indents what belongs to a frame, and writes the line alone.
    return [place, *(pointed or [line for line in code if line.startswith("    ")])[:1]]


def _ending(lines: list[str]) -> list[str]:
    """What follows the last frame: the exception."""
    blank = [index for index, line in enumerate(lines) if not line.strip()]
    if blank:
        return lines[blank[0] + 1 :]
    return [line for line in lines[1:] if not line.startswith(" ")]


def _cut(lines: list[str]) -> str:
    """*lines* that are neither many nor long."""
    shown = [line if len(line) <= _WIDTH else f"{line[:_WIDTH]}…" for line in lines if line.strip()]
    if len(shown) > _LINES:
        shown = [*shown[: _LINES - 3], "…", *shown[-2:]]
    return "\n".join(shown)
