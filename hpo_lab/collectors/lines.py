"""Lines of a stream of bytes, in bounded memory."""

from __future__ import annotations

__all__ = ["LONGEST", "Lines"]

LONGEST = 64 * 1024
"""Bytes of a line that are looked at; the rest of a longer one is skipped."""


class Lines:
    r"""Cuts chunks of bytes into lines; `\n`, `\r` and `\r\n` end one.

    A carriage return ends a line because progress bars write their values between them.
    """

    def __init__(self) -> None:
        self._begun = b""
        self._skipping = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that *chunk* completes, without their ends."""
        *whole, begun = (self._begun + chunk).replace(b"\r", b"\n").split(b"\n")
        if whole and self._skipping:
            del whole[0]
            self._skipping = False
        if len(begun) > LONGEST:
            if not self._skipping:
                whole.append(begun[:LONGEST])
            self._skipping = True
            begun = b""
        self._begun = b"" if self._skipping else begun
        return [line if len(line) <= LONGEST else line[:LONGEST] for line in whole if line]

    def rest(self) -> bytes:
        """What was begun and not ended; forgotten with this call."""
        begun, self._begun, self._skipping = self._begun, b"", False
        return begun
