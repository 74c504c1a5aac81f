"""Tables and lines about experiments for a terminal, drawn with rich."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from hpo_lab.dashboard.words import objective_in_words, running_trials, set_up_in_words
from hpo_lab.experiment.model import ExperimentSpec, Parameter, ParameterType, Value
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade.summary import INTERRUPTED, Best, Summary

if TYPE_CHECKING:
    from hpo_lab.notebook.slicing import Decision

__all__ = [
    "best_line",
    "decisions_table",
    "duration",
    "experiments_table",
    "front_table",
    "number",
    "parameters_table",
    "print_trials",
    "progress_line",
    "space_table",
    "state_text",
    "summary_table",
]

_STYLES = {
    ExperimentState.RUNNING.value: "cyan",
    ExperimentState.RESTARTING.value: "cyan",
    ExperimentState.SUCCEEDED.value: "green",
    ExperimentState.FAILED.value: "red",
    ExperimentState.STOPPED.value: "yellow",
    INTERRUPTED: "yellow",
    TrialState.KILLED.value: "yellow",
    TrialState.METRICS_UNAVAILABLE.value: "red",
    TrialState.EARLY_STOPPED.value: "yellow",
}


def number(value: Value) -> str:
    """A value for a table: floats with six significant digits, text as it is."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else repr(value)


def duration(seconds: float) -> str:
    """A time span: `4.2 s`, `3:07` (minutes), `2:03:07` (hours), `3 d 4 h`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def state_text(state: str) -> Text:
    """A state in its colour."""
    return Text(state, style=_STYLES.get(state, ""))


def _trials_done(summary: Summary) -> str:
    total = summary.spec.max_trial_count
    return str(summary.completed) if total is None else f"{summary.completed}/{total}"


def best_line(best: Best) -> str:
    """`accuracy 0.97 in trial 7`; of several objectives all."""
    values = ", ".join(f"{name} {number(value)}" for name, value in best.values.items())
    return f"{values} in trial {best.number}"


def progress_line(summary: Summary, *, best: bool = True) -> str:
    """`12/30 trials, 2 running, 1 failed, best 0.97 in trial 7`; what is zero is left out.

    With several objectives the size of the Pareto front stands in place of the best.
    """
    stopped = summary.counts.get(TrialState.EARLY_STOPPED, 0)
    failed = summary.failed
    parts = [f"{_trials_done(summary)} trials"]
    parts += filter(None, [running_trials(summary)])
    parts += [f"{stopped} stopped early"] * bool(stopped)
    parts += [f"{failed} failed"] * bool(failed)
    if best and (set_up := set_up_in_words(summary)):
        parts.append(set_up)
    if best and summary.front:
        parts.append(f"{len(summary.front)} on the Pareto front")
    elif best and summary.best:
        parts.append(f"best {number(summary.best.value)} in trial {summary.best.number}")
    return ", ".join(parts)


def _table(*columns: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def experiments_table(summaries: Iterable[Summary], now: float) -> Table:
    """Experiments, one a row."""
    table = _table("name", "state", "trials", "best", "age", right=["trials", "best", "age"])
    for summary in summaries:
        table.add_row(
            summary.title,
            state_text(summary.state),
            _trials_done(summary),
            _best_values(summary),
            duration(max(0.0, now - summary.created_at)),
        )
    return table


def _best_values(summary: Summary) -> str:
    return ", ".join(map(number, summary.best.values.values())) if summary.best else ""


def summary_table(summary: Summary) -> Table:
    """What an experiment is and how far it is."""
    objective, algorithm = summary.spec.objective, summary.spec.algorithm
    goal = "" if objective.goal is None else f", goal {number(objective.goal)}"
    settings = "".join(f", {name}={value}" for name, value in algorithm.settings.items())
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("state", state_text(summary.state))
    table.add_row("", set_up_in_words(summary) or summary.message)
    table.add_row("objective", f"{objective_in_words(objective)}{goal}")
    table.add_row("algorithm", f"{algorithm.algorithm_name}{settings}")
    if (rule := summary.spec.early_stopping) is not None:
        given = "".join(f", {name}={value}" for name, value in rule.settings.items())
        table.add_row("early stopping", f"{rule.algorithm_name}{given}")
    table.add_row("progress", progress_line(summary, best=False))
    table.add_row("time", duration(summary.elapsed))
    if summary.front:
        table.add_row("Pareto front", f"{len(summary.front)} trials")
    elif summary.best:
        table.add_row("best", best_line(summary.best))
    return table


def front_table(summary: Summary) -> Table:
    """The Pareto front, a trial a row: its objectives, then its parameters."""
    metrics = [name for name, _ in summary.spec.objective.objectives]
    names = [parameter.name for parameter in summary.spec.parameters]
    table = _table("trial", *metrics, *names, right=["trial", *metrics, *names])
    for each in summary.front:
        values = [number(each.values[name]) for name in metrics]
        given = each.parameters
        assigned = [number(given[name]) if name in given else "" for name in names]
        table.add_row(str(each.number), *values, *assigned)
    return table


def parameters_table(
    parameters: Mapping[str, Value], defaults: Mapping[str, Value] | None = None
) -> Table:
    """Parameter values, beside the notebook's own where these are known."""
    if not defaults:
        table = _table("parameter", "best", right=["best"])
        for name, value in parameters.items():
            table.add_row(name, Text(number(value), style="green"))
        return table
    table = _table("parameter", "notebook", "best", right=["notebook", "best"])
    for name, value in parameters.items():
        own = number(defaults[name]) if name in defaults else ""
        table.add_row(name, own, Text(number(value), style="green"))
    return table


def space_table(spec: ExperimentSpec) -> Table:
    """The search space."""
    table = _table("parameter", "type", "values")
    conditional = any(parameter.when for parameter in spec.parameters)
    if conditional:
        table.add_column("when")
    for parameter in spec.parameters:
        cells = [parameter.name, parameter.parameter_type.value, _values(parameter)]
        table.add_row(*cells, *([parameter.when or ""] if conditional else []))
    return table


def _values(parameter: Parameter) -> str:
    space = parameter.feasible_space
    if parameter.parameter_type in (ParameterType.DISCRETE, ParameterType.CATEGORICAL):
        return ", ".join(repr(choice) for choice in parameter.choices)
    text = f"{space.min} to {space.max}"
    if space.step is not None:
        text += f", step {space.step}"
    return f"{text}, {parameter.distribution.value}"


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
    rows: Callable[[], Iterable[Mapping[str, Any]]],
    labels: Collection[str] = (),
) -> None:
    """Print trials, one a row, line by line: there may be very many.

    Args:
        console: Where.
        spec: Of their experiment.
        rows: Makes them by `hpo_lab.facade.summary.trial_row`, the same at each call.
        labels: Those to show, by name.
    """
    shown = [*spec.objective.metric_names, *(parameter.name for parameter in spec.parameters)]
    names = list(dict.fromkeys([*labels, *shown]))
    heads = ["trial", "state", *names, "time"]
    widths = [cell_len(head) for head in heads]
    for row in rows():
        widths = list(map(max, widths, map(cell_len, _trial_cells(row, names))))
    styles = {state: Style.parse(style) for state, style in _STYLES.items()}
    is_coloured = console.color_system and not console.no_color
    colours = ColorSystem.STANDARD if is_coloured else None
    write = console.file.write

    def line(cells: Sequence[str], style: Style) -> None:
        aligned = [" " * (w - cell_len(cell)) + cell for w, cell in zip(widths, cells, strict=True)]
        state = cells[1] + " " * (widths[1] - cell_len(cells[1]))
        aligned[1] = style.render(state, color_system=colours)
        write("   ".join(aligned) + "\n")

    line(heads, Style())
    write("─" * (sum(widths) + 3 * (len(widths) - 1)) + "\n")
    for row in rows():
        line(_trial_cells(row, names), styles.get(row["state"], Style()))


def _trial_cells(row: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    values = ["" if row.get(name) is None else number(row[name]) for name in names]
    seconds = "" if row["seconds"] is None else duration(row["seconds"])
    cells = [str(row["number"]), row["state"], *values, seconds]
    return [cell.replace("\n", " ") for cell in cells]
