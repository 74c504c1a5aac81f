"""Text of trials and of people for a terminal or a page: without what steers a terminal.

A name, a message or a log may hold escape sequences that move the cursor, set the title or the
clipboard, or ask the terminal to answer. None of them is printed by hpo_lab.
"""

from __future__ import annotations

import re

__all__ = ["printable"]

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # such as colours and movements
    # Such as titles; a title ends where another begins, so that the search is linear.
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str, *, colours: bool = False) -> str:
    """*text* without escape sequences and control characters, but with its lines and tabs.

    Args:
        text: Any text.
        colours: Whether sequences for colours and returns of the carriage stay, as in a log.
    """
    if text.isprintable():
        return text
    if not colours:
        return _CONTROL.sub("", _SEQUENCE.sub("", text))
    pieces, end = [], 0
    for sequence in _SEQUENCE.finditer(text):
        pieces.append(_log_text(text[end : sequence.start()]))
        if _COLOUR.fullmatch(sequence[0]):
            pieces.append(sequence[0])
        end = sequence.end()
    return "".join([*pieces, _log_text(text[end:])])


def _log_text(text: str) -> str:
    return _CONTROL.sub(lambda match: match[0] if match[0] == "\r" else "", text)
