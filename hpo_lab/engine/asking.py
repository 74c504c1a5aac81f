"""What the search is asked, and what it may know when it is asked."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_lab.engine.plan import visible_history
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Trial
from hpo_lab.search.algorithm import WAIT, Suggestion, Wait, get_algorithm
from hpo_lab.search.ask import suggest
from hpo_lab.search.history import History

__all__ = ["SearchMemory", "is_ordered"]


def is_ordered(spec: ExperimentSpec) -> bool:
    """Whether trial `n` has to wait for the trials up to `n - parallelTrialCount`.

    It has to where the experiment is to be reproducible and its algorithm learns from
    results without waiting for them by itself.
    """
    algorithm = get_algorithm(spec.algorithm.algorithm_name)
    return spec.seed is not None and algorithm.uses_history and not algorithm.synchronous


class SearchMemory:
    """The trials of one experiment as its search may see them, brought up to date by `put`.

    In an ordered experiment the results of the latest trials are hidden, see
    `engine.plan.visible_history`; what is visible is kept as well, so that no question goes
    through all trials.
    """

    def __init__(self, trials: Iterable[Trial] = ()) -> None:
        """Begin with trials that were recorded before.

        Args:
            trials: Those of the experiments that it learns from have negative numbers.
        """
        trials = tuple(trials)
        self._prior = tuple(trial for trial in trials if trial.number < 0)
        self._history = History(trials)
        self._visible: History | None = None
        self._parallel = 0
        self._hidden: dict[int, Trial] = {}

    def put(self, trial: Trial) -> None:
        """Take in a trial that is new or has changed."""
        self._history.put(trial)
        if self._visible is not None:
            self._hidden[trial.number] = trial

    def new_trial(self, spec: ExperimentSpec, number: int, *, uid: str) -> Trial | Wait | None:
        """The trial to start under *number*.

        Args:
            spec: The experiment, free of problems.
            number: The lowest that is not taken.
            uid: What tells the experiment from others.

        Returns:
            The trial, not yet started; `WAIT` when an unfinished trial has to end first; None
            when the search has nothing left.

        Raises:
            LookupError: The algorithm is unknown or cannot be loaded.
            InvalidSuggestion: The algorithm's answer is none.
        """
        ordered = is_ordered(spec)
        history = self._revealed(spec, number) if ordered else self._history
        answer = suggest(spec, number, history, uid=uid)
        if answer is WAIT and ordered and not self._history.has_unfinished:
            # Every result that the search could wait for is there, only hidden.
            answer = suggest(spec, number, self._history, uid=uid)
        if not isinstance(answer, Suggestion):
            return answer
        return Trial(number, answer.assignments, parent=answer.parent, labels=answer.labels)

    def _revealed(self, spec: ExperimentSpec, number: int) -> History:
        """What is visible to the question for trial *number* of an ordered experiment."""
        if self._visible is None or self._parallel != spec.parallel_trial_count:
            self._visible, self._parallel = History(self._prior), spec.parallel_trial_count
            self._hidden = {trial.number: trial for trial in self._history.own}
        changed = tuple(self._hidden[other] for other in sorted(self._hidden))
        for trial in visible_history(spec, changed, number):
            self._visible.put(trial)
        latest = number - self._parallel
        self._hidden = {other: self._hidden[other] for other in self._hidden if other > latest}
        return self._visible
