"""The progress of an experiment on a console, while somebody waits for it."""

from __future__ import annotations

import time
from itertools import islice
from operator import attrgetter
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from hpo_lab.dashboard.tables import progress_line
from hpo_lab.dashboard.terminal import live_view
from hpo_lab.dashboard.words import best_line
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Summary

__all__ = ["ConsoleProgress"]

_PLAIN_EVERY = 10.0


class ConsoleProgress:
    """Progress of one experiment on a console: a live view on a terminal, else plain lines."""

    def __init__(self, experiment: Experiment, console: Console) -> None:
        """Watch *experiment*; what there is already is no news."""
        self.experiment = experiment
        self._console = console
        self._plain_shown = ("", time.monotonic())
        # A thread of its own would draw again and again what has not changed.
        self._live = (
            Live(console=console, transient=True, auto_refresh=False)
            if console.is_terminal
            else None
        )
        self._announced = {best.number for best in experiment.follower.look().leading}
        self._failures = len(experiment.follower.tally.failures)

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def update(self) -> None:
        """Look at the experiment, and show what is new.

        Raises:
            NotFound: when it was deleted.
        """
        self.show(self.experiment.follower.look())

    def show(self, summary: Summary) -> None:
        """Show what is new in *summary*, made at the last look."""
        failures = self.experiment.follower.tally.failures
        for message, number in islice(failures.items(), self._failures, None):
            self.say(f"trial {number} failed: {message}", "red")
        self._failures = len(failures)
        new = "on the Pareto front" if summary.front else "new best"
        for best in sorted(summary.leading, key=attrgetter("number")):
            if best.number not in self._announced:
                self._announced.add(best.number)
                self.say(f"{new}: {best_line(best)}", "green")
        if self._live:
            view = live_view(summary, self.experiment.follower.tally, self._console)
            self._live.update(view, refresh=True)
        else:
            self._plain(progress_line(summary))

    def _plain(self, line: str) -> None:
        shown, when = self._plain_shown
        if line != shown and time.monotonic() - when >= _PLAIN_EVERY:
            self._plain_shown = (line, time.monotonic())
            self.say(line, "")

    def say(self, text: str, style: str = "yellow") -> None:
        """Print a message above the view."""
        # The style of a whole print would reach the view, too.
        self._console.print(Text(text, style=style))
