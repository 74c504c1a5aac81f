"""The trials of an experiment as HTML: a table with a column per parameter, and the best values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import islice, pairwise

from hpo_lab.dashboard.html import Cell, cut, details, name_html, table, value_cell, value_list
from hpo_lab.dashboard.marks import BEST, FRONT, icon, trial_word
from hpo_lab.dashboard.scale import position
from hpo_lab.dashboard.selection import telling_trials
from hpo_lab.dashboard.words import duration, metric_number, number, shown_labels
from hpo_lab.experiment.model import MetricStrategyType, ObjectiveType, Parameter, Value
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.summary import Best, Summary
from hpo_lab.facade.tally import Tally

__all__ = ["PARAMETERS", "Interaction", "best_values_html", "trials_html", "trials_table"]

PARAMETERS = 6
"""How many parameters have columns where all have."""

_FIRST = 4
"""How many have columns where not all have."""

_OBJECTIVES = 4
_LABELS = 4
_ROOMS = (1280, 1040, 840, 660, 560, 460, 380, 320)
"""Widths of a view in pixels, as in hpo.css: below all but the last some columns have no room."""
_NONE = '<span class="q">–</span>'  # noqa: RUF001, a dash stands for no value


def trials_html(
    summary: Summary,
    tally: Tally,
    *,
    columns: int = PARAMETERS,
) -> str:
    """The best trials, the latest of the others, and the cell as written, a row each.

    Args:
        summary: The experiment.
        tally: Its trials; of several objectives the front is spread over the rows.
        columns: How many parameters have columns at most.
    """
    groups = telling_trials(summary, tally, latest=3 if summary.is_over else 2)
    return trials_table(summary, groups, columns=columns) if groups else ""


@dataclass(frozen=True, slots=True)
class Interaction:
    """What a person can do with a table of trials.

    Attributes:
        head: The head of a column, as HTML, made of the column's name and what it shows.
        number: The number of a trial, as HTML.
        selected: The trial that is looked at.
    """

    head: Callable[[str, str], str] = lambda name, html: html
    number: Callable[[int], str] = str
    selected: int | None = None


def trials_table(
    summary: Summary,
    groups: Mapping[str, Sequence[Trial]],
    *,
    columns: int = PARAMETERS,
    interaction: Interaction | None = None,
) -> str:
    """A row for each trial of *groups*, in their order.

    Args:
        summary: The experiment.
        groups: Its trials, or some of them, by what is written above them.
        columns: How many parameters have columns at most.
        interaction: What a person can do with it. By default they read it, and what has no room
            in a narrow window is named below; a table to be used can be scrolled.
    """
    is_read, interaction = interaction is None, interaction or Interaction()
    trials = [trial for group in groups.values() for trial in group]
    objective = summary.spec.objective
    metrics = objective.objectives[:_OBJECTIVES]
    texts = [shown_labels(trial) for trial in trials]
    labels = list(dict.fromkeys(name for each in texts for name in each))[:_LABELS]
    parameters, others = _columns(summary.spec.parameters, trials, columns)
    front = {each.number for each in summary.front}

    def head(name: str, html: str, title: str = "", is_left: bool = False) -> Cell:
        return Cell(interaction.head(name, html), title, is_left)

    heads = [
        head("number", "Trial"),
        head("state", "State", is_left=True),
        *(head(name, f"{cut(name, 60)} {_ARROWS[kind]}", name) for name, kind in metrics),
        *(
            head(each.name, f"<code>{name_html(each.name)}</code>", each.name)
            for each in parameters
        ),
        *([Cell(f"+{len(others)}", title=", ".join(others))] if others else []),
        *(head(name, cut(name, 60), name, True) for name in labels),
        head("seconds", "Time"),
    ]
    rows: list[list[Cell]] = []
    classes = []
    for trial, made in zip(trials, texts, strict=True):
        is_best = summary.best is not None and not front and trial.number == summary.best.number
        is_written = summary.as_written is not None and not trial.number
        values = (_metric(trial, name, objective.strategy(name)) for name, _ in metrics)
        kind = BEST if is_best else "written" if is_written else ""
        classes.append(f"{kind} sel".strip() if trial.number == interaction.selected else kind)
        rows.append(
            [
                Cell(interaction.number(trial.number)),
                Cell(_state(summary, trial, is_best, is_written, front), is_left=True),
                *values,
                *(_parameter(each, trial.assignments.get(each.name)) for each in parameters),
                *([Cell("")] if others else []),
                *(Cell(cut(made.get(name, ""), 24), made.get(name, ""), True) for name in labels),
                _time(trial),
            ]
        )
    names = ["", "", *("" for _ in metrics), *(each.name for each in parameters)]
    names += [*([""] if others else []), *labels, "Time"]
    rest = ""
    if others:
        where = "have no column" if front or not summary.best else "are among the best values"
        rest = f". The other {len(others)} parameters {where}."
    hidden, notes = _hidden_columns([heads, *rows], names, rest) if is_read else ({}, "")
    lines: list[Sequence[Cell] | str] = []
    kinds: list[str] = []
    is_titled = sum(map(bool, groups)) > 1
    for name, group in groups.items():
        end, title = len(group), name if is_titled else ""
        lines += [*([title] if title else []), *rows[:end]]
        kinds += [*([""] if title else []), *classes[:end]]
        rows, classes = rows[end:], classes[end:]
    return table(heads, lines, classes=kinds, columns=hidden, label="Trials") + notes


_ARROWS = {ObjectiveType.MAXIMIZE: "↑", ObjectiveType.MINIMIZE: "↓"}


def _hidden_columns(
    rows: Sequence[Sequence[Cell]], names: Sequence[str], rest: str
) -> tuple[dict[int, str], str]:
    """Which columns have no room in which width of the view, and what is said of them there.

    Args:
        rows: The heads and the other rows.
        names: Of the columns; those without one always have room, the last ones least.
        rest: What is said behind the names of those that are hidden.

    Returns:
        Classes by the index of the column: `w3` is hidden below the fourth of the widths. And
        notes, each of which is shown between two of them.
    """
    widths = [max(map(_least_width, column)) for column in zip(*rows, strict=True)]
    hidden: dict[int, str] = {}
    notes = ""
    for place, (_, room) in enumerate(pairwise(_ROOMS)):
        for index in reversed(range(len(names))):
            if sum(widths) <= room:
                break
            if names[index] and index not in hidden:
                hidden[index], widths[index] = f"w{place}", 0
        if hidden:
            words = ", ".join(names[index] for index in sorted(hidden))
            said = f"In a wider window also: {cut(words, 300)}{rest}"
            notes += f'<p class="hpo-more w{place} q xs" hidden>{said}</p>'
    return hidden, notes


def _least_width(cell: Cell) -> int:
    """About how many pixels a cell needs, of which the words in a head may be broken."""
    words = re.split("<wbr>", cell.html)
    letters = max(len(unescape(re.sub("<[^>]*>", "", word))) for word in words)
    mark = 17 if "<svg" in cell.html or "<img" in cell.html else 0
    return 12 + mark + max(8 * letters, 50 if "rng" in cell.html else 0)


def _columns(
    parameters: Sequence[Parameter], trials: Sequence[Trial], count: int
) -> tuple[list[Parameter], list[str]]:
    """The parameters that have columns, and the names of the others, each in their order.

    Where there are more than *count*, those whose values differ from row to row come first.
    """
    if len(parameters) <= count:
        return list(parameters), []
    rows = [trial.assignments for trial in trials]
    texts = {each.name: {number(row.get(each.name)) for row in rows} for each in parameters}
    preferred = sorted(parameters, key=lambda each: len(texts[each.name]) == 1)
    first = {each.name for each in preferred[: min(count, _FIRST)]}
    shown = [each for each in parameters if each.name in first]
    return shown, [each.name for each in parameters if each.name not in first]


def _parameter(parameter: Parameter, value: Value | None) -> Cell:
    return value_cell(value, position(parameter, value))


def _state(summary: Summary, trial: Trial, is_best: bool, is_written: bool, front: set[int]) -> str:
    mark, word = trial_word(trial.state)
    if summary.set_up is not None and trial.state is TrialState.RUNNING:
        mark, word = "created", "Waiting"
    if is_best:
        mark, word = BEST, "Best"
    elif trial.number in front:
        mark, word = FRONT, "On the front"
    if is_written:
        word = "Best, as written" if is_best else "As written"
    why = trial.message if trial.is_final else ""
    tip = f' title="{cut(why, 120)}"' if why else ""
    return f"<span{tip}>{icon(mark)}{word}</span>"


def _metric(trial: Trial, name: str, strategy: MetricStrategyType) -> Cell:
    metric = trial.metrics.get(name)
    value = None if metric is None else metric.by(strategy)
    if value is None:
        return Cell(_NONE)
    text = metric_number(value)
    shown = f'<span class="q">{text}</span>' if trial.state is TrialState.RUNNING else text
    return Cell(shown)


def _time(trial: Trial) -> Cell:
    if trial.started_at is None or trial.completed_at is None:
        return Cell(_NONE)
    return Cell(duration(max(0.0, trial.completed_at - trial.started_at)))


def best_values_html(best: Best | None, count: int) -> str:
    """The values of the *best* trial, at most *count*, where its row cannot hold them all."""
    if best is None or len(best.parameters) <= PARAMETERS or not count:
        return ""
    values = {name: _whole(value) for name, value in islice(best.parameters.items(), count)}
    left_out = len(best.parameters) - len(values)
    more = f"{len(best.parameters)} parameters" + (f", the first {count}" if left_out > 0 else "")
    title = f"Best values, trial {best.number}"
    return details(title, more, value_list(values), is_open=True)


def _whole(value: Value) -> str:
    cell = value_cell(value)
    tip = f' title="{cut(cell.title, 400)}"' if cell.is_cut else ""
    return f"<span{tip}>{cell.html}</span>"
