"""Lines of a stream."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

__all__ = ["lines"]


async def lines(chunks: AsyncIterable[bytes], longest: int | None = None) -> AsyncIterator[bytes]:
    """The lines of a stream of bytes, without their ends; the last may lack its end.

    Args:
        chunks: The stream, cut anywhere. `readline` of aiohttp refuses lines of more than 64 KiB.
        longest: Bytes after which a line is cut into several; None for no limit.
    """
    parts: list[bytes] = []
    length = 0
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for end in ended:
            yield b"".join([*parts, end])
            parts, length = [], 0
        if rest:
            parts.append(rest)
            length += len(rest)
        if longest is not None and length > longest:
            yield b"".join(parts)
            parts, length = [], 0
    if parts:
        yield b"".join(parts)
