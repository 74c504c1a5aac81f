"""A console on which no text steers the terminal; what rich itself writes does."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from hpo_lab.printable import printable

__all__ = ["SafeConsole"]


class SafeConsole(Console):
    """A console that prints names, values and messages without their control characters."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """The pieces of *renderable*."""
        for segment in super().render(renderable, options):
            if segment.control is None and not segment.text.isprintable():
                segment = segment._replace(text=printable(segment.text))
            yield segment
