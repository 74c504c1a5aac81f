"""Tables and lines about experiments for a terminal, drawn with rich."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hpo_lab.counting import counted
from hpo_lab.dashboard.columns import STAR, Column, print_columns
from hpo_lab.dashboard.marks import COLOURS, STYLES, experiment_state, trial_word
from hpo_lab.dashboard.words import (
    RESUMED,
    ago,
    best_in_words,
    climb,
    duration,
    folder_text,
    number,
    objective_in_words,
    other_trials,
    set_up_in_words,
    time_left,
    trials_done,
)
from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.experiment.space import space_text
from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade.columns import Columns, TrialRow, beside
from hpo_lab.facade.summary import Summary

if TYPE_CHECKING:
    from hpo_lab.notebook.slicing import Decision

__all__ = [
    "LISTING",
    "decisions_table",
    "listing_row",
    "print_experiments",
    "print_front",
    "print_lines",
    "print_parameters",
    "print_trials",
    "progress_line",
    "space_table",
    "state_text",
    "summary_table",
]

_WHOLE, _MESSAGE, _NUMBER = 200, 60, 12
"""The longest texts, in cells: of what is typed again, of what is read, and of numbers."""

LISTING = (
    Column("name", stays=True, left=True, longest=_WHOLE),
    Column("state", stays=True, left=True, styles=STYLES),
    Column("objective", left=True, longest=40),
    Column("trials", stays=True),
    Column("failed"),
    Column("best", stays=True),
    Column("created"),
    Column("folder", left=True, longest=_WHOLE),
)
"""The columns of a list of experiments, the last one for a list of several folders."""


def state_text(summary: Summary) -> Text:
    """The state of an experiment in its colour."""
    mark, word = experiment_state(summary)
    return Text(word, style=COLOURS[mark])


def progress_line(summary: Summary, *, outlook: bool = True) -> str:
    """`12/30 trials, 2 running, 1 failed, best 0.97 in trial 7`; what is zero is left out.

    With several objectives the size of the Pareto front stands in place of the best. *outlook*
    says whether the best and the time left are told.
    """
    parts = [trials_done(summary, "/"), *other_trials(summary)]
    if outlook and (set_up := set_up_in_words(summary)):
        parts.append(set_up)
    if outlook and summary.front:
        parts.append(f"{len(summary.front)} on the Pareto front")
    elif outlook and summary.best:
        parts.append(f"best {climb(summary)} in trial {summary.best.number}")
    if outlook and (left := time_left(summary)):
        parts.append(left)
    return ", ".join(parts)


def _table(*columns: str) -> Table:
    """A table in which the last of *columns* alone is broken, between words."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns[:-1]:
        table.add_column(column, overflow="ellipsis", no_wrap=True)
    table.add_column(columns[-1], overflow="fold")
    return table


def print_experiments(
    console: Console, summaries: Sequence[Summary], now: float, *, folders: bool = False
) -> None:
    """Print experiments, one a row; *now* in seconds since the epoch.

    With *folders* each is printed with the folder that it belongs to.
    """
    columns = LISTING if folders else LISTING[:-1]
    rows = [listing_row(summary, now)[: len(columns)] for summary in summaries]
    print_columns(console, columns, rows, preferred=["folder", "failed", "created"])


def listing_row(summary: Summary, now: float) -> tuple[str, ...]:
    """What a list says of an experiment, by the columns of `LISTING`."""
    return (
        summary.title,
        experiment_state(summary)[1],
        objective_in_words(summary.spec.objective),
        trials_done(summary, "/").partition(" ")[0],
        str(summary.failed or ""),
        _best_values(summary),
        ago(now - summary.created_at),
        folder_text(summary.project),
    )


def _best_values(summary: Summary) -> str:
    """The objectives of the best trial, empty where there is none."""
    return ", ".join(map(number, summary.best.values.values())) if summary.best else ""


def summary_table(summary: Summary) -> Table:
    """What an experiment is and how far it is."""
    objective, algorithm = summary.spec.objective, summary.spec.algorithm
    goal = "" if objective.goal is None else f", goal {number(objective.goal)}"
    settings = "".join(f", {name}={value}" for name, value in algorithm.settings.items())
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("state", state_text(summary))
    table.add_row("", set_up_in_words(summary) or summary.message)
    table.add_row("objective", f"{objective_in_words(objective)}{goal}")
    table.add_row("algorithm", f"{algorithm.algorithm_name}{settings}")
    if (rule := summary.spec.early_stopping) is not None:
        settings = "".join(f", {name}={value}" for name, value in rule.settings.items())
        table.add_row("early stopping", f"{rule.algorithm_name}{settings}")
    table.add_row("progress", progress_line(summary, outlook=False))
    left = time_left(summary)
    table.add_row("time", duration(summary.elapsed) + (f", {left}" if left else ""))
    if summary.front:
        table.add_row("Pareto front", counted(len(summary.front), "trial"))
    elif summary.best:
        table.add_row("best", best_in_words(summary))
    return table


def print_lines(console: Console, table: Table) -> None:
    """Print *table* without the blanks at the ends of its lines."""
    lines = console.render_lines(table, pad=False)
    for line in lines:
        text = Text.assemble(*((each.text, each.style or "") for each in line))
        text.rstrip()
        console.print(text, soft_wrap=True)


def print_front(console: Console, summary: Summary) -> None:
    """Print the Pareto front, a trial a row: its objectives, then its parameters."""
    metrics = [name for name, _ in summary.spec.objective.objectives]
    names = [parameter.name for parameter in summary.spec.parameters]
    columns = [Column("trial", stays=True), *(Column(name, stays=True) for name in metrics)]
    columns += [Column(name) for name in names]

    def rows() -> Iterator[list[str]]:
        for each in summary.front:
            values = [number(each.values[name]) for name in metrics]
            assigned = [number(each.parameters.get(name)) for name in names]
            yield [str(each.number), *values, *assigned]

    print_columns(console, columns, rows())


def print_parameters(
    console: Console, parameters: Mapping[str, Value], defaults: Mapping[str, Value]
) -> None:
    """Print parameter values, beside the notebook's own where these are known."""
    room = console.width - max(map(cell_len, parameters), default=0) - 2
    columns = [
        Column("parameter", stays=True, left=True, longest=_WHOLE),
        *([Column("notebook")] if defaults else []),
        Column("best", stays=True, longest=max(_NUMBER, min(40, room))),
    ]
    rows = [
        [name, *([number(defaults.get(name))] if defaults else []), number(value)]
        for name, value in parameters.items()
    ]
    print_columns(console, columns, rows)


def space_table(spec: ExperimentSpec) -> Table:
    """The search space."""
    table = _table("parameter", "space")
    for parameter in spec.parameters:
        table.add_row(parameter.name, space_text(parameter))
    return table


def decisions_table(decisions: Iterable[Decision]) -> Table:
    """Which earlier cells run in each trial, and why."""
    table = _table("earlier cell", "in trials", "why")
    for decision in decisions:
        kept = Text("yes", style="green") if decision.kept else Text("no", style="dim")
        table.add_row(decision.cell.label, kept, decision.reason)
    return table


def print_trials(
    console: Console,
    spec: ExperimentSpec,
    rows: Iterable[TrialRow],
    *,
    labels: Collection[str] = (),
    best: Collection[int] = (),
    chosen: Sequence[str] | None = None,
    is_over: bool = False,
) -> None:
    """Print trials, one a row: number, state and objectives at any width, and what fits.

    Args:
        console: Where.
        spec: Of their experiment.
        rows: Made by `hpo_lab.facade.columns.trial_row`.
        labels: Those to show, by name.
        best: Numbers of the trials to mark.
        chosen: Names of the columns to show instead of all.
        is_over: Whether the experiment is over, so that what has not run waits for a resume.
    """
    of = Columns.of_spec(spec, labels)
    objectives = [of.metrics[name] for name, _ in spec.objective.objectives]
    labels, parameters = of.labels.values(), of.parameters.values()
    if chosen is None:
        names = [*labels, *of.metrics.values(), *parameters]
        time = beside(names, "time")
        columns = [*names, time]
    else:
        time = "time"
        columns = list(dict.fromkeys([*objectives, *chosen]))
    shown = [
        Column("trial", stays=True),
        Column(beside(columns, "state"), stays=True, left=True, styles=STYLES),
        *(
            Column(name, stays=name in objectives, longest=_MESSAGE if name == "message" else 24)
            for name in columns
        ),
    ]

    def cells() -> Iterator[list[str]]:
        for row in rows:
            trial, seconds = row.ours["number"], row.ours["seconds"]
            lasted = "" if seconds is None else duration(seconds)
            mark = f"{STAR} " if trial in best else ""
            texts = (
                lasted if name == time and name not in row.said else number(row[name])
                for name in columns
            )
            state = TrialState(row.ours["state"])
            waits = is_over and state is TrialState.CREATED
            word = RESUMED.capitalize() if waits else trial_word(state)[1]
            yield [f"{mark}{trial}", word, *texts]

    preferred = [*labels, *parameters] if chosen is None else columns
    print_columns(console, shown, cells(), preferred=preferred, option="--columns")
