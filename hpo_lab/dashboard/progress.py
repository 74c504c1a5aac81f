"""An experiment's progress as HTML and as text, made from what the store holds."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from hpo_lab.dashboard.front import front_html
from hpo_lab.dashboard.html import (
    BLUE,
    CODE,
    GREEN,
    GREY,
    MUTED,
    RED,
    Cell,
    assignments,
    box,
    cut,
    dot,
    state_mark,
    table,
)
from hpo_lab.dashboard.preview import decisions_html
from hpo_lab.dashboard.tables import LISTING, listing_row, print_experiments
from hpo_lab.dashboard.trials_html import PARAMETERS, best_html, trials_html
from hpo_lab.dashboard.words import (
    best_in_words,
    climb,
    duration,
    number,
    objective_in_words,
    running_trials,
    set_up_in_words,
    time_left,
)
from hpo_lab.experiment.model import API_VERSION, Objective
from hpo_lab.experiment.status import GIVEN_UP
from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade.summary import Failure, Summary
from hpo_lab.facade.tally import Tally

if TYPE_CHECKING:
    from hpo_lab.notebook.slicing import Decision

__all__ = ["listing_html", "listing_text", "progress_html", "progress_text", "status_line"]

_WIDE = 200
_LARGE = "font-size:22px;line-height:1.3"
_TRACEBACK = f"{CODE};line-height:1.4;margin:4px 0 0 13px;padding:0;overflow-x:auto;{MUTED}"
_SIZE = 20_000
"""Of the HTML, in bytes: it is sent again and again, and stays in the notebook."""
_DETAIL = ((60, PARAMETERS, 25), (60, PARAMETERS, 0), (24, 2, 0), (8, 2, 0), (0, 0, 0))
"""Best values, parameters with columns, and earlier cells: the first that are small enough."""


def progress_html(
    summary: Summary,
    tally: Tally,
    decisions: Sequence[Decision] = (),
    note: str = "",
    files: str = "",
    failure: Failure | None = None,
    as_of: str = "",
) -> str:
    """The experiment as a piece of HTML without scripts, of 20 KB at most.

    Args:
        summary: The experiment at a glance.
        tally: Its trials, and what stands out among them.
        decisions: Which earlier cells its trials run, and why.
        note: A sentence about how it came to be shown.
        files: HTML with the files of the best trial.
        failure: The trial that failed last, where its traceback is to be shown.
        as_of: When this was so, shown while it may change: what shows it may not be updated.
    """
    above = [_headline(summary, as_of), _bar(summary)]
    if set_up := set_up_in_words(summary):
        above.append(f'<div style="margin-top:4px">{dot(BLUE)}{cut(set_up, 200)}</div>')
    if note:
        above.append(f"<div>{cut(note, 400)}</div>")
    if summary.is_over and summary.message:
        above.append(f'<div style="{MUTED}">{cut(summary.message, 400)}</div>')
    several = bool(summary.spec.objective.additional_objectives)
    above.append(front_html(summary, tally) if several else "")
    failed = _failure_html(tally, failure)
    hints = " &nbsp;·&nbsp; ".join(
        f'<code style="{CODE};background:none;padding:0">{cut(command, 100)}</code>'
        f' <span style="{MUTED}">{effect}</span>'
        for command, effect in _hints(summary)
    )
    below = f'<div style="margin-top:8px">{hints}</div>'
    html = ""
    for values, columns, cells in _DETAIL:
        html = box(
            *above,
            "" if several else best_html(summary.best, values),
            trials_html(summary, tally, columns=columns),
            files,
            failed,
            decisions_html(decisions, rows_at_most=cells),
            below,
        )
        if len(html.encode()) <= _SIZE:
            break
    return html


def progress_text(summary: Summary, note: str = "", as_of: str = "") -> str:
    """The experiment as two or three lines of text."""
    as_of = f"as of {as_of}" if as_of and not summary.is_over else ""
    how_far = ", ".join(filter(None, [*_how_far(summary), as_of]))
    lines = [f"{summary.title}: {summary.state}, {how_far}"]
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
    parts = [summary.state, *_how_far(summary), set_up_in_words(summary), best]
    return f"{summary.title}: {', '.join(filter(None, parts))}"


def listing_html(summaries: Sequence[Summary], now: float, *, folders: bool = False) -> str:
    """Several experiments as a table, one a row; *now* in seconds since the epoch.

    With *folders* each is shown with the folder that it belongs to.
    """
    columns = LISTING if folders else LISTING[:-1]
    rows = [
        [
            Cell(
                state_mark(text) if column.name == "state" else cut(text, 100),
                is_number=not column.left,
            )
            for column, text in zip(columns, listing_row(summary, now), strict=False)
        ]
        for summary in summaries
    ]
    return box(table([column.name.capitalize() for column in columns], rows))


def listing_text(summaries: Sequence[Summary], now: float, *, folders: bool = False) -> str:
    """Several experiments as lines of text."""
    console = Console(file=StringIO(), width=_WIDE)
    print_experiments(console, summaries, now, folders=folders)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().rstrip()


def _how_far(summary: Summary) -> list[str]:
    parts = [_done(summary), *_others(summary), _ran(summary), time_left(summary)]
    return list(filter(None, parts))


def _ran(summary: Summary) -> str:
    """How long the experiment has run; while it runs, coarse enough to change seldom."""
    seconds = int(summary.elapsed)
    if seconds >= 60 and not summary.is_over:
        seconds -= seconds % 10
    return f"{seconds} s" if seconds < 60 else duration(seconds)


def _headline(summary: Summary, as_of: str) -> str:
    shown = f"as of {as_of}" if as_of and not summary.is_over else ""
    return (
        '<div style="display:flex;flex-wrap:wrap;align-items:baseline;gap:0 16px">'
        f'<b style="font-size:15px">{cut(summary.title, 100)}</b>'
        f"<span>{state_mark(summary.state)}</span>"
        f'<span style="margin-left:auto;font-size:12px;{MUTED}">{cut(shown, 100)}</span></div>'
        f"{_climb(summary)}"
    )


def _climb(summary: Summary) -> str:
    """The best value and from where it came, or how many trials the front has."""
    objective = summary.spec.objective
    goal = "" if objective.goal is None else f", goal {number(objective.goal)}"
    wanted = objective_in_words(objective)
    if not _is_many(objective):
        wanted = f"{objective.objective_metric_name}, {objective.type.value}"
    if objective.additional_objectives:
        reached = f'<b style="{_LARGE}">{len(summary.front)}</b> on the Pareto front'
    elif summary.best is None:
        reached = "no result:" if summary.is_over else "no result yet:"
    else:
        start, arrow, best = climb(summary).rpartition(" → ")
        reached = f'<span style="{_LARGE};{MUTED}">{start}{arrow}</span>' if start else ""
        reached += f'<b style="{_LARGE}">{best}</b>'
        if summary.as_written is not None and not summary.best.number:
            reached += " as written is best," if summary.is_over else " as written, no better yet,"
    return f'<div>{reached} <span style="{MUTED}">{cut(wanted + goal, 300)}</span></div>'


def _is_many(objective: Objective) -> bool:
    """Whether there is more to say of the objective than the direction of its metric."""
    return bool(objective.additional_objectives or objective.constraints)


def _bar(summary: Summary) -> str:
    lost = summary.failed + summary.counts.get(TrialState.KILLED, 0)
    early = summary.counts.get(TrialState.EARLY_STOPPED, 0)
    parts = [
        (summary.completed - lost - early, GREEN),
        (early, f"{GREEN};opacity:.5"),
        (lost, RED),
        (summary.counts.get(TrialState.RUNNING, 0), BLUE if summary.set_up is None else GREY),
    ]
    known = sum(summary.counts.values())
    total = max(summary.spec.max_trial_count or 0, known, 1)
    segments = "".join(
        f'<div style="width:{100 * count / total:.4g}%;background:{colour}"></div>'
        for count, colour in parts
        if count
    )
    text = " · ".join(_how_far(summary))
    return (
        f'<div role="img" aria-label="{cut(text, 100)}" style="display:flex;height:6px;'
        "margin:6px 0 4px;border-radius:3px;overflow:hidden;"
        f'background:var(--jp-layout-color3, rgba(128,128,128,.25))">{segments}</div>'
        f'<div style="{MUTED}">{cut(text, 100)}</div>'
    )


def _done(summary: Summary) -> str:
    total = summary.spec.max_trial_count
    count = summary.completed
    return f"{count} trials done" if total is None else f"{count} of {total} trials done"


def _others(summary: Summary) -> list[str]:
    early = summary.counts.get(TrialState.EARLY_STOPPED, 0)
    counts = ((early, "stopped early"), (summary.failed, "failed"))
    others = [f"{count} {what}" for count, what in counts if count]
    return [text for text in (running_trials(summary), *others) if text]


def _failure_html(tally: Tally, failure: Failure | None) -> str:
    """The trial that failed last, and the lines of its traceback where *failure* has them."""
    failed = tally.last_failure
    if failed is None:
        return ""
    text = cut(f"Trial {failed.number}: {failed.message}", 400)
    lines = cut(failure.excerpt, 2_000) if failure else ""
    traceback = f'<pre style="{_TRACEBACK}">{lines}</pre>' if lines else ""
    return f'<div style="margin-top:6px">{dot(RED)}{text}{traceback}</div>'


def _hints(summary: Summary) -> list[tuple[str, str]]:
    """How to go on: commands, and what each of them does."""
    name = summary.title
    hints = []
    if summary.best:
        which = f"values of trial {summary.best.number}" if summary.front else "best values"
        template = summary.spec.trial_template
        if template and template.kind == (API_VERSION, "NotebookTrial"):
            hints.append((f"%hpo best {name} --run", f"runs the cell with the {which}"))
        else:
            hints.append((f"%hpo best {name} --apply", f"sets the {which} here"))
    if not summary.is_over:
        hints.append((f"%hpo stop {name}", "ends it"))
    elif summary.state in ("Stopped", "Interrupted"):
        hints.append((f"%hpo resume {name}", "goes on"))
    elif summary.best is None:
        hints.append((f"%hpo logs {name}", "says more"))
    if summary.is_over and summary.reason == GIVEN_UP:
        most = summary.spec.max_trial_count or "N"
        hints.append((f"%hpo resume {name}", f"tries again, with --max-failed {most} all of them"))
    return hints
