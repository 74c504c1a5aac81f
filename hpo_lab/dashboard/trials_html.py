"""The trials of an experiment as HTML: a row each, the best values, and the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from hpo_lab.dashboard.drawing import image
from hpo_lab.dashboard.figures import ExperimentData
from hpo_lab.dashboard.figures.pareto import pareto
from hpo_lab.dashboard.html import CODE, MUTED, Cell, cut, state_mark, table, value_cell
from hpo_lab.dashboard.words import number, shown_labels
from hpo_lab.experiment.model import ExperimentDocument, Metadata, Objective, Value
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.summary import Best, Summary
from hpo_lab.facade.tally import Tally

__all__ = ["PARAMETERS", "best_html", "front_html", "trials_html"]

PARAMETERS = 6
"""How many parameters have columns where all have."""

_FIRST = 4
"""How many have columns where not all have."""

_ITEM = "display:flex;gap:8px;border-top:1px solid #8884"
_CUTS = "overflow:hidden;text-overflow:ellipsis"
_SHORT = 24
_TOP = 3
_LATEST = 3
_OBJECTIVES = 4
_LABELS = 4
_FRONT_ROWS = 8
_DOTS = 60
_WIDTH = 420
_RANKS = ("★ best", "2nd best", "3rd best")


def trials_html(summary: Summary, tally: Tally, *, columns: int = PARAMETERS) -> str:
    """The best trials, the latest, and the cell as written, each as a row.

    Args:
        summary: The experiment.
        tally: Its trials; of several objectives none is best.
        columns: How many parameters have columns at most.
    """
    objective = tally.objective
    several = bool(objective.additional_objectives)
    top = [] if several else list(islice(tally.ranked(), _TOP))
    shown = list(zip(_RANKS, top, strict=False))
    shown += [("latest", trial) for trial in tally.latest(_LATEST) if trial not in top]
    if summary.as_written is not None and all(trial.number for _, trial in shown):
        shown.append(("as written", tally.trials[0]))
    if not shown:
        return ""
    metrics = [name for name, _ in objective.objectives][:_OBJECTIVES]
    made = [shown_labels(trial) for _, trial in shown]
    labels = list(dict.fromkeys(name for labels in made for name in labels))[:_LABELS]
    heads, parameters = _parameter_cells(
        [parameter.name for parameter in summary.spec.parameters],
        [trial.assignments for _, trial in shown],
        columns,
    )
    rows = [
        [
            Cell(rank if rank == _RANKS[0] else f'<span style="{MUTED}">{rank}</span>'),
            Cell(str(trial.number), is_number=True),
            Cell(state_mark(_state(summary, trial), trial.message if trial.is_final else "")),
            *(Cell(_metric(objective, trial, name), is_number=True) for name in metrics),
            *(value_cell(texts.get(name)) for name in labels),
            *cells,
        ]
        for (rank, trial), texts, cells in zip(shown, made, parameters, strict=True)
    ]
    names = [Cell(cut(name, 60), title=name) for name in (*metrics, *labels)]
    head = [Cell(""), Cell("Trial", is_number=True), Cell("State"), *names, *heads]
    return f'<div style="margin-top:8px">{table(head, rows, best=bool(top))}</div>'


def _parameter_cells(
    names: Sequence[str], rows: Sequence[Mapping[str, Value]], count: int = PARAMETERS
) -> tuple[list[Cell], list[list[Cell]]]:
    """The heads and the cells of parameters, in their order.

    Where there are more than *count*, those whose values differ from row to row come first,
    and a last head says how many there are besides.

    Args:
        names: The parameters.
        rows: Their values.
        count: How many have columns at most.
    """
    names = list(dict.fromkeys([*names, *(name for row in rows for name in row)]))
    shown = set(names)
    if len(names) > count:
        texts = {name: {number(row.get(name)) for row in rows} for name in names}
        shown = set(sorted(names, key=lambda name: len(texts[name]) == 1)[: min(count, _FIRST)])
    columns = [name for name in names if name in shown]
    others = [name for name in names if name not in shown]
    heads = [Cell(cut(name, 60), title=name) for name in columns]
    if others:
        heads.append(Cell(f"+{len(others)}", title=", ".join(others)))
    tail = [Cell("")] if others else []
    return heads, [[*(value_cell(row.get(name)) for name in columns), *tail] for row in rows]


def front_html(summary: Summary, tally: Tally) -> str:
    """The Pareto front of *summary* as a table, and of two objectives beside it as a picture."""
    if not summary.front:
        return ""
    pieces = [f'<div style="flex:1 1 24em">{_front_table(summary)}</div>']
    if len(summary.spec.objective.objectives) == 2:
        pieces.append(f'<div style="flex:none">{_front_picture(summary, tally)}</div>')
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:8px 24px;margin-top:8px">'
        f"{''.join(pieces)}</div>"
    )


def _front_table(summary: Summary) -> str:
    names = [name for name, _ in summary.spec.objective.objectives][:_OBJECTIVES]
    shown = _spread(summary.front, _FRONT_ROWS)
    parameters = [parameter.name for parameter in summary.spec.parameters]
    heads, cells = _parameter_cells(parameters, [each.parameters for each in shown], _FIRST)
    rows = [
        [
            Cell(str(each.number), is_number=True),
            *(Cell(number(each.values[name]), is_number=True) for name in names),
            *values,
        ]
        for each, values in zip(shown, cells, strict=True)
    ]
    metrics = [Cell(cut(name, 60), title=name) for name in names]
    front = table([Cell("Front: trial"), *metrics, *heads], rows)
    left_out = len(summary.front) - len(shown)
    return f'{front}<div style="{MUTED}">and {left_out} between them</div>' if left_out else front


def _spread(front: Sequence[Best], count: int) -> list[Best]:
    """At most *count* of the front, evenly from one end to the other."""
    if len(front) <= count:
        return list(front)
    return [front[round(place * (len(front) - 1) / (count - 1))] for place in range(count)]


def _front_picture(summary: Summary, tally: Tally) -> str:
    """The front, and the latest of the other trials behind it."""
    trials = [tally.trials[each.number] for each in _spread(summary.front, _DOTS)]
    trials += tally.behind_front(_DOTS)
    document = ExperimentDocument(metadata=Metadata(name=summary.name), spec=summary.spec)
    figure = pareto(ExperimentData(document, sorted(trials, key=lambda trial: trial.number)))
    size = f"{len(summary.front)} of {len(tally.trials)} trials"
    return image(replace(figure, width=_WIDTH, subtitle=size, text=f"{size} on the Pareto front"))


def best_html(best: Best | None, count: int) -> str:
    """The values of the *best* trial, at most *count*, where its row cannot hold them all."""
    if best is None or len(best.parameters) <= PARAMETERS:
        return ""
    items = [
        f'<div style="{_ITEM}"><span{_tip(name, len(name) > _SHORT)} style="flex:1;{_CUTS}">'
        f"{cut(name, 60)}</span> {_value(value)}</div>"
        for name, value in islice(best.parameters.items(), count)
    ]
    if len(best.parameters) > len(items):
        items.append(f'<div style="{MUTED}">and {len(best.parameters) - len(items)} more</div>')
    return (
        f'<div style="margin-top:8px;font-size:12px"><div style="{MUTED}">Best: trial '
        f'{best.number}</div><div style="{CODE};white-space:nowrap;display:grid;gap:0 20px;'
        f'grid-template-columns:repeat(auto-fill,minmax(min(100%,20em),1fr))">'
        f"{''.join(items)}</div></div>"
    )


def _state(summary: Summary, trial: Trial) -> str:
    waits = summary.set_up is not None and trial.state is TrialState.RUNNING
    return "Waiting" if waits else trial.state.value


def _value(value: Value) -> str:
    cell = value_cell(value)
    return f"<span{_tip(cell.title, cell.is_cut)}>{cell.html}</span>"


def _tip(text: str, is_needed: bool) -> str:
    return f' title="{cut(text, 400)}"' if is_needed else ""


def _metric(objective: Objective, trial: Trial, name: str) -> str:
    metric = trial.metrics.get(name)
    value = None if metric is None else metric.by(objective.strategy(name))
    return "–" if value is None else number(value)  # noqa: RUF001, a dash stands for no value
