"""How much each parameter matters for the objective, by Optuna."""

from __future__ import annotations

import math
import random
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import pstdev

from hpo_lab.dashboard.figures.data import ExperimentData, Row
from hpo_lab.dashboard.figures.figure import Figure, best_in_words, nothing
from hpo_lab.dashboard.figures.influence import LEAST
from hpo_lab.dashboard.figures.marks import thinned
from hpo_lab.dashboard.figures.panels import note
from hpo_lab.dashboard.figures.theme import BLUE, CODE_FONT, INK
from hpo_lab.dashboard.figures.wording import amount, counted, distinct, hover, plain, short
from hpo_lab.experiment.trial import TrialState

__all__ = ["importances", "shares"]

_TRIALS = 1000
_BARS = 12
_RESAMPLES = 8
_RESAMPLED = 200
"""Trials in a resample at most, so that it is quick; the spread is scaled to that of all."""


def importances(data: ExperimentData) -> Figure:
    """A bar for each parameter, the most important first; what is smallest is in one bar.

    The shares are those of PED-ANOVA: how much the best tenth of the trials differs from all
    in a parameter. The line on a bar is two standard deviations of the share to each side, as
    it varies over resamples of the trials.
    """
    title = "Importances"
    if len(data.parameters) < 2:
        why = "Of a single parameter there is nothing to compare."
        return nothing(data, title, why if data.parameters else "There are no parameters.")
    # Optuna leaves out those that were stopped: their values are those of an earlier step.
    rows = [row for row in data.valued if row.trial.state is TrialState.SUCCEEDED]
    if len(rows) < LEAST:
        why = (
            f"Importances need {LEAST} trials that succeeded with a value of "
            f"{short(data.metric, 60)}; there {'is' if len(rows) == 1 else 'are'} "
            f"{amount(len(rows))}."
        )
        return nothing(data, title, why)
    if len({row.value for row in rows}) == 1:
        return nothing(data, title, "All trials have the same value; no parameter matters.")
    used = thinned(rows, most=_TRIALS)
    try:
        by_name = shares(data, used)
    except Exception as error:
        why = f"Optuna cannot tell the importances of this experiment: {_reason(error)}."
        return nothing(data, title, why)
    if not any(by_name.values()):
        return nothing(data, title, "No parameter differs between good trials and others.")
    return _bars(data, by_name, _spreads(data, used), rows, len(used), title)


def shares(data: ExperimentData, rows: Sequence[Row]) -> dict[str, float]:
    """The share of each parameter in the variation of the first objective, the largest first.

    A parameter that has a single value in *rows*, or none, has the share 0.

    Raises:
        Exception: What Optuna raises where it cannot tell.
    """
    import optuna

    from hpo_lab.search.studies import study_of

    # Two constraints or objectives would need a choice; the first objective is what is drawn.
    objective = data.objective.model_copy(update={"additional_objectives": (), "constraints": ()})
    spec = data.spec.model_copy(update={"objective": objective})
    document = data.document.model_copy(update={"spec": spec})
    values: dict[str, set[object]] = defaultdict(set)
    for row in rows:
        for name, value in row.trial.assignments.items():
            values[name].add((type(value), value))
    varied = [name for name in data.parameters if len(values[name]) > 1]
    if not varied:
        return dict.fromkeys(data.parameters, 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = study_of(document, [row.trial for row in rows], {})
        result = optuna.importance.get_param_importances(
            study,
            evaluator=optuna.importance.PedAnovaImportanceEvaluator(),
            params=varied,
        )
    finite = {name: value for name, value in result.items() if math.isfinite(value)}
    named = {name: max(0.0, finite.get(name, 0.0)) for name in data.parameters}
    return dict(sorted(named.items(), key=lambda pair: -pair[1]))


def _spreads(data: ExperimentData, rows: Sequence[Row]) -> dict[str, float]:
    """Two standard deviations of the share of each parameter; empty where it cannot be told."""
    stream, size = random.Random(0), min(len(rows), _RESAMPLED)
    try:
        draws = [shares(data, stream.choices(rows, k=size)) for _ in range(_RESAMPLES)]
    except Exception:  # a resample may have too few different values
        return {}
    scale = 2 * math.sqrt(size / len(rows))
    return {name: scale * pstdev(draw[name] for draw in draws) for name in data.parameters}


def _reason(error: Exception) -> str:
    return short((str(error).splitlines() or [repr(error)])[0].rstrip("."), 120)


def _bars(
    data: ExperimentData,
    by_name: dict[str, float],
    spreads: dict[str, float],
    rows: Sequence[Row],
    used: int,
    title: str,
) -> Figure:
    names = list(by_name)
    heights = [by_name[name] for name in names]
    shown = _BARS if len(names) > _BARS + 1 else len(names)
    labels = distinct(names[:shown], 30)
    bars = list(zip(names[:shown], labels, heights[:shown], strict=True))
    if rest := names[shown:]:
        others = f"{amount(len(rest))} others"
        bars.append((", ".join(rest), others, sum(heights[shown:])))
    wide = max(len(label) for _, label, _ in bars)
    ends = [
        (max(0.0, height - spread), min(1.0, height + spread))
        for name, _, height in bars
        for spread in [spreads.get(name, 0.0)]
    ]
    longest = max(high for _, high in ends) or 1.0
    words = [f"{height:.0%}" if height >= 0.01 or height == 0 else "<1%" for _, _, height in bars]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": [round(height, 5) for _, _, height in bars],
        "y": list(range(len(bars))),
        "width": [0.55] * len(bars),
        "hovertext": [hover(name) for name, _, _ in bars],
        "hovertemplate": "%{hovertext}<br>%{x:.1%}<extra></extra>",
        "marker": {"color": BLUE},
        "showlegend": False,
    }
    whiskers = {
        "type": "scatter",
        "mode": "lines",
        "x": [each for low, high in ends for each in (round(low, 5), round(high, 5), None)],
        "y": [each for place in range(len(bars)) for each in (place, place, None)],
        "line": {"color": INK, "width": 1.2},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    beside = [
        note(
            plain(word),
            round(high, 5),
            place,
            {"xaxis": "x", "yaxis": "y"},
            xanchor="left",
            xshift=5,
            font={"size": 11, "color": INK},
        )
        for place, (word, (_, high)) in enumerate(zip(words, ends, strict=True))
    ]
    layout = {
        "annotations": beside,
        "xaxis": {"range": [0, 1.12 * longest], "visible": False},
        "yaxis": {
            "range": [len(bars) - 0.4, -0.6],
            "tickvals": list(range(len(bars))),
            "ticktext": [plain(label) for _, label, _ in bars],
            "tickfont": {"family": CODE_FONT, "size": 11, "color": INK},
            "ticklabelstandoff": 6,
            "showgrid": False,
        },
        "margin": {"l": min(240, 24 + 7 * wide), "r": 24, "t": 38, "b": 12},
    }
    first = f"{short(names[0], 60)} with {words[0]}"
    sampled = "" if used == len(rows) else f", {amount(used)} of them"
    numbers = {row.number for row in rows}
    with_spread = " ± spread" if spreads else ""
    return Figure.of(
        title,
        f"Of {counted(len(names), 'parameter')} {first} matters most for {short(data.metric, 60)}, "
        f"by PED-ANOVA from {counted(len(rows), 'trial')} with a value{sampled}. "
        f"{best_in_words(data)}.",
        Counter(row.mark.value for row in data.rows if row.number not in numbers),
        subtitle=f"share of the variation{with_spread}, {counted(used, 'trial')}",
        traces=[trace, *([whiskers] if spreads else [])],
        layout=layout,
        height=50 + 24 * len(bars),
        summarised=len(rows),
    )
