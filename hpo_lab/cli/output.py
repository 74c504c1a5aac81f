"""Where a command writes: results to standard output, messages to standard error."""

from __future__ import annotations

import json
import os
from typing import Any

from rich.console import Console

__all__ = ["messages", "print_json", "results"]

_PIPED_WIDTH = 200


def results() -> Console:
    """The console for results; wide when it is no terminal, so that nothing is cut off."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPED_WIDTH
    return console


def messages() -> Console:
    """The console for progress and messages."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """Print *document* as the one JSON document of a command."""
    print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
