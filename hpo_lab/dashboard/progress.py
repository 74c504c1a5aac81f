"""An experiment's progress as HTML and as text, made from what the store holds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from hpo_lab.dashboard.front import front_html
from hpo_lab.dashboard.html import (
    BLUE,
    CODE,
    GREEN,
    GREY,
    MUTED,
    RED,
    assignments,
    box,
    cut,
    dot,
    number,
    state_mark,
    table,
)
from hpo_lab.dashboard.preview import decisions_html
from hpo_lab.dashboard.words import (
    objective_in_words,
    running_trials,
    set_up_in_words,
    shown_labels,
)
from hpo_lab.experiment.model import Objective
from hpo_lab.experiment.status import GIVEN_UP
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.summary import Best, Failure, Summary
from hpo_lab.facade.tally import Tally

if TYPE_CHECKING:
    from hpo_lab.notebook.slicing import Decision

__all__ = ["duration", "listing_html", "listing_text", "progress_html", "progress_text"]

_TOP = 3
_LATEST = 3
_OBJECTIVES = 4
_PARAMETERS = 12
_TRACEBACK = f"{CODE};line-height:1.4;margin:4px 0 0 13px;padding:0;overflow-x:auto;{MUTED}"
_SIZE = 20_000
"""Of the HTML, in bytes: it is sent again and again, and stays in the notebook."""


def progress_html(
    summary: Summary,
    tally: Tally,
    decisions: Sequence[Decision] = (),
    note: str = "",
    failure: Failure | None = None,
    as_of: str = "",
) -> str:
    """The experiment as a piece of HTML without scripts, of 20 KB at most.

    Args:
        summary: The experiment at a glance.
        tally: Its trials, and what stands out among them.
        decisions: Which earlier cells its trials run, and why.
        note: A sentence about how it came to be shown.
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
    above.append(front_html(summary, tally) if several else _best_html(summary))
    above.append(_trials_html(summary, tally, best=not several))
    if failed := tally.last_failure:
        text = cut(f"Trial {failed.number}: {failed.message}", 400)
        above.append(f'<div style="margin-top:6px">{dot(RED)}{text}</div>')
    if failure and failure.excerpt:
        above.append(f'<pre style="{_TRACEBACK}">{cut(failure.excerpt, 2_000)}</pre>')
    hints = " &nbsp;·&nbsp; ".join(
        f'<code style="{CODE};background:none;padding:0">{cut(command, 100)}</code>'
        f' <span style="{MUTED}">{effect}</span>'
        for command, effect in _hints(summary)
    )
    below = f'<div style="margin-top:8px">{hints}</div>'
    html = box(*above, decisions_html(decisions), below)
    if len(html.encode()) <= _SIZE:
        return html
    return box(*above, decisions_html(decisions, rows_at_most=0), below)


def progress_text(summary: Summary, note: str = "", as_of: str = "") -> str:
    """The experiment as two or three lines of text."""
    as_of = f"as of {as_of}" if as_of and not summary.is_over else ""
    parts = [_done(summary), *_others(summary), duration(summary), as_of]
    counts = ", ".join(filter(None, parts))
    lines = [f"{summary.title}: {summary.state}, {counts}"]
    if set_up := set_up_in_words(summary):
        lines.append(set_up)
    if note:
        lines.append(note)
    elif summary.is_over and summary.message:
        lines.append(summary.message)
    if summary.best:
        found = f"{_values(summary.best)} in trial {summary.best.number}"
        first = f"{len(summary.front)} on the Pareto front, first" if summary.front else "best"
        lines.append(f"{first} {found}: {assignments(summary.best.parameters)}")
    return "\n".join(lines)


def listing_html(summaries: Sequence[Summary]) -> str:
    """Several experiments as a table, one a row."""
    rows = [
        (
            cut(summary.title, 100),
            state_mark(summary.state),
            cut(", ".join([_done(summary), *_others(summary)]), 100),
            cut(_best_value(summary), 100),
            cut(duration(summary), 40),
        )
        for summary in summaries
    ]
    return box(table(("Experiment", "State", "Trials", "Best", "Time"), rows))


def listing_text(summaries: Sequence[Summary]) -> str:
    """Several experiments as lines of text."""
    width = max((len(summary.title) for summary in summaries), default=0)
    return "\n".join(
        f"{summary.title:{width}}  {summary.state:11}  {_done(summary)}  {_best_value(summary)}"
        for summary in summaries
    )


def duration(summary: Summary) -> str:
    """How long the experiment has run; while it runs, coarse enough to change seldom."""
    seconds = int(summary.elapsed)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        rest = seconds % 60 if summary.is_over else seconds % 60 // 10 * 10
        return f"{seconds // 60} min {rest} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def _headline(summary: Summary, as_of: str) -> str:
    shown = f"as of {as_of}" if as_of and not summary.is_over else ""
    return (
        '<div style="display:flex;flex-wrap:wrap;align-items:baseline;gap:0 16px">'
        f'<b style="font-size:15px">{cut(summary.title, 100)}</b>'
        f"<span>{state_mark(summary.state)}</span>"
        f"<span>{_found(summary)}</span>"
        f'<span style="margin-left:auto;font-size:12px;{MUTED}">{cut(shown, 100)}</span></div>'
    )


def _found(summary: Summary) -> str:
    """The best value, or, with several objectives, how many trials the front has."""
    objective = summary.spec.objective
    goal = "" if objective.goal is None else f", goal {number(objective.goal)}"
    if objective.additional_objectives:
        found = f"<b>{len(summary.front)}</b> on the Pareto front"
    else:
        value = number(summary.best.value) if summary.best else "none yet"
        found = f"best {cut(objective.objective_metric_name, 100)} <b>{value}</b>"
    wanted = objective_in_words(objective) if _is_many(objective) else objective.type.value
    return f'{found} <span style="{MUTED}">{cut(wanted + goal, 300)}</span>'


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
    text = " · ".join([_done(summary), *_others(summary), duration(summary)])
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


def _best_value(summary: Summary) -> str:
    return _values(summary.best) if summary.best else ""


def _values(best: Best) -> str:
    return ", ".join(f"{name} {number(value)}" for name, value in best.values.items())


def _best_html(summary: Summary) -> str:
    best = summary.best
    if best is None or not best.parameters:
        return ""
    rows = [
        (cut(name, 60), f'<span style="{CODE}">{cut(number(value), 60)}</span>')
        for name, value in list(best.parameters.items())[:_PARAMETERS]
    ]
    if len(best.parameters) > len(rows):
        rows.append(("", f"and {len(best.parameters) - len(rows)} more"))
    parameters = table((f"Best: trial {best.number}", ""), rows)
    return f'<div style="margin-top:8px">{parameters}</div>'


def _trials_html(summary: Summary, tally: Tally, *, best: bool) -> str:
    """The latest trials, below those that are best where there is such an order."""
    objective = tally.objective
    top = list(islice(tally.ranked(), _TOP)) if best else []
    shown = [("best", trial) for trial in top]
    shown += [("latest", trial) for trial in tally.latest(_LATEST) if trial not in top]
    if not shown:
        return ""
    metrics = [name for name, _ in objective.objectives][:_OBJECTIVES]
    rows = [
        (
            f'<span style="{MUTED}">{rank}</span>',
            str(trial.number),
            state_mark(_state(summary, trial), trial.message if trial.is_final else ""),
            *(_metric(objective, trial, name) for name in metrics),
            f'<span style="{CODE}">{cut(assignments(trial.assignments), 160)}</span>'
            + _labels(trial),
        )
        for rank, trial in shown
    ]
    heads = ("", "Trial", "State", *metrics, "Parameters")
    return f'<div style="margin-top:8px">{table(heads, rows)}</div>'


def _state(summary: Summary, trial: Trial) -> str:
    waits = summary.set_up is not None and trial.state is TrialState.RUNNING
    return "Waiting" if waits else trial.state.value


def _metric(objective: Objective, trial: Trial, name: str) -> str:
    metric = trial.metrics.get(name)
    value = None if metric is None else metric.by(objective.strategy(name))
    return "–" if value is None else number(value)  # noqa: RUF001, a dash stands for no value


def _labels(trial: Trial) -> str:
    """How the search made the trial, as a line of its own: `rung 1, resource 3, parent 7`."""
    text = ", ".join(f"{name} {text}" for name, text in shown_labels(trial).items())
    return f'<div style="{MUTED}">{cut(text, 80)}</div>' if text else ""


def _hints(summary: Summary) -> list[tuple[str, str]]:
    """How to go on: commands, and what each of them does."""
    name = summary.title
    hints = []
    if summary.best:
        which = f"values of trial {summary.best.number}" if summary.front else "best values"
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
