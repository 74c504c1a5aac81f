"""Questions to the search of which only the assignment is looked at."""

from __future__ import annotations

from collections.abc import Sequence

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Trial
from hpo_lab.search import ask
from hpo_lab.search.algorithm import Suggestion
from hpo_lab.search.space import Assignment


def suggest(
    spec: ExperimentSpec, number: int, trials: Sequence[Trial], *, uid: str = ""
) -> Assignment | None:
    """The assignment of trial *number*; None when none is left."""
    answer = ask.suggest(spec, number, trials, uid=uid)
    assert answer is None or isinstance(answer, Suggestion)
    return None if answer is None else answer.assignments
