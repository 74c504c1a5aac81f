"""An experiment as HTML: is it going well, what is won, how it got there, what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hpo_lab.dashboard.hints import FailureGroup, failure_groups, values_at_bounds
from hpo_lab.dashboard.html import box, cut, details, foot, name_html
from hpo_lab.dashboard.marks import experiment_state, icon, trial_counts
from hpo_lab.dashboard.pictures import Pictures
from hpo_lab.dashboard.preview import decisions_html
from hpo_lab.dashboard.trials_html import PARAMETERS, best_values_html, trials_html
from hpo_lab.dashboard.words import (
    better,
    difference,
    metric_number,
    number,
    objective_in_words,
    set_up_in_words,
    time_left,
    time_used,
    trials_done,
)
from hpo_lab.experiment.model import API_VERSION
from hpo_lab.experiment.status import GIVEN_UP, ExperimentState
from hpo_lab.facade.summary import Failure, Summary
from hpo_lab.facade.tally import Tally

if TYPE_CHECKING:
    from hpo_lab.notebook.slicing import Decision

__all__ = [
    "bar_html",
    "bounds_html",
    "climb_html",
    "experiment_html",
    "failures_note_html",
    "head_html",
    "notes_html",
]

_SIZE = 40_000
"""Of the HTML without pictures, in bytes: it is sent again and again, and stays in the notebook."""
_DETAIL = ((60, PARAMETERS, 25), (60, PARAMETERS, 0), (24, 2, 0), (8, 2, 0), (0, 0, 0))
"""Best values, parameters with columns, and earlier cells: the first that are small enough."""
_MESSAGE = 800


def experiment_html(
    summary: Summary,
    tally: Tally,
    decisions: Sequence[Decision] = (),
    note: str = "",
    files: str = "",
    failure: Failure | None = None,
    as_of: str = "",
    pictures: Pictures | None = None,
) -> str:
    """The experiment as a piece of HTML without scripts.

    Args:
        summary: The experiment at a glance.
        tally: Its trials, and what stands out among them.
        decisions: Which earlier cells its trials run, and why.
        note: A sentence about how it came to be shown.
        files: HTML with the files of the best trial.
        failure: The trial that failed last, where its traceback is to be shown.
        as_of: When this was so, shown while it may change: what shows it may not be updated.
        pictures: What is drawn of it.
    """
    pictures = pictures or Pictures()
    groups = failure_groups(summary, tally)
    above = [head_html(summary, as_of), climb_html(summary), bar_html(summary)]
    if note:
        above.append(f'<p class="q sm">{cut(note, _MESSAGE)}</p>')
    drawn = "".join(pictures.above)
    above.append(f'<div class="hpo-row">{drawn}</div>' if drawn else "")
    if groups and (summary.best is None or _is_given_up(summary)):
        above.append(failures_note_html(summary, groups[0], failure))
        groups = groups[1:]
    below = [bounds_html(summary, tally)]
    if pictures.below:
        images = f'<div class="hpo-row">{"".join(pictures.below)}</div>'
        below.append(details("Pictures", "slices, curves, combinations", images, is_open=True))
    below += [_failures(group) for group in groups]
    html = ""
    for values, columns, cells in _DETAIL:
        html = box(
            *above,
            best_values_html(None if summary.front else summary.best, values),
            trials_html(summary, tally, columns=columns),
            files,
            *below,
            decisions_html(decisions, rows_at_most=cells),
            foot(_hints(summary)),
            label=f"Experiment {summary.title}",
        )
        if len(html.encode()) <= _SIZE + sum(map(len, [drawn, *pictures.below])):
            break
    return html


def notes_html(summary: Summary, tally: Tally) -> str:
    """What a person should be told of the trials."""
    groups = failure_groups(summary, tally)
    return bounds_html(summary, tally) + "".join(map(_failures, groups))


def _is_given_up(summary: Summary) -> bool:
    return summary.state == ExperimentState.FAILED


def head_html(summary: Summary, as_of: str = "") -> str:
    """Name, state, how far it is and the time."""
    mark, word = experiment_state(summary)
    time = ", ".join(filter(None, [time_used(summary), time_left(summary)]))
    done, is_all = trials_done(summary), summary.completed == summary.spec.max_trial_count
    if waiting := set_up_in_words(summary):
        how_far, time = waiting, ""
    else:
        how_far = f"all {summary.ended_trials}" if is_all and summary.completed > 1 else done
    # That all trials of the budget have run is said already.
    is_usual = mark == "succeeded" and is_all
    why = summary.message if summary.is_over and not is_usual else ""
    shown = f"as of {as_of}" if as_of and not summary.is_over else ""
    pieces = [
        f'<span class="hpo-name">{cut(summary.title, 100)}</span>',
        f'<span class="hpo-state">{icon(mark)}{word}</span>',
        f"<span>{cut(how_far, 100)}</span>",
        f'<span class="q">{cut(time, 100)}</span>' if time else "",
        f'<span class="q">{cut(why, _MESSAGE)}</span>' if why else "",
        f'<span class="q xs">{cut(shown, 100)}</span>' if shown else "",
    ]
    return f'<div class="hpo-head">{" ".join(filter(None, pieces))}</div>'


def climb_html(summary: Summary) -> str:
    """The value as written, the best, and the difference; of several objectives the front."""
    objective, best, written = summary.spec.objective, summary.best, summary.as_written
    goal = "" if objective.goal is None else f", goal {number(objective.goal)}"
    wanted = f"{objective.objective_metric_name}, {better(objective.type)}{goal}"
    if objective.additional_objectives:
        # The directions are in the heads of the table.
        names = ", ".join(name for name, _ in objective.objectives)
        pieces = [_large(str(len(summary.front)), f"on the Pareto front of {names}", "to")]
    elif summary.text and best is None:
        pieces = [_large(summary.text, f"{objective.objective_metric_name}, found last", "to")]
    elif best is None:
        word = "no result" if summary.is_over else "no result yet"
        return f'<p class="q sm hpo-wanted">{word}: {cut(wanted, 300)}</p>'
    elif written is None:
        pieces = [_large(metric_number(best.value), f"best, trial {best.number}; {wanted}", "to")]
    elif not best.number:
        word = "as written is best" if summary.is_over else "as written, no better one yet"
        if summary.is_over and summary.completed == summary.failed + 1:
            word = "as written, the only result"
        pieces = [_large(metric_number(written), f"{word}; {wanted}", "from")]
    else:
        change = difference(written, best.value)
        pieces = [
            _large(metric_number(written), "as written", "from"),
            '<span class="arrow" aria-label="to">→</span>',
            _large(metric_number(best.value), f"best, trial {best.number}", "to"),
            f'<span><span class="n small">{change}</span> <span class="l">{cut(wanted, 300)}'
            "</span></span>",
        ]
    further = f'<p class="q sm">{cut(objective_in_words(objective), 300)}</p>'
    return f'<div class="hpo-climb">{" ".join(pieces)}</div>' + (
        further if objective.constraints else ""
    )


def _large(text: str, label: str, kind: str) -> str:
    shown = cut(text, 100)
    return (
        f'<span class="{kind}"><span class="n">{shown}</span> '
        f'<span class="l">{cut(label, 300)}</span></span>'
    )


def bar_html(summary: Summary) -> str:
    """How many trials have ended in which way, as a bar with its key."""
    counts = trial_counts(summary)
    recorded = sum(count for _, count, _ in counts)
    total = max(summary.spec.max_trial_count or 0, recorded, 1)
    segments = "".join(
        f'<i class="{mark}" style="width:{100 * count / total:.4g}%"></i>'
        for mark, count, _ in counts
    )
    if recorded < total and not summary.is_over:
        counts.append(("created", total - recorded, "to go"))
    words = [f"{count} {word}" for _, count, word in counts]
    marks = [icon(mark, 12) for mark, _, _ in counts]
    key = '<span class="dotsep"> · </span>'.join(
        f"<span>{mark}{word}</span>" for mark, word in zip(marks, words, strict=True)
    )
    return (
        f'<div class="hpo-bar" role="progressbar" aria-valuemin="0" aria-valuemax="{total}"'
        f' aria-valuenow="{summary.completed}" aria-label="{", ".join(words)}">{segments}</div>'
        f'<div class="hpo-key">{key}</div>'
    )


def bounds_html(summary: Summary, tally: Tally) -> str:
    """The best values at a bound of their range."""
    return "".join(
        f'<div class="hpo-note edgy"><b><code>{name_html(hint.name)}</code> = '
        f"{cut(number(hint.value), 40)} is at its {hint.bound} bound.</b>"
        + (
            f" A wider range may be better: <code>{cut(hint.wider, 100)}</code>"
            if hint.wider
            else ""
        )
        + "</div>"
        for hint in values_at_bounds(summary, tally)[:3]
    )


def failures_note_html(summary: Summary, group: FailureGroup, failure: Failure | None) -> str:
    """Why there is no result: the most frequent failure, and the lines of the last one."""
    lines = failure.excerpt if failure and failure.message == group.message else ""
    shown = f"<pre>{cut(lines, 2_000)}</pre>" if lines else ""
    condition = f"<code>{cut(group.in_common, 200)}</code>"
    common = f"<p>All of them have {condition}; no other trial has.</p>" if group.in_common else ""
    return (
        f'<div class="hpo-note err"><b>{cut(group.message, 400)}</b> '
        f'<span class="q">{_which_trials(group, summary.failed)}</span>{shown}{common}</div>'
    )


def _failures(group: FailureGroup) -> str:
    count = len(group.numbers)
    title = f"Trial {group.numbers[0]} failed" if count == 1 else f"{count} trials failed"
    message = cut(group.message, 400)
    common = f"; all have <code>{cut(group.in_common, 100)}</code>" if group.in_common else ""
    numbers = ", ".join(map(str, group.numbers[:20])) + (", …" if count > 20 else "")
    return details(title, f"{message}{common}", f'<p class="sm">Trials {numbers}</p>')


def _which_trials(group: FailureGroup, failed: int) -> str:
    """`in 3, first in trial 7`: the trials of *group*, of all that *failed*."""
    count, first = len(group.numbers), group.numbers[0]
    if count == 1:
        return f"in trial {first}"
    return f"in {'all ' if count == failed else ''}{count}, first in trial {first}"


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
        hints.append((f"%hpo stop {name}", "ends it; it can be resumed"))
        hints.append((f"%hpo show {name}", "shows it now, where this was saved"))
    elif summary.state in ("Stopped", "Interrupted"):
        hints.append((f"%hpo resume {name}", "goes on"))
    elif summary.best is None:
        hints.append((f"%hpo logs {name}", "says more"))
    if summary.is_over and summary.reason == GIVEN_UP:
        most = summary.spec.max_trial_count or "N"
        hints.append((f"%hpo resume {name}", f"tries again, with --max-failed {most} all of them"))
    return hints
