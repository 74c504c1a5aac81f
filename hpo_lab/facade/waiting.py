"""Waiting for an experiment in the process that wants its result."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from hpo_lab.experiment.status import ExperimentState
from hpo_lab.facade.results import TrialResult
from hpo_lab.facade.summary import is_live
from hpo_lab.facade.viewer import viewer
from hpo_lab.options.kinds import Seconds
from hpo_lab.printable import printable
from hpo_lab.problems import InvalidInput, Problem

if TYPE_CHECKING:
    from hpo_lab.facade.handle import Experiment

__all__ = ["Callback", "Waiting"]

Callback: TypeAlias = "Callable[[Experiment, TrialResult], object]"
"""Called with an experiment and a trial of it that has ended."""

_PATIENCE = 60.0
"""Seconds that an experiment may take to end once it was asked to stop."""


class Waiting:
    """Waits for an experiment, shows its progress, and calls back for each trial that ends.

    Attributes:
        callbacks: What is called.
    """

    def __init__(self, experiment: Experiment) -> None:
        """Prepare to wait for *experiment*."""
        self.callbacks: list[Callback] = []
        self._experiment = experiment
        self._called: set[int] = set()
        self._is_attached = False

    def add(self, callbacks: Iterable[Callback]) -> None:
        """Have *callbacks* called with each trial that ends from now on."""
        self.callbacks += callbacks
        ended = self._experiment.tally().trials.items() if self.callbacks else ()
        self._called |= {number for number, trial in ended if trial.is_final}

    def wait(self, timeout: float | str | None, progress: bool | None) -> Experiment:
        """Wait as `Experiment.wait` does."""
        experiment = self._experiment
        seconds = None if timeout is None else _seconds(timeout)
        until = None if seconds is None else time.monotonic() + seconds
        try:
            # What has ended needs no progress, though its runner may still close.
            is_over = experiment.record.state.is_final
            with viewer().watching(experiment, False if is_over else progress) as show:
                for summary in experiment.follower.follow(until):
                    show(summary)
                    self._call()
                    if not is_live(experiment.follower.record, time.time()):
                        break
        except KeyboardInterrupt:
            if not self._is_attached:
                goes_on = f"{experiment.title} goes on in the background"
                stop = viewer().how_to_stop(experiment)
                print(f"\nStopped waiting; {goes_on}. To stop it: {stop}", file=sys.stderr)
            raise
        if not is_live(experiment.follower.record, time.time()) or not experiment.is_live:
            self._tell_failure()
            return experiment
        raise TimeoutError(f"experiment {experiment.title!r} still runs after {seconds:g} seconds")

    def wait_attached(self) -> Experiment:
        """Wait, and stop the experiment where an interrupt or an error ends the waiting.

        Raises:
            LookupError: when it was deleted.
        """
        experiment = self._experiment
        self._is_attached = True
        try:
            return self.wait(None, None)
        except BaseException:
            if experiment.is_live:
                print(f"\nStopping {experiment.title} ...", file=sys.stderr)
                self.end()
                resume = experiment.store.command(f"resume {experiment.title}")
                on = f"To go on: run this again, or {resume}"
                print(f"{experiment.title} is stopped. {on}", file=sys.stderr)
            raise
        finally:
            self._is_attached = False

    def end(self) -> None:
        """Stop the experiment if it runs, and wait up to a minute until it has ended."""
        if self._experiment.stop():
            for _ in self._experiment.follower.follow(time.monotonic() + _PATIENCE):
                pass

    def _tell_failure(self) -> None:
        """Say why the experiment has failed, unless the cell that waits shows it."""
        experiment = self._experiment
        summary = experiment.summary()
        if summary.state != ExperimentState.FAILED or viewer().is_displayed(experiment):
            return
        lines, failure = [summary.failure], experiment.last_failure()
        if failure and failure.message not in summary.message:
            lines.append(f"Trial {failure.number} failed: {failure.message}")
        logs = f"logs {experiment.title}" + (f" {failure.number}" if failure else "")
        lines.append(f"More: {experiment.store.command(logs)}")
        print(printable("\n".join(lines)), file=sys.stderr)

    def _call(self) -> None:
        if not self.callbacks:
            return
        tally = self._experiment.follower.tally
        news = [t for n, t in tally.trials.items() if t.is_final and n not in self._called]
        for trial in sorted(news, key=lambda trial: (trial.completed_at or 0.0, trial.number)):
            self._called.add(trial.number)
            for callback in self.callbacks:
                callback(self._experiment, TrialResult.of(tally.objective, trial))


def _seconds(timeout: float | str) -> float:
    try:
        return Seconds().accept(timeout) if timeout else 0.0
    except ValueError as error:
        raise InvalidInput([Problem("timeout", str(error))]) from None
