"""One trial as HTML: what differs from the cell as written, its curve, its log and its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from pathlib import Path

from hpo_lab.dashboard.figures import ExperimentData, Figure
from hpo_lab.dashboard.html import Cell, cut, name_html, table
from hpo_lab.dashboard.links import served_path
from hpo_lab.dashboard.marks import BEST, icon, trial_word
from hpo_lab.dashboard.words import duration, metric_number, number, shown_labels
from hpo_lab.experiment.model import Value
from hpo_lab.experiment.trial import Trial
from hpo_lab.facade.assigned import values_as_code
from hpo_lab.facade.files import tail_of
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.results import curves
from hpo_lab.facade.summary import Summary

__all__ = ["trial_curve", "trial_html"]

_LOG = 4_000
"""How much of the end of a log is read, in bytes."""
_LINES = 24
_WIDTH = 336
_NONE = '<span class="q">not active</span>'


def trial_html(
    experiment: Experiment, summary: Summary, trial: Trial, written: Mapping[str, Value]
) -> str:
    """What a person wants to know of *trial*.

    Args:
        experiment: Its experiment.
        summary: The experiment at a glance.
        trial: The trial.
        written: The values that the cell has, by parameter name; empty where there is no cell.
    """
    is_best = summary.best is not None and summary.best.number == trial.number
    mark, word = (BEST, "Best") if is_best else trial_word(trial.state)
    close = '<button class="quiet" data-do="leave" aria-label="Close the trial">×</button>'  # noqa: RUF001
    pieces = [
        f'<div class="hpo-between"><h3 tabindex="-1" data-key="trial">Trial {trial.number}'
        f' <span class="hpo-state">{icon(mark)}{word}</span></h3>{close}</div>',
        _values(summary, trial),
    ]
    if trial.message and trial.is_final:
        kind = " err" if mark == "failed" else ""
        pieces.append(f'<div class="hpo-note{kind}">{cut(trial.message, 800)}</div>')
    pieces += [
        _curve(experiment, summary, trial),
        _parameters(summary, trial, written),
        _files(experiment, trial.number),
        _log(experiment.log_of(trial.number)),
    ]
    return "".join(pieces)


def _values(summary: Summary, trial: Trial) -> str:
    objective = summary.spec.objective
    pieces = []
    for name in dict.fromkeys([*objective.metric_names, *trial.metrics]):
        metric = trial.metrics.get(name)
        value = None if metric is None else metric.by(objective.strategy(name))
        if value is not None:
            pieces.append(f"<b>{metric_number(value)}</b> {cut(name, 60)}")
        elif metric is not None and metric.text:
            pieces.append(f"<b>{cut(metric.text, 200)}</b> {cut(name, 60)}")
    if trial.started_at is not None and trial.completed_at is not None:
        pieces.append(duration(max(0.0, trial.completed_at - trial.started_at)))
    if trial.attempt > 1:
        pieces.append(f"attempt {trial.attempt}")
    if trial.parent is not None:
        pieces.append(f"goes on from trial {trial.parent}")
    pieces += [f"{cut(name, 60)} {cut(text, 60)}" for name, text in shown_labels(trial).items()]
    return f'<p class="sm q">{", ".join(pieces)}</p>' if pieces else ""


def trial_curve(
    experiment: Experiment, summary: Summary, trial: Trial, theme: str = "light"
) -> Figure | None:
    """What *trial* reported step by step, with the best trial to compare.

    None where it reported less than two steps.
    """
    document, best = experiment.follower.record.document, summary.best
    metric = document.spec.objective.objective_metric_name
    numbers = sorted({trial.number, best.number if best else trial.number})
    steps = curves(experiment.store, experiment.uid, metric, numbers)
    if len(steps.get(trial.number, ())) < 2:
        return None
    from hpo_lab.dashboard import figures

    trials = [experiment.follower.tally.trials[each] for each in numbers]
    data = ExperimentData(document, trials, lambda metric, numbers: steps)
    figure = figures.draw("curves", data, theme)
    # Of two curves none is the ground of the others.
    traces = [{**trace, "opacity": 1} for trace in figure.traces]
    return replace(figure, title=metric, subtitle="by step", width=_WIDTH, traces=traces)


def _curve(experiment: Experiment, summary: Summary, trial: Trial) -> str:
    from hpo_lab.dashboard.drawing import svg

    figure = trial_curve(experiment, summary, trial)
    return svg(figure) if figure else ""


def _parameters(summary: Summary, trial: Trial, written: Mapping[str, Value]) -> str:
    rows = []
    for parameter in summary.spec.parameters:
        name = parameter.name
        value, own = trial.assignments.get(name), written.get(name)
        if value is None:
            here = _NONE
        elif own is not None and number(own) == number(value):
            here = f'<span class="q">{cut(number(value), 200)}</span>'
        else:
            here = f"<b>{cut(number(value), 200)}</b>"
        cells = [Cell(f"<code>{name_html(name)}</code>", title=name)]
        if written:
            cells.append(Cell(f'<span class="q">{cut(number(own), 200)}</span>'))
        rows.append([*cells, Cell(here)])
    heads = ["Parameter", *(["As written"] if written else []), "Here"]
    return table(heads, rows, label=f"Parameters of trial {trial.number}") if rows else ""


def _files(experiment: Experiment, number: int) -> str:
    code = values_as_code(experiment, number)
    copy = (
        f'<button data-copy="{escape(code)}" data-key="copy-trial">Copy values as code</button>'
        if code
        else ""
    )
    notebook = experiment.notebook_of(number)
    if notebook is None:
        return f'<p class="hpo-acts">{copy}</p>' if copy else ""
    served = served_path(notebook)
    link = f'<a data-path="{escape(served)}">Open notebook</a>' if served else ""
    path = f'<p class="xs q hpo-path">Notebook <code>{cut(str(notebook), 400)}</code></p>'
    return f'<p class="hpo-acts">{copy} {link}</p>{path}'


def _log(path: Path) -> str:
    tail = tail_of(path, _LOG)
    if tail is None:
        return ""
    lines = [line.rsplit("\r", 1)[-1] for line in tail.text.rstrip().split("\n")]
    shown = "\n".join(lines[-_LINES:]).strip("\n")
    if not shown:
        return ""
    part = ", the end" if tail.start or len(lines) > _LINES else ""
    return (
        f'<h3>Output<span class="q sm">{part}</span></h3>'
        f'<pre class="hpo-log" tabindex="0">{cut(shown, 8_000)}</pre>'
        f'<p class="xs q hpo-path"><code>{cut(str(path), 400)}</code></p>'
    )
