"""Showing an experiment to whoever looks at it in Python: in a notebook, in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hpo_lab.dashboard.console import ConsoleProgress
from hpo_lab.dashboard.live import LiveProgress, can_update
from hpo_lab.dashboard.panel import Panel
from hpo_lab.dashboard.progress import status_line
from hpo_lab.dashboard.safe_console import SafeConsole
from hpo_lab.dashboard.words import number
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Summary
from hpo_lab.facade.viewer import Picture, Viewer

__all__ = ["ExperimentViewer"]

_shown_last: tuple[str, int] | None = None
"""The experiment whose live panel was displayed last, and the number of the cell."""


class ExperimentViewer(Viewer):
    """Shows experiments in a notebook as live panels, in a terminal as bars and text."""

    def line(self, experiment: Experiment) -> str:
        """Its state, how many trials have ended, and the best."""
        summary = experiment.summary()
        best = f", best {number(summary.best.value)}" if summary.best else ""
        return f"<Experiment {summary.title}: {summary.state}, {summary.ended_trials}{best}>"

    def panel(self, experiment: Experiment) -> str:
        """The panel as it is now, as HTML."""
        return Panel(experiment, experiment.follower).whole()

    def display(self, experiment: Experiment) -> None:
        """Display a live panel in a notebook, unless the cell has it; else the text."""
        shell = _kernel()
        if shell is None or self.is_displayed(experiment):
            print(repr(experiment))
        else:
            _live(shell, experiment).follow_in_background()

    def plot(
        self, experiment: Experiment, figure: str, theme: str | None, focus: Sequence[str]
    ) -> Picture:
        """The *figure* of *experiment*; see `Experiment.plot`."""
        from hpo_lab.dashboard.plot import plot

        return plot(experiment, figure, theme, focus)

    @contextmanager
    def watching(
        self, experiment: Experiment, progress: bool | None = None
    ) -> Iterator[Callable[[Summary], object]]:
        """Yield what shows a summary; see `Viewer.watching`."""
        shell = _kernel()
        if progress is not False and shell is not None:
            live = _live(shell, experiment)
            yield lambda _: live.refresh()
        elif progress or (progress is None and sys.stderr.isatty()):
            console = SafeConsole(
                stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True
            )
            with ConsoleProgress(experiment, console) as bar:
                yield bar.show
            summary = experiment.follower.look()
            # A failure is told with its cause by who waits.
            if summary.is_over and summary.state != ExperimentState.FAILED:
                bar.say(status_line(summary), "")
        else:
            yield lambda _: None

    def is_displayed(self, experiment: Experiment) -> bool:
        """Whether the cell that runs has a live panel of *experiment*."""
        shell = _kernel()
        return shell is not None and _shown_last == (experiment.uid, shell.execution_count)

    def how_to_stop(self, experiment: Experiment) -> str:
        """What a person types to stop *experiment*: a magic in a notebook, else a command."""
        if _kernel() is not None:
            return f"%hpo stop {experiment.title}"
        return super().how_to_stop(experiment)


def _live(shell: Any, experiment: Experiment) -> LiveProgress:
    global _shown_last
    _shown_last = (experiment.uid, shell.execution_count)
    return LiveProgress(shell, experiment)


def _kernel() -> Any:
    """The shell of the notebook kernel that this process is, None where it is none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell if can_update(shell) else None
