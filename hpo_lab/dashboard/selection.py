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
) -> dict[str, list[Trial]]:
    """The best trials, the latest others, and the cell as written: groups by their titles.

    A trial is in one group, and no group is empty; the last one needs no title.

    Args:
        summary: The experiment.
        tally: Its trials.
        top: How many of the best.
        latest: How many others, the latest that have started.
        front: How many of the Pareto front, spread over it, where there are several objectives.
    """
    if tally.objective.additional_objectives:
        best = [tally.trials[each.number] for each in _spread(summary.front, front)]
    else:
        best = list(islice(tally.ranked(), top))
    numbers = {trial.number for trial in best} | {each.number for each in summary.front}
    is_apart = summary.as_written is not None and 0 not in numbers
    rest = numbers | {0} if is_apart else numbers
    others = [trial for trial in tally.latest(latest + len(rest)) if trial.number not in rest]
    groups = {
        _title(summary, len(best)): best,
        "Others, latest first": others[:latest],
        "": [tally.trials[0]] if is_apart else [],
    }
    return {title: trials for title, trials in groups.items() if trials}


def _title(summary: Summary, count: int) -> str:
    if not summary.front:
        return "Best trials"
    few = count < len(summary.front)
    return f"Pareto front, {count} of its {len(summary.front)} trials" if few else "Pareto front"


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
