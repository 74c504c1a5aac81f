"""A report: an experiment as a page in one file, from the question how it goes to the seeds."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from itertools import islice

from hpo_lab import __version__
from hpo_lab.counting import counted
from hpo_lab.dashboard import figures
from hpo_lab.dashboard.comparison import comparison_html
from hpo_lab.dashboard.experiment_html import (
    bar_html,
    bounds_html,
    climb_html,
    failures_note_html,
    head_html,
)
from hpo_lab.dashboard.figures.data import recorded
from hpo_lab.dashboard.hints import failure_groups
from hpo_lab.dashboard.html import Cell, cut, name_html, table, value_cell
from hpo_lab.dashboard.page import drawn, page, part
from hpo_lab.dashboard.preview import space_html
from hpo_lab.dashboard.trials_html import trials_table
from hpo_lab.dashboard.words import duration, number
from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.experiment.trial import Trial
from hpo_lab.facade.assigned import assigned, notebook_defaults
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Failure, Summary
from hpo_lab.facade.tally import Tally
from hpo_lab.masking import masked_source
from hpo_lab.notebook.literals import literal_edits
from hpo_lab.notebook.trial_notebook import TrialNotebook
from hpo_lab.problems import InvalidInput
from hpo_lab.source_edits import edited
from hpo_lab.trial.folder import NOTEBOOK

__all__ = ["report_of"]

_MOST = 500
"""So many trials are in the table."""
_COLUMNS = 12
_SIZE = 950_000
"""Of a report, in bytes."""
_GROUPS = 12
_ABOVE = ("history", "importances")
_OWN_PLACE = {*_ABOVE, "space"}


def report_of(experiments: Sequence[Experiment]) -> str:
    """The report of one experiment, or several of them compared, as an HTML document.

    Raises:
        InvalidInput: Several have different objectives.
    """
    if len(experiments) > 1:
        return comparison_html(experiments)
    return _report(experiments[0])


def _report(experiment: Experiment) -> str:
    summary = experiment.follower.look()
    tally, record = experiment.follower.tally, experiment.follower.record
    data = recorded(experiment.store, record, tally, time.time())
    spec = record.document.spec
    as_of = time.strftime("%-d %b %Y, %H:%M")
    above = drawn(data, ["pareto" if summary.front else "history", "importances"])
    others = [name for name in figures.names() if name not in _OWN_PLACE]
    pictures = drawn(data, [name for name in others if not (summary.front and name == "pareto")])
    before = [
        head_html(summary, as_of),
        climb_html(summary),
        bar_html(summary),
        _row(above),
        part("Best values", _best_values(summary, spec, notebook_defaults(experiment))),
        bounds_html(summary, tally),
        part("Failures", *_failures(summary, tally, experiment.last_failure())),
        part("Pictures", _row(pictures)),
    ]
    after = [
        part("Search space", _row(drawn(data, ["space"])), space_html(record.document)),
        part("The cell with the best values", _cell(experiment, summary)),
        part("To repeat it", _facts(summary)),
    ]
    for rows, columns in ((_MOST, _COLUMNS), (_MOST, 6), (200, 6), (50, 4), (0, 0)):
        trials = part("Trials", *_trials(summary, tally, rows, columns))
        whole = page(f"{summary.title}, report", *before, trials, *after)
        if len(whole.encode()) <= _SIZE:
            break
    return whole


def _row(pieces: Sequence[str]) -> str:
    return f'<div class="hpo-row">{"".join(pieces)}</div>' if pieces else ""


def _best_values(summary: Summary, spec: ExperimentSpec, defaults: Mapping[str, Value]) -> str:
    best = summary.best
    if best is None:
        return ""
    said = "On the Pareto front, the best in the first objective" if summary.front else "The best"
    values = ", ".join(f"{name} {number(value)}" for name, value in best.values.items())
    rows: list[list[str | Cell]] = []
    for parameter in spec.parameters:
        value, own = best.parameters.get(parameter.name), defaults.get(parameter.name)
        was = value_cell(own)
        name = Cell(f"<code>{name_html(parameter.name)}</code>", title=parameter.name)
        shown = value_cell(value) if value is not None else Cell('<span class="q">inactive</span>')
        rows.append([name, shown, *([was] if defaults else [])])
    heads: list[str | Cell] = ["Parameter", "Best", *(["As written"] if defaults else [])]
    return (
        f'<p class="sm q">{said}, trial {best.number}: {cut(values, 400)}</p>'
        f'<div class="hpo-close">{table(heads, rows, label="Best values")}</div>'
    )


def _failures(summary: Summary, tally: Tally, last: Failure | None) -> list[str]:
    """The trials that failed, grouped by message, with the lines of the last one."""
    groups = failure_groups(summary, tally, _GROUPS)
    pieces = []
    for group in groups:
        pieces.append(failures_note_html(summary, group, last))
        if len(group.numbers) > 1:
            numbers = ", ".join(map(str, group.numbers[:40]))
            more = ", …" if group.numbers[40:] else ""
            pieces.append(f'<p class="q sm">Trials {numbers}{more}</p>')
    rest = summary.failed - sum(len(group.numbers) for group in groups)
    others = f'<p class="sm">{counted(rest, "other")} failed otherwise.</p>'
    return [*pieces, others] if rest else pieces


def _trials(summary: Summary, tally: Tally, most: int, columns: int) -> list[str]:
    """The table of the trials, the best first, and which they are of how many."""
    count = len(tally.trials)
    ranked = list(tally.ranked())
    names = {trial.number for trial in ranked}
    rest = [trial for trial in tally.latest(count) if trial.number not in names]
    shown: list[Trial] = [*ranked, *rest]
    first = "those of the Pareto front first" if summary.front else "the best first"
    said = f"{'All ' if count > 1 else ''}{counted(count, 'trial')}, {first}."
    if count > most:
        best = list(islice(ranked, most // 2))
        numbers = {trial.number for trial in best}
        latest = (trial for trial in tally.latest(count) if trial.number not in numbers)
        shown = [*best, *islice(latest, most - len(best))]
        said = (
            f"The {len(best)} best and the latest of {count} trials, {len(shown)} in all; "
            f"<code>hpo-lab trials {cut(summary.title, 100)} --format csv</code> prints all."
        )
    if not count:
        return []
    whole = trials_table(summary, {"": shown}, columns=columns) if most else ""
    return [f'<p class="q sm">{said}</p>', whole]


def _cell(experiment: Experiment, summary: Summary) -> str:
    """The source of the tuned cell with the values of the best trial; empty without one."""
    artifact = experiment.artifact(NOTEBOOK)
    if artifact is None or summary.best is None:
        return ""
    with suppress(ValueError, InvalidInput):
        cell = TrialNotebook.read(artifact.read()).tuned_source()
        values = assigned(experiment, summary.best.parameters)
        source = edited(cell, literal_edits(cell, values)).strip("\n")
        return f"<pre>{cut(masked_source(source), 40_000)}</pre>" if source else ""
    return ""


def _facts(summary: Summary) -> str:
    """What another run needs to be the same: algorithm, seed, budgets, versions."""
    spec = summary.spec
    settings = [f"{name}={text}" for name, text in spec.algorithm.settings.items()]
    early = spec.early_stopping
    rule = (
        [early.algorithm_name, *(f"{name}={text}" for name, text in early.settings.items())]
        if early
        else []
    )
    seed = "none: another run tries other values" if spec.seed is None else str(spec.seed)
    budgets = [
        counted(spec.max_trial_count, "trial") if spec.max_trial_count is not None else "",
        f"{spec.parallel_trial_count} at a time" if spec.parallel_trial_count else "",
        duration(spec.active_deadline_seconds) if spec.active_deadline_seconds else "",
    ]
    facts = {
        "Algorithm": " ".join([spec.algorithm.algorithm_name, *settings]),
        "Seed": seed,
        "Early stopping": " ".join(rule),
        "Budgets": ", ".join(filter(None, budgets)),
        "Begun": time.strftime("%-d %b %Y, %H:%M", time.localtime(summary.created_at)),
        "This report": _versions(),
    }
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td class="lft">{cut(text, 1000)}</td></tr>'
        for name, text in facts.items()
        if text
    )
    title = cut(summary.title, 100)
    return (
        f'<div class="hpo-scroll prose hpo-facts"><table><tbody>{rows}</tbody></table></div>'
        f'<div class="hpo-foot"><span><code>hpo-lab show {title} -o yaml</code> '
        "prints it as a manifest</span></div>"
    )


def _versions() -> str:
    """`hpo_lab 0.1.0, Python 3.12.3, optuna 5.0.0, numpy 2.1.0`, of this machine now."""
    names = []
    for package in ("optuna", "numpy"):
        with suppress(PackageNotFoundError):
            names.append(f"{package} {version(package)}")
    return ", ".join([f"hpo_lab {__version__}", f"Python {platform.python_version()}", *names])
