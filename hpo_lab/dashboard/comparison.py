"""A report of several experiments: the best so far of each, and their best values."""

from __future__ import annotations

import time
from collections.abc import Sequence

from hpo_lab.counting import counted
from hpo_lab.dashboard.figures.comparison import MOST_COMPARED, comparison
from hpo_lab.dashboard.figures.data import recorded
from hpo_lab.dashboard.figures.figure import Figure
from hpo_lab.dashboard.html import Cell, cut, name_html, table, value_cell
from hpo_lab.dashboard.marks import BEST, experiment_state, icon
from hpo_lab.dashboard.page import figure_html, page, part
from hpo_lab.dashboard.words import better, metric_number, time_used
from hpo_lab.experiment.model import Objective, ObjectiveType
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Summary
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["best_values_table", "compared", "comparison_html", "experiments_table"]

_PARAMETERS = 40
_NONE = Cell('<span class="q">–</span>')  # noqa: RUF001, a dash stands for no value


def comparison_html(experiments: Sequence[Experiment]) -> str:
    """The page that compares *experiments*, two or more.

    Raises:
        InvalidInput: They have different objectives, or are more than a picture can tell apart.
    """
    figure = compared(experiments)
    summaries = [experiment.follower.look() for experiment in experiments]
    names = ", ".join(summary.title for summary in summaries)
    as_of = time.strftime("%-d %b %Y, %H:%M")
    return page(
        f"{names}, compared",
        f'<h1>{cut(names, 400)} <span class="q sm">as of {as_of}</span></h1>',
        f'<div class="hpo-row">{figure_html(figure)}</div>' if figure.traces else "",
        part("Experiments", experiments_table(summaries)),
        part("Best values", best_values_table(summaries)),
    )


def compared(experiments: Sequence[Experiment]) -> Figure:
    """The best so far of *experiments*, two or more, in one picture.

    Raises:
        InvalidInput: They have different objectives, or are more than a picture can tell apart.
    """
    _require_comparable([experiment.follower.look() for experiment in experiments])
    data = {
        experiment.title: recorded(
            experiment.store, experiment.follower.record, experiment.follower.tally, time.time()
        )
        for experiment in experiments
    }
    return comparison(data)


def _require_comparable(summaries: Sequence[Summary]) -> None:
    first = summaries[0]
    problems = [
        Problem(
            each.title,
            f"has the objective {_said(each.spec.objective)}; {first.title} has "
            f"{_said(first.spec.objective)}, and only the same can be compared",
        )
        for each in summaries[1:]
        if _said(each.spec.objective) != _said(first.spec.objective)
    ]
    if len(summaries) > MOST_COMPARED:
        message = f"found {len(summaries)} experiments; at most {MOST_COMPARED} can be compared"
        problems.append(Problem("NAME", message))
    if problems:
        raise InvalidInput(problems)


def _said(objective: Objective) -> str:
    return f"{objective.objective_metric_name} ({better(objective.type)})"


def _leader(summaries: Sequence[Summary]) -> Summary | None:
    """The experiment with the best value of all."""
    sign = 1 if summaries[0].spec.objective.type is ObjectiveType.MINIMIZE else -1
    valued = [each for each in summaries if each.best is not None]
    return min(valued, key=lambda each: sign * each.best.value if each.best else 0, default=None)


def experiments_table(summaries: Sequence[Summary]) -> str:
    """A row for each experiment: how far it is, and its best value."""
    leader = _leader(summaries)
    metric = cut(summaries[0].spec.objective.objective_metric_name, 60)
    heads: list[str | Cell] = [
        "Experiment",
        Cell("State", is_left=True),
        "Trials",
        "Failed",
        metric,
        "As written",
    ]
    heads += ["Trial", "Time", Cell("Algorithm", is_left=True), "Seed"]
    rows: list[list[str | Cell]] = []
    for each in summaries:
        mark, word = experiment_state(each)
        star = icon(BEST) if each is leader else ""
        seed = each.spec.seed
        rows.append(
            [
                Cell(f"{star}{cut(each.title, 100)}", title=each.title, is_left=True),
                Cell(f"{icon(mark)}{word}", is_left=True),
                str(each.completed),
                str(each.failed),
                metric_number(each.best.value) if each.best else _NONE,
                _NONE if each.as_written is None else metric_number(each.as_written),
                str(each.best.number) if each.best else _NONE,
                time_used(each),
                Cell(cut(each.spec.algorithm.algorithm_name, 60), is_left=True),
                _NONE if seed is None else str(seed),
            ]
        )
    classes = [BEST if each is leader else "" for each in summaries]
    return table(heads, rows, classes=classes, label="Experiments")


def best_values_table(summaries: Sequence[Summary]) -> str:
    """A row for each parameter with the best values, a column for each experiment."""
    names = dict.fromkeys(
        parameter.name for each in summaries if each.best for parameter in each.spec.parameters
    )
    if not names:
        return ""
    rows: list[list[str | Cell]] = []
    for name in list(names)[:_PARAMETERS]:
        values = [each.best.parameters.get(name) if each.best else None for each in summaries]
        rows.append([f"<code>{name_html(name)}</code>", *map(value_cell, values)])
    titles = [Cell(cut(each.title, 60), title=each.title) for each in summaries]
    more = len(names) - len(rows)
    left_out = counted(more, "more parameter is", "more parameters are")
    said = f'<p class="q sm">{left_out} left out.</p>' if more else ""
    whole = table(["Parameter", *titles], rows, label="Best values")
    return f'<div class="hpo-close">{whole}</div>{said}'
