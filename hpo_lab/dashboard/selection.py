"""Which of many trials a view shows, and what came of them on the way."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.experiment.trial import Trial, objective_values
from hpo_lab.facade.summary import Best, Summary
from hpo_lab.facade.tally import Tally

__all__ = ["best_so_far", "telling_trials"]


def telling_trials(
    summary: Summary, tally: Tally, *, top: int = 4, latest: int = 3, front: int = 8
) -> list[Trial]:
    """The best trials, the latest, and the cell as written, in this order and once each.

    Args:
        summary: The experiment.
        tally: Its trials.
        top: How many of the best.
        latest: How many of the latest that have started.
        front: How many of the Pareto front, spread over it, where there are several objectives.
    """
    if tally.objective.additional_objectives:
        best = [tally.trials[each.number] for each in _spread(summary.front, front)]
    else:
        best = list(islice(tally.ranked(), top))
    trials = {trial.number: trial for trial in best}
    for trial in tally.latest(latest):
        trials.setdefault(trial.number, trial)
    if summary.as_written is not None and tally.trials[0] not in best:
        trials.pop(0, None)
        trials[0] = tally.trials[0]
    return list(trials.values())


def _spread(front: Sequence[Best], count: int) -> list[Best]:
    """At most *count* of the front, evenly from one end to the other."""
    if len(front) <= count:
        return list(front)
    step = (len(front) - 1) / (count - 1)
    return [front[round(place * step)] for place in range(count)]


def best_so_far(tally: Tally) -> list[float]:
    """The best value of the first objective after each trial that has one, in their order."""
    better = max if tally.objective.type is ObjectiveType.MAXIMIZE else min
    curve: list[float] = []
    for number in sorted(tally.trials):
        values = objective_values(tally.objective, tally.trials[number])
        if values is not None:
            curve.append(better(curve[-1], values[0]) if curve else values[0])
    return curve
