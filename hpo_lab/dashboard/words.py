"""Words for what an experiment and its trials are, the same in a terminal and a notebook."""

from __future__ import annotations

import math
from pathlib import Path

from hpo_lab.counting import counted
from hpo_lab.experiment.model import Objective, ObjectiveType, Value
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.summary import FEW, Best, Summary

__all__ = [
    "RESUMED",
    "ago",
    "best_in_words",
    "best_line",
    "better",
    "climb",
    "difference",
    "duration",
    "elsewhere_note",
    "folder_text",
    "metric_number",
    "number",
    "objective_in_words",
    "other_trials",
    "rate",
    "set_up_in_words",
    "shortened",
    "shown_labels",
    "time_left",
    "time_used",
    "trials_done",
]

RESUMED = "waiting for resume"
"""The state of trials that have not ended in an experiment that has."""


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


def shortened(name: str, room: int) -> str:
    """*name* in at most *room* characters: its beginning and its end, which tells it apart."""
    if len(name) <= room:
        return name
    end = (room - 1) // 2 if room > 5 else 0
    begin = max(1, room - 1 - end)
    return f"{name[:begin].rstrip()}…{name[len(name) - end :].lstrip()}"


def better(direction: ObjectiveType) -> str:
    """Which values of an objective are better, in words."""
    return "higher is better" if direction is ObjectiveType.MAXIMIZE else "lower is better"


def metric_number(value: float) -> str:
    """A value of an objective: four decimals between 0.01 and 10, so that columns are alike.

    Elsewhere four significant digits, as of any number.
    """
    return f"{value:.4f}" if 0.01 <= abs(value) < 10 else number(value)


def difference(before: float, after: float) -> str:
    """`+0.6261`: by how much a value of an objective has changed, with the decimals of both."""
    change = after - before
    text = metric_number(change) if abs(change) >= 0.01 or not change else f"{change:.3g}"
    return text if text.startswith("-") else f"+{text}"


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


def climb(summary: Summary) -> str:
    """`0.3383 → 0.9644`: the cell as written, and the best, the first objective of several."""
    best = "" if summary.best is None else number(summary.best.value)
    if summary.as_written is None or not summary.best or not summary.best.number:
        return best
    return f"{number(summary.as_written)} → {best}"


def best_line(best: Best) -> str:
    """`accuracy 0.97 in trial 7`; of several objectives all."""
    values = ", ".join(f"{name} {number(value)}" for name, value in best.values.items())
    return f"{values} in trial {best.number}"


def best_in_words(summary: Summary) -> str:
    """`accuracy 0.3383 → 0.9644 in trial 7`; of several objectives all, without the first value.

    Empty where there is no best.
    """
    best = summary.best
    if best is None:
        return ""
    line = best_line(best)
    if len(best.values) == 1:
        metric = summary.spec.objective.objective_metric_name
        line = f"{metric} {climb(summary)} in trial {best.number}"
    written = ", as written" if summary.as_written is not None and not best.number else ""
    return f"{line}{written}"


def time_used(summary: Summary) -> str:
    """How long it has run, coarse enough to change seldom; empty before it runs first."""
    if summary.starting is not None and not summary.elapsed:
        return ""
    seconds = int(summary.elapsed)
    if seconds >= 60 and not summary.is_over:
        seconds -= seconds % 10
    return f"{seconds} s" if seconds < 60 else duration(seconds)


def rate(summary: Summary) -> str:
    """`18 trials a minute`: how many end in the unit in which that is a count; else empty."""
    if summary.completed < FEW or summary.elapsed <= 0 or summary.is_over:
        return ""
    each = summary.elapsed / summary.completed
    for unit, seconds in (("second", 1), ("minute", 60), ("hour", 3600)):
        if each <= seconds or unit == "hour":
            return f"{seconds / each:.2g} trials a {unit}".replace("a hour", "an hour")
    return ""


def time_left(summary: Summary) -> str:
    """`about 2 min left`, coarse enough to change seldom; empty where it cannot be known."""
    if summary.left is None:
        return ""
    for below, step in ((60, 5), (600, 10), (math.inf, 60)):
        if summary.left < below:
            rounded = max(step, math.ceil(summary.left / step) * step)
            text = duration(rounded) if rounded >= 10 else f"{rounded} s"
            return f"about {text.removesuffix(' 0 s').removesuffix(' 0 min')} left"
    return ""


def objective_in_words(objective: Objective) -> str:
    """`minimize loss, maximize accuracy, 1 <= memory <= 8`."""
    parts = [f"{type.value} {name}" for name, type in objective.objectives]
    for constraint in objective.constraints:
        low = "" if constraint.min is None else f"{number(constraint.min)} <= "
        high = "" if constraint.max is None else f" <= {number(constraint.max)}"
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


def set_up_in_words(summary: Summary) -> str:
    """`running the 2 set-up cells, 8 s`, `starting, 2 s` before; empty where no trial waits."""
    waited = summary.starting if summary.set_up is None else summary.set_up
    if waited is None:
        return ""
    minutes, seconds = divmod(int(waited), 60)
    # Coarse enough to change seldom.
    time = f"{minutes} min {seconds // 10 * 10} s" if minutes else f"{seconds} s"
    what = (
        summary.message.removeprefix("Experiment is ") if summary.starting is None else "starting"
    )
    return f"{what}, {time}"


def trials_done(summary: Summary, of: str = " of ") -> str:
    """`12 of 30 trials`, or `12 trials` where their number has no end."""
    if (total := summary.spec.max_trial_count) is None:
        return summary.ended_trials
    return f"{summary.completed}{of}{counted(total, 'trial')}"


def other_trials(summary: Summary) -> list[str]:
    """`2 running`, or `2 waiting` for the set-up, `1 stopped early`, `3 failed`; none is 0.

    In an experiment that is over also `2 waiting for resume`.
    """
    counts = {
        "running" if summary.set_up is None else "waiting": summary.counts.get(TrialState.RUNNING),
        "stopped early": summary.counts.get(TrialState.EARLY_STOPPED),
        "failed": summary.failed,
        RESUMED: summary.counts.get(TrialState.CREATED) if summary.is_over else 0,
    }
    return [f"{count} {word}" for word, count in counts.items() if count]
