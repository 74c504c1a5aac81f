"""An experiment in a terminal while it runs: the same answers as in a notebook, in a few lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO

from rich.console import Console
from rich.text import Text

from hpo_lab.dashboard.marks import COLOURS, trial_counts
from hpo_lab.dashboard.safe_console import SafeConsole
from hpo_lab.dashboard.selection import best_so_far, telling_trials
from hpo_lab.dashboard.tables import print_trials, state_text
from hpo_lab.dashboard.words import (
    difference,
    metric_number,
    rate,
    set_up_in_words,
    time_left,
    time_used,
    trials_done,
)
from hpo_lab.experiment.trial import Trial
from hpo_lab.facade.columns import trial_row
from hpo_lab.facade.summary import Summary
from hpo_lab.facade.tally import Tally

__all__ = ["live_view", "sparkline"]

_BLOCKS = "▁▂▃▄▅▆▇█"
_BARS = {
    "succeeded": "━",
    "early": "╍",
    "failed": "━",
    "killed": "━",
    "running": "╌",
    "created": "╌",
}
"""How the bar shows trials of a mark."""
_WIDEST = 100


def live_view(summary: Summary, tally: Tally, console: Console) -> Text:
    """State, climb, bar and the most telling trials, as wide as *console* at most."""
    width = min(console.width, _WIDEST)
    lines = [_head(summary), _bar(summary, width), _key(summary), _climb(summary, tally, width)]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    view = Text("\n").join(line for line in lines if line)
    groups = telling_trials(summary, tally, top=3, latest=3, front=5)
    if groups:
        view.append("\n\n").append_text(_table(summary, groups, console))
    return view


def sparkline(values: Sequence[float], width: int) -> str:
    """*values* as blocks of eight heights, *width* of them at most; the last one is kept."""
    if len(values) > width:
        values = [values[(place + 1) * len(values) // width - 1] for place in range(width)]
    if not values:
        return ""
    low, high = min(values), max(values)
    # Halves, since the values may be as far from each other as floats can be.
    span = high / 2 - low / 2
    places = ((value / 2 - low / 2) / span if span else 0.5 for value in values)
    return "".join(_BLOCKS[round(place * (len(_BLOCKS) - 1))] for place in places)


def _head(summary: Summary) -> Text:
    time = ", ".join(filter(None, [time_used(summary), time_left(summary), rate(summary)]))
    return Text("  ").join(
        [
            Text(summary.title, "bold"),
            state_text(summary),
            Text(set_up_in_words(summary) or trials_done(summary)),
            Text(time, "dim"),
        ]
    )


def _bar(summary: Summary, width: int) -> Text:
    counts = trial_counts(summary)
    total = max(summary.spec.max_trial_count or 0, sum(count for _, count, _ in counts), 1)
    bar, place, drawn = Text(), 0, 0
    for mark, count, _ in counts:
        place += count
        end = round(width * place / total)
        bar.append(_BARS[mark] * (end - drawn), COLOURS[mark])
        drawn = end
    return bar.append("─" * (width - drawn), "dim")


def _key(summary: Summary) -> Text:
    return Text(" · ".join(f"{count} {word}" for _, count, word in trial_counts(summary)), "dim")


def _climb(summary: Summary, tally: Tally, width: int) -> Text:
    """`accuracy 0.3383 ▁▃▆█ 0.9644 in trial 31, +0.6261`."""
    best, objective = summary.best, summary.spec.objective
    if best is None:
        return Text()
    name = objective.objective_metric_name
    curve = best_so_far(tally)
    line = Text()
    if summary.front:
        line.append(f"{len(summary.front)} on the Pareto front; best ")
    line.append(f"{name} ").append(f"{metric_number(curve[0])} ", "dim")
    line.append(sparkline(curve, max(8, width // 4)), "blue")
    line.append(f" {metric_number(best.value)}", "bold")
    line.append(f" in trial {best.number}")
    if summary.as_written is not None and best.number:
        line.append(f", {difference(summary.as_written, best.value)} over as written")
    elif summary.as_written is not None:
        line.append(", as written")
    return line


def _table(summary: Summary, groups: Mapping[str, Sequence[Trial]], console: Console) -> Text:
    rows = [trial_row(summary.spec, trial) for group in groups.values() for trial in group]
    drawn = SafeConsole(
        file=StringIO(),
        width=min(console.width, _WIDEST),
        force_terminal=True,
        color_system="standard" if console.color_system else None,
        no_color=console.no_color,
    )
    best = [each.number for each in summary.leading]
    print_trials(drawn, summary.spec, rows, best=best)
    assert isinstance(drawn.file, StringIO)
    # What is left out for want of room is in `hpo-lab trials`, which says so.
    table, _, _ = drawn.file.getvalue().partition("\n\n")
    head, rule, *lines = table.rstrip("\n").splitlines()
    shown = [head, rule]
    for group in groups.values():
        shown += [*([""] if len(shown) > 2 else []), *lines[: len(group)]]
        lines = lines[len(group) :]
    return Text.from_ansi("\n".join(shown))
