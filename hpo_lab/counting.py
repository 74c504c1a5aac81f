"""How many there are of something, in words."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["counted"]


def counted(count: int, word: str, words: str = "", *, write: Callable[[int], str] = str) -> str:
    """`1 trial`, `3 trials`: *count* as *write* has it, and the word that goes with it.

    Args:
        count: How many there are.
        word: What one of them is called.
        words: The plural, where it is not *word* with an s.
        write: Writes the number.
    """
    return f"{write(count)} {word if count == 1 else words or f'{word}s'}"
