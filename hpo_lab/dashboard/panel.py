"""The panel of an experiment: what the output of a cell shows of it, and `_repr_html_`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hpo_lab.dashboard.experiment_html import experiment_html
from hpo_lab.dashboard.links import Served, files_html
from hpo_lab.dashboard.pictures import LivePictures
from hpo_lab.facade.follower import Follower
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Failure, Summary

if TYPE_CHECKING:
    from hpo_lab.notebook.slicing import Decision

__all__ = ["Panel"]


class Panel:
    """The panel of one experiment, as of the summary that it has taken in last.

    Attributes:
        pictures: What is drawn of it.
        as_of: When that summary was made, for a person.
    """

    def __init__(
        self,
        experiment: Experiment,
        follower: Follower,
        decisions: Sequence[Decision] = (),
        served: Served | None = None,
    ) -> None:
        """Prepare a panel.

        Args:
            experiment: The experiment.
            follower: Makes the summaries.
            decisions: Which earlier cells its trials run, and why.
            served: Where the links to files stand; by default in the notebook of this kernel.
        """
        self.pictures = LivePictures(experiment.store, experiment.uid)
        self.as_of = ""
        self._experiment = experiment
        self._follower = follower
        self._decisions = decisions
        self._served = served
        self._failure: Failure | None = None
        self._files = ""
        self._filed: tuple[int, bool] | None = None

    def take(self, summary: Summary) -> None:
        """Take in a *summary*, made by the follower at the last look."""
        self.as_of = time.strftime("%-d %b, %H:%M")
        best = summary.best
        self._failure = None if best else self._last_failure()
        # What the best trial keeps does not change after its end.
        if best is not None and self._filed != (best.number, summary.is_over):
            self._files = files_html(self._experiment.with_me(best), self._served)
            self._filed = best.number, summary.is_over

    def html(self, summary: Summary, note: str = "") -> str:
        """The panel of *summary*; *note* says how the experiment came to be shown."""
        tally, record = self._follower.tally, self._follower.record
        return experiment_html(
            summary,
            tally,
            self._decisions,
            note,
            files=self._files,
            failure=self._failure,
            as_of=self.as_of,
            pictures=self.pictures.draw(summary, tally, record, time.time()),
        )

    def whole(self) -> str:
        """The panel as it is now, with the pictures that take their time."""
        summary = self._follower.look()
        self.take(summary)
        html = self.html(summary)
        if self.pictures.is_complete:
            return html
        self.pictures.complete()
        return self.html(summary)

    def _last_failure(self) -> Failure | None:
        """The trial that failed last with its traceback, which is read once."""
        trial = self._follower.tally.last_failure
        if trial is not None and (not self._failure or self._failure.number != trial.number):
            self._failure = self._experiment.last_failure()
        return self._failure
