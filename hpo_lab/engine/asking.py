"""What the search is asked, and what it may know when it is asked."""

from __future__ import annotations

from hpo_lab.engine.plan import visible_history
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Trial
from hpo_lab.search.algorithm import WAIT, Suggestion, Wait, get_algorithm
from hpo_lab.search.ask import suggest
from hpo_lab.search.history import History

__all__ = ["is_ordered", "new_trial"]


def is_ordered(spec: ExperimentSpec) -> bool:
    """Whether trial `n` has to wait for the trials up to `n - parallelTrialCount`.

    It has to where the experiment is to be reproducible and its algorithm learns from
    results without waiting for them by itself.
    """
    algorithm = get_algorithm(spec.algorithm.algorithm_name)
    return spec.seed is not None and algorithm.uses_history and not algorithm.synchronous


def new_trial(
    spec: ExperimentSpec, history: History, number: int, *, uid: str
) -> Trial | Wait | None:
    """The trial to start under *number*.

    Args:
        spec: The experiment, free of problems.
        history: Its trials, and those of the experiments that it learns from under negative
            numbers.
        number: From 0.
        uid: What tells the experiment from others.

    Returns:
        The trial, not yet started; `WAIT` when an unfinished one has to end first; None
        when the search has nothing left.

    Raises:
        LookupError: The algorithm is unknown or cannot be loaded.
        InvalidSuggestion: The algorithm's answer is none.
    """
    ordered = is_ordered(spec)
    visible = History(visible_history(spec, history.trials, number)) if ordered else history
    answer = suggest(spec, number, visible, uid=uid)
    if answer is WAIT and ordered and not history.before(number).has_unfinished:
        # Every result that the search could wait for is there, only hidden.
        answer = suggest(spec, number, history, uid=uid)
    if not isinstance(answer, Suggestion):
        return answer
    return Trial(number, answer.assignments, parent=answer.parent, labels=answer.labels)
