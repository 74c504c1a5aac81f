"""Words for what an experiment and its trials are, the same in a terminal and a notebook."""

from __future__ import annotations

from hpo_lab.experiment.model import Objective, Value
from hpo_lab.experiment.trial import Trial

__all__ = ["ago", "duration", "number", "objective_in_words", "shown_labels"]


def number(value: Value | None) -> str:
    """A value for a person: a float with four significant digits, text as it is.

    Digits before the point are not rounded off under a million; there are no needless zeros.
    """
    if value is None:
        return ""
    if not isinstance(value, float):
        return value if isinstance(value, str) else repr(value)
    text = f"{value:.4g}"
    mantissa, exponential, exponent = text.partition("e")
    if not exponential:
        return text
    return f"{value:.0f}" if 0 < int(exponent) < 6 else f"{mantissa}e{int(exponent)}"


def duration(seconds: float) -> str:
    """A time span in two units at most: `4.2 s`, `42 s`, `3 min 7 s`, `2 h 3 min`, `3 d 4 h`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    for size, unit, below, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // below} {smaller}"
    return f"{whole // 60} min {whole % 60} s"


def ago(seconds: float) -> str:
    """How long since something happened: `just now`, `13 min ago`, `yesterday`, `9 days ago`."""
    if seconds < 5:
        return "just now"
    for below, size, unit in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h")):
        if seconds < below:
            return f"{int(seconds // size)} {unit} ago"
    days = int(seconds // 86400)
    return "yesterday" if days == 1 else f"{days} days ago"


def objective_in_words(objective: Objective) -> str:
    """`minimize loss, maximize accuracy, 1 <= memory <= 8`."""
    parts = [f"{type.value} {name}" for name, type in objective.objectives]
    for constraint in objective.constraints:
        low = "" if constraint.min is None else f"{number(constraint.min)} <= "
        high = "" if constraint.max is None else f" <= {number(constraint.max)}"
        parts.append(f"{low}{constraint.name}{high}")
    return ", ".join(parts)


def shown_labels(trial: Trial) -> dict[str, str]:
    """What a person is shown of how the search made *trial*, by name.

    Its labels, and the parent from whose checkpoint it continues. That it is a point of the
    beginning goes without saying; that it is one enqueued later does not.
    """
    labels = {name: text for name, text in trial.labels.items() if not text.startswith("initial-")}
    return labels if trial.parent is None else {**labels, "parent": str(trial.parent)}
