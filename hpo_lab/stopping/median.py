"""Stops a trial whose best is worse than the median of the others' running averages.

Golovin et al., "Google Vizier: A Service for Black-Box Optimization", KDD 2017, 3.2.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import ClassVar

from hpo_lab.counting import counted
from hpo_lab.experiment.trial import TrialState
from hpo_lab.search.setting import Setting
from hpo_lab.stopping.averages import Averages
from hpo_lab.stopping.rule import EarlyStoppingRule, Progress, Question

__all__ = ["MedianStop"]


class MedianStop(EarlyStoppingRule):
    """The median rule, asked again at every report; the settings are Katib's."""

    name = "medianstop"
    settings: ClassVar[Mapping[str, Setting]] = {
        "min_trials_required": Setting(
            int, "Succeeded trials before any is stopped.", default=3, minimum=1
        ),
        "start_step": Setting(
            int, "The first step at which a trial is stopped.", default=4, minimum=1
        ),
    }

    def __init__(self) -> None:
        self._succeeded = Averages()

    def tell(self, ended: Progress) -> None:
        """Remember a trial that has succeeded."""
        if ended.state is TrialState.SUCCEEDED:
            self._succeeded.add(ended.curve)

    def should_stop(self, question: Question) -> str | None:
        """Why the trial is to be stopped, if it is."""
        step, best = question.curve.last_step, question.curve.best(minimize=question.minimize)
        if step is None or best is None or step < question.integer("start_step"):
            return None
        means = self._succeeded.until(step)
        count = len(means)
        if count < question.integer("min_trials_required"):
            return None
        middle = median(means[(count - 1) // 2 : count // 2 + 1])
        if not question.spec.objective.is_better(middle, than=best):
            return None
        return (
            f"its best value, {best:.6g}, is worse at step {step} than {middle:.6g}, the median "
            f"of the averages of {counted(count, 'trial')} up to there"
        )
