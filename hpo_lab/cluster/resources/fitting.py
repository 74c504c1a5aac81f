"""Parts of an object cut to a size: the objects of an experiment stay small whatever it holds.

Etcd keeps every version of an object for a while, and every watcher gets each. What is cut here
is whole in the database.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from hpo_lab.printable import printable

__all__ = ["MOST_BYTES", "cut", "fitting", "size_of"]

MOST_BYTES: Final = 4000
"""The most bytes of a status, so that with its field names it stays under 4 KiB."""

_Entry = TypeVar("_Entry")


def size_of(value: Any) -> int:
    """The bytes of *value* as the JSON that an API server keeps."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode(errors="replace"))


def cut(text: str, most: int) -> str:
    """*text* as a person can read it, in at most *most* bytes of JSON without quotation marks.

    Args:
        text: Any text.
        most: At least 16.
    """
    text = printable(text).encode(errors="replace").decode()
    if size_of(text) - 2 <= most:
        return text
    kept = text[:most]
    while (size := size_of(kept) - 2 + len("…".encode())) > most:
        # An escaped character takes at most four times the bytes of a plain letter.
        kept = kept[: -max(1, (size - most) // 4)]
    return f"{kept}…"


def fitting(entries: Iterable[_Entry], room: int) -> list[_Entry]:
    """The first of the *entries* of a list whose JSON has at most *room* bytes."""
    kept: list[_Entry] = []
    room -= 2
    for entry in entries:
        room -= size_of(entry) + 1
        if room < 0:
            break
        kept.append(entry)
    return kept
