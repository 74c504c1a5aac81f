"""States as shapes with a word beside them: a trial fills up, unusual ends look unusual."""

from __future__ import annotations

import math
from html import escape

from hpo_lab.dashboard.words import RESUMED
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade.summary import INTERRUPTED, Summary

__all__ = [
    "BEST",
    "COLOURS",
    "FRONT",
    "STYLES",
    "experiment_state",
    "icon",
    "trial_counts",
    "trial_word",
]

BEST, FRONT = "best", "front"
"""The marks of the best trial and of those on the Pareto front."""

_TRIALS = {
    TrialState.CREATED: ("created", "Created"),
    TrialState.RUNNING: ("running", "Running"),
    TrialState.SUCCEEDED: ("succeeded", "Succeeded"),
    TrialState.EARLY_STOPPED: ("early", "Early stopped"),
    TrialState.FAILED: ("failed", "Failed"),
    TrialState.METRICS_UNAVAILABLE: ("failed", "No metric"),
    TrialState.KILLED: ("killed", "Killed"),
}
_EXPERIMENTS = {
    ExperimentState.CREATED.value: ("created", "Starting"),
    ExperimentState.RUNNING.value: ("running", "Running"),
    ExperimentState.RESTARTING.value: ("created", "Starting"),
    ExperimentState.SUCCEEDED.value: ("succeeded", "Finished"),
    ExperimentState.FAILED.value: ("failed", "Failed"),
    ExperimentState.STOPPED.value: ("stopped", "Stopped"),
    INTERRUPTED: ("stopped", "Interrupted"),
}
_NO_RESULT = ("failed", f"{_EXPERIMENTS[ExperimentState.SUCCEEDED.value][1]}, no result")

COLOURS = {
    "created": "dim",
    "running": "blue",
    "succeeded": "blue",
    "early": "magenta",
    "failed": "red",
    "killed": "yellow",
    "stopped": "yellow",
}
"""The colours of marks in a terminal."""

STYLES = {
    word: COLOURS[mark] for mark, word in (*_TRIALS.values(), *_EXPERIMENTS.values(), _NO_RESULT)
}
"""The colours of the words for states in a terminal."""


def trial_word(state: TrialState) -> tuple[str, str]:
    """The mark of a trial's state, and its word."""
    return _TRIALS[state]


def trial_counts(summary: Summary) -> list[tuple[str, int, str]]:
    """How many trials there are of each mark, with a word; marks without trials are left out.

    Trials that wait for the set-up have the mark of those that have not begun, and so have those
    that wait until an experiment that is over is resumed.
    """
    waits = summary.set_up is not None
    counts: dict[str, int] = {}
    for state, (mark, _) in _TRIALS.items():
        counts[mark] = counts.get(mark, 0) + summary.counts.get(state, 0)
    words = {
        "succeeded": "succeeded",
        "early": "stopped early",
        "failed": "failed",
        "killed": "killed",
        "running": "waiting" if waits else "running",
    }
    if summary.is_over:
        words["created"] = RESUMED
    return [
        ("created" if waits and mark == "running" else mark, counts[mark], word)
        for mark, word in words.items()
        if counts[mark]
    ]


def experiment_state(summary: Summary) -> tuple[str, str]:
    """The mark of an experiment's state, and its words.

    An experiment that is over without a value in any trial is `Finished, no result`, whatever
    its record says.
    """
    if summary.set_up is not None:
        return "running", "Setting up"
    has_result = summary.best is not None or bool(summary.text)
    if summary.state == ExperimentState.SUCCEEDED and not has_result:
        return _NO_RESULT
    return _EXPERIMENTS[summary.state]


def icon(mark: str, size: int = 14) -> str:
    """The shape called *mark* as a small picture in the colour of its class."""
    return (
        f'<svg class="hpo-mark {escape(mark)}" viewBox="0 0 14 14" width="{size}" height="{size}"'
        f' aria-hidden="true">{_SHAPES[mark]}</svg>'
    )


def _stroke(path: str, width: float) -> str:
    return f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="{width}"/>'


def _star(x: float, y: float, outer: float, inner: float) -> str:
    points = (
        (
            x + (outer, inner)[n % 2] * math.sin(n * math.pi / 5),
            y - (outer, inner)[n % 2] * math.cos(n * math.pi / 5),
        )
        for n in range(10)
    )
    return f"M{'L'.join(f'{a:.1f} {b:.1f}' for a, b in points)}z"


_SHAPES = {
    "created": '<circle cx="7" cy="7" r="3.9" fill="none" stroke="currentColor"'
    ' stroke-width="1.4" stroke-dasharray="1.6 1.7"/>',
    "running": '<circle cx="7" cy="7" r="3.9" fill="none" stroke="currentColor"'
    ' stroke-width="1.5"/><path d="M7 3.1a3.9 3.9 0 0 1 0 7.8z" fill="currentColor"/>',
    "succeeded": '<circle cx="7" cy="7" r="4.6" fill="currentColor"/>',
    "early": _stroke("M2.4 7H9.5M9.5 2.4V11.6", 2),
    "failed": _stroke("M3.4 3.4L10.6 10.6M3.4 10.6L10.6 3.4", 2.1),
    "killed": '<rect x="3.2" y="3.2" width="7.6" height="7.6" rx="1" fill="currentColor"/>',
    "stopped": _stroke("M4.9 3.1V10.9M9.1 3.1V10.9", 2.2),
    FRONT: '<path d="M7 2L12 7L7 12L2 7z" fill="currentColor"/>',
    BEST: f'<path d="{_star(7, 7.4, 5.7, 2.5)}" fill="var(--hpo-gold)" stroke="currentColor"'
    ' stroke-width="1.1" stroke-linejoin="round"/>',
}
