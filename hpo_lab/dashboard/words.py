"""Words for what an experiment and its trials are, the same in a terminal and a notebook."""

from __future__ import annotations

from pathlib import Path

from hpo_lab.experiment.model import Objective
from hpo_lab.experiment.trial import Trial

__all__ = ["elsewhere_note", "folder_text", "objective_in_words", "shown_labels"]


def objective_in_words(objective: Objective) -> str:
    """`minimize loss, maximize accuracy, 1 <= memory <= 8`."""
    parts = [f"{type.value} {name}" for name, type in objective.objectives]
    for constraint in objective.constraints:
        low = "" if constraint.min is None else f"{constraint.min:.6g} <= "
        high = "" if constraint.max is None else f" <= {constraint.max:.6g}"
        parts.append(f"{low}{constraint.name}{high}")
    return ", ".join(parts)


def folder_text(folder: str) -> str:
    """The *folder* of a project, as short as it can be said; empty for none."""
    path = Path(folder)
    home = Path.home()
    return f"~/{path.relative_to(home)}" if folder and path.is_relative_to(home) else folder


def elsewhere_note(listed: int, hidden: int, command: str) -> str:
    """What a list leaves out, or that there is nothing to list; else nothing.

    Args:
        listed: How many experiments it has.
        hidden: How many belong to other folders.
        command: What lists those, too.
    """
    if not hidden:
        return "" if listed else "There are no experiments yet."
    there = "" if listed else "There are no experiments of this folder. "
    return f"{there}Of other folders: {hidden} ({command})"


def shown_labels(trial: Trial) -> dict[str, str]:
    """What a person is shown of how the search made *trial*, by name.

    Its labels, and the parent from whose checkpoint it continues. That it is a point of the
    beginning goes without saying; that it is one enqueued later does not.
    """
    labels = {name: text for name, text in trial.labels.items() if not text.startswith("initial-")}
    return labels if trial.parent is None else {**labels, "parent": str(trial.parent)}
