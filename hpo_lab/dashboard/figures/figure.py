"""A figure: a plotly figure as plain data, with its title and what it shows in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hpo_lab.dashboard.figures.data import ExperimentData
from hpo_lab.dashboard.figures.theme import INK2, resolved, template
from hpo_lab.dashboard.figures.wording import counted, listed, plain, short, value_text

__all__ = ["WIDTH", "Figure", "Trace", "best_in_words", "drawn_trials", "nothing"]

Trace = dict[str, Any]

WIDTH = 640
"""The natural width of a figure in pixels."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture that is yet to be drawn, by plotly or as SVG.

    In `traces` and `layout` colours may be names of the theme, such as `--hpo-blue`. Where a
    trace draws trials, its `customdata` has the number of the trial for each point.

    Attributes:
        title: What it is of.
        text: What there is to see, in one or two sentences, for those who cannot see it.
        traces: The traces of plotly.
        layout: The layout of plotly without title, template and size.
        subtitle: What helps to read it, behind the title.
        width, height: Its natural size in pixels.
        summarised: How many trials it shows in sum, such as in a histogram.
        left_out: How many trials it does not show, by why; `text` says so.
        theme: The theme that `to_json` uses by default.
    """

    title: str
    text: str
    traces: Sequence[Trace] = ()
    layout: Mapping[str, Any] = field(default_factory=dict)
    subtitle: str = ""
    width: int = WIDTH
    height: int = 280
    summarised: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    theme: str = "light"

    @classmethod
    def of(
        cls, title: str, sentence: str, left_out: Mapping[str, int] | None = None, **more: Any
    ) -> Figure:
        """A figure whose text is *sentence* and what is left out, which is counted by why."""
        rest = {why: count for why, count in (left_out or {}).items() if count}
        text = f"{sentence} Not drawn: {listed(rest)}." if rest else sentence
        return cls(title, text, left_out=rest, **more)

    def to_json(self, theme: str | None = None) -> dict[str, Any]:
        """The figure as plotly reads it: `{"data": [...], "layout": {...}}`.

        Args:
            theme: `light`, `dark` or `contrast`; by default that of the figure.
        """
        title = f"<b>{plain(self.title)}</b>"
        if self.subtitle:
            style = f"font-size:11px;color:{INK2}"
            title += f'  <span style="{style}">{plain(self.subtitle)}</span>'
        theme = self.theme if theme is None else theme
        layout = {
            "title": {"text": title},
            "height": self.height,
            **self.layout,
            "template": template(trace["type"] for trace in self.traces),
            "meta": {"title": self.title, "text": self.text},
        }
        return {"data": resolved(list(self.traces), theme), "layout": resolved(layout, theme)}


def drawn_trials(figure: Figure) -> set[int]:
    """The numbers of the trials that *figure* draws."""
    numbers: set[int] = set()
    for trace in figure.traces:
        numbers.update(each for each in trace.get("customdata", ()) if each is not None)
    return numbers


def nothing(data: ExperimentData, title: str, why: str, **more: Any) -> Figure:
    """A figure without a picture that says *why* there is none, in a whole sentence."""
    count = len(data.trials)
    note = {
        "text": "<br>".join(map(plain, _lines(why, 84))),
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
        "showarrow": False,
        "xanchor": "center",
        "yanchor": "middle",
    }
    hidden = {"visible": False}
    layout = {
        "annotations": [note],
        "xaxis": hidden,
        "yaxis": hidden,
        "margin": {"l": 8, "r": 8, "t": 36, "b": 8},
    }
    return Figure.of(
        title,
        why,
        {"trials of this experiment" if count != 1 else "trial of this experiment": count},
        layout=layout,
        height=120,
        **more,
    )


def _lines(text: str, width: int) -> list[str]:
    """*text* in lines of *width* characters."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [short(line, 2 * width) for line in lines]


def best_in_words(data: ExperimentData) -> str:
    """`Best accuracy 0.9644 in trial 31 of 40 trials`, or that no trial has a value."""
    total = counted(len(data.trials), "trial")
    if data.best is None or data.best.value is None:
        return f"No trial of {total} has a value of {short(data.metric, 60)} that counts"
    name = short(data.metric, 60)
    return f"Best {name} {value_text(data.best.value)} in trial {data.best.number} of {total}"
