"""An experiment's progress as text, and lists of experiments, made from what the store holds."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from hpo_lab.dashboard.html import Cell, assignments, box, cut, table
from hpo_lab.dashboard.marks import experiment_state, icon
from hpo_lab.dashboard.safe_console import SafeConsole
from hpo_lab.dashboard.tables import LISTING, listing_row, print_experiments
from hpo_lab.dashboard.words import (
    best_in_words,
    other_trials,
    set_up_in_words,
    time_left,
    time_used,
    trials_done,
)
from hpo_lab.facade.summary import Summary

__all__ = ["listing_html", "listing_text", "progress_text", "status_line"]

_WIDE = 200


def progress_text(summary: Summary, note: str = "", as_of: str = "") -> str:
    """The experiment as two or three lines of text."""
    shown = f"as of {as_of} (%hpo show {summary.title} shows it now)" if as_of else ""
    how_far = ", ".join([*_how_far(summary), *([shown] if shown and not summary.is_over else [])])
    lines = [f"{summary.title}: {experiment_state(summary)[1]}, {how_far}"]
    if set_up := set_up_in_words(summary):
        lines.append(set_up)
    if note:
        lines.append(note)
    if summary.is_over and summary.message:
        lines.append(summary.message)
    if summary.best:
        first = f"{len(summary.front)} on the Pareto front, first" if summary.front else "best"
        values = assignments(summary.best.parameters)
        lines.append(f"{first} {best_in_words(summary)}: {values}")
    return "\n".join(lines)


def status_line(summary: Summary) -> str:
    """The experiment as a line of text."""
    best = f"best {best_in_words(summary)}" if summary.best else ""
    if summary.front:
        best = f"{len(summary.front)} on the Pareto front"
    parts = [experiment_state(summary)[1], *_how_far(summary), set_up_in_words(summary), best]
    return f"{summary.title}: {', '.join(filter(None, parts))}"


def listing_html(summaries: Sequence[Summary], now: float, *, folders: bool = False) -> str:
    """Several experiments as a table, one a row; *now* in seconds since the epoch.

    With *folders* each is shown with the folder that it belongs to.
    """
    columns = LISTING if folders else LISTING[:-1]
    rows = [
        [
            Cell(_state(summary) if column.name == "state" else cut(text, 100), is_left=column.left)
            for column, text in zip(columns, listing_row(summary, now), strict=False)
        ]
        for summary in summaries
    ]
    heads = [Cell(column.name.capitalize(), is_left=column.left) for column in columns]
    return box(table(heads, rows, label="Experiments"))


def _state(summary: Summary) -> str:
    mark, word = experiment_state(summary)
    return f"{icon(mark)}{word}"


def listing_text(summaries: Sequence[Summary], now: float, *, folders: bool = False) -> str:
    """Several experiments as lines of text."""
    console = SafeConsole(file=StringIO(), width=_WIDE)
    print_experiments(console, summaries, now, folders=folders)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().rstrip()


def _how_far(summary: Summary) -> list[str]:
    times = time_used(summary), time_left(summary)
    return list(filter(None, [f"{trials_done(summary)} done", *other_trials(summary), *times]))
