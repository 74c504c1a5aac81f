"""Words for what an experiment and its trials are, the same in a terminal and a notebook."""

from __future__ import annotations

from hpo_lab.experiment.model import Objective
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.summary import Summary

__all__ = ["objective_in_words", "running_trials", "set_up_in_words", "shown_labels"]


def objective_in_words(objective: Objective) -> str:
    """`minimize loss, maximize accuracy, 1 <= memory <= 8`."""
    parts = [f"{type.value} {name}" for name, type in objective.objectives]
    for constraint in objective.constraints:
        low = "" if constraint.min is None else f"{constraint.min:.6g} <= "
        high = "" if constraint.max is None else f" <= {constraint.max:.6g}"
        parts.append(f"{low}{constraint.name}{high}")
    return ", ".join(parts)


def shown_labels(trial: Trial) -> dict[str, str]:
    """What a person is shown of how the search made *trial*, by name.

    Its labels, and the parent from whose checkpoint it continues. That it is a point of the
    beginning goes without saying; that it is one enqueued later does not.
    """
    labels = {name: text for name, text in trial.labels.items() if not text.startswith("initial-")}
    return labels if trial.parent is None else {**labels, "parent": str(trial.parent)}


def set_up_in_words(summary: Summary) -> str:
    """`running the 2 set-up cells, 8 s`; empty where no trial waits for a set-up."""
    if summary.set_up is None:
        return ""
    minutes, seconds = divmod(int(summary.set_up), 60)
    # Coarse enough to change seldom.
    time = f"{minutes} min {seconds // 10 * 10} s" if minutes else f"{seconds} s"
    return f"{summary.message.removeprefix('Experiment is ')}, {time}"


def running_trials(summary: Summary) -> str:
    """`2 running`, or `2 waiting` for the set-up; empty where none is."""
    count = summary.counts.get(TrialState.RUNNING, 0)
    return f"{count} {'running' if summary.set_up is None else 'waiting'}" if count else ""
