"""Lines of a stream of bytes, in bounded memory."""

from __future__ import annotations

__all__ = ["LONGEST", "Lines"]

LONGEST = 64 * 1024
"""The most bytes of a line that are read; the rest of a longer line is skipped."""


class Lines:
    r"""Cuts chunks of bytes into lines, which end with `\n`, `\r` or `\r\n`.

    A carriage return ends a line because progress bars write their values between them.
    """

    def __init__(self) -> None:
        self._begun = b""
        self._skipping = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that *chunk* completes, without their ends."""
        *whole, partial = (self._begun + chunk).replace(b"\r", b"\n").split(b"\n")
        if whole and self._skipping:
            del whole[0]
            self._skipping = False
        if len(partial) > LONGEST:
            if not self._skipping:
                whole.append(partial[:LONGEST])
            self._skipping = True
            partial = b""
        self._begun = b"" if self._skipping else partial
        return [line if len(line) <= LONGEST else line[:LONGEST] for line in whole if line]

    def rest(self) -> bytes:
        """The last line, which has no end; the call empties the buffer."""
        partial, self._begun, self._skipping = self._begun, b"", False
        return partial
