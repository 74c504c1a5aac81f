"""Imports `nbformat` without a grammar that costs seconds and serves nothing here.

`nbformat` validates with `jsonschema`, which at its import looks for optional packages; of
these, `rfc3987_syntax`, which JupyterLab brings along, builds a parser for international
addresses when it is imported: two to three seconds of CPU time for every command.
"""

from __future__ import annotations

import sys

__all__ = ["import_nbformat"]

_GRAMMAR = "rfc3987_syntax"


def import_nbformat() -> None:
    """Import `nbformat`; without the grammar where `jsonschema` is not imported yet."""
    if "jsonschema" in sys.modules or _GRAMMAR in sys.modules:
        import nbformat

        return
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]
    try:
        import nbformat
        import nbformat.v4  # noqa: F401
    finally:
        del sys.modules[_GRAMMAR]
