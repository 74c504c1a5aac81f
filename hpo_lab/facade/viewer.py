"""What shows an experiment to whoever looks at it in Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hpo_lab.facade.summary import Summary

if TYPE_CHECKING:
    from hpo_lab.facade.handle import Experiment

__all__ = ["Picture", "Viewer", "show_with", "viewer"]


class Picture(Protocol):
    """A figure of an experiment; in a notebook it displays itself."""

    @property
    def text(self) -> str:
        """What there is to see, in words."""

    @property
    def svg(self) -> str:
        """The picture as SVG."""

    def to_json(self) -> dict[str, Any]:
        """The figure as plotly reads it: `{"data": [...], "layout": {...}}`."""

    def _repr_mimebundle_(self) -> dict[str, Any]:
        """What a notebook displays, by MIME type."""

    def save(self, path: str | Path) -> None:
        """Write it to a file whose ending says the form: `.svg`, `.png`, `.html` or `.json`."""


class Viewer:
    """Shows experiments as plain text; `hpo_lab.api` has the dashboard show them."""

    def line(self, experiment: Experiment) -> str:
        """What stands in a list of objects."""
        return f"<Experiment {experiment.title}>"

    def panel(self, experiment: Experiment) -> str | None:
        """The experiment as it is now, as HTML; None where there is none."""
        return None

    def display(self, experiment: Experiment) -> None:
        """Display the experiment where a person looks."""
        print(repr(experiment))

    def plot(
        self, experiment: Experiment, figure: str, theme: str | None, focus: Sequence[str]
    ) -> Picture:
        """The *figure* of *experiment*; see `Experiment.plot`."""
        raise LookupError("figures need hpo_lab.dashboard; import hpo_lab.api")

    def watching(
        self, experiment: Experiment, progress: bool | None = None
    ) -> AbstractContextManager[Callable[[Summary], object]]:
        """Yield what shows a summary of *experiment*, made by its follower at the last look.

        Args:
            experiment: The experiment.
            progress: True shows it anywhere, False nowhere, None where a person looks: a panel
                in a notebook, a bar in a terminal.
        """
        return nullcontext(lambda summary: None)

    def is_displayed(self, experiment: Experiment) -> bool:
        """Whether the cell that runs has a panel of *experiment*."""
        return False

    def how_to_stop(self, experiment: Experiment) -> str:
        """What a person types to stop *experiment*, where this program runs."""
        return experiment.store.command(f"stop {experiment.title}")


_make: Callable[[], Viewer] = Viewer


def viewer() -> Viewer:
    """What shows experiments in this process."""
    return _make()


def show_with(make: Callable[[], Viewer]) -> None:
    """Have experiments shown by what *make* gives, called when an experiment is to be shown."""
    global _make
    _make = make
