"""A figure that is shown in a notebook, and saved as SVG, PNG, HTML or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hpo_lab.dashboard import drawing, figures
from hpo_lab.dashboard.figures.theme import GROUND, INK
from hpo_lab.dashboard.html import box
from hpo_lab.dashboard.pictures import image_of
from hpo_lab.dashboard.raster import png
from hpo_lab.facade.handle import Experiment
from hpo_lab.notebook.replacing import replace_file
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["SUFFIXES", "Plot", "plot", "plot_of"]

SUFFIXES = (".svg", ".png", ".html", ".json")
_PLOTLY = "application/vnd.plotly.v1+json"
_CONFIG = {"displaylogo": False, "responsive": True}


@dataclass(frozen=True, slots=True, repr=False)
class Plot:
    """A figure with its theme; in a notebook it displays itself.

    Attributes:
        figure: What is drawn.
        theme: `light`, `dark` or `contrast`; empty follows the reader where the form can, and is
            `light` elsewhere.
    """

    figure: figures.Figure
    theme: str = ""

    @property
    def text(self) -> str:
        """What there is to see, in words."""
        return self.figure.text

    @property
    def svg(self) -> str:
        """The picture as SVG, without scripts and references."""
        return drawing.svg(self.figure, self.theme or "light dark")

    def to_json(self) -> dict[str, Any]:
        """The figure as plotly reads it: `{"data": [...], "layout": {...}}`."""
        # A page of another colour could make it illegible.
        layout = {"paper_bgcolor": GROUND, **self.figure.layout}
        return replace(self.figure, layout=layout).to_json(self.theme or "light")

    def save(self, path: str | Path) -> None:
        """Write the figure to a file, whole or not at all.

        Args:
            path: Its ending says the form: `.svg` a picture, `.png` the same in pixels, `.html` a
                page that one can zoom into, with plotly.js in it, `.json` the data of plotly.

        Raises:
            InvalidInput: The ending is another one, a package is missing, or the file cannot be
                written.
        """
        path = Path(path)
        replace_file(path, self.encoded(suffix_of(path)))

    def encoded(self, suffix: str) -> bytes:
        """The content of a file with this *suffix*, one of `SUFFIXES`."""
        match suffix:
            case ".svg":
                return self.svg.encode()
            case ".png":
                return png(drawing.svg(self.figure, self.theme or "light"))
            case ".html":
                return self._page().encode()
            case _:
                return json.dumps(self.to_json(), ensure_ascii=False, allow_nan=False).encode()

    def _page(self) -> str:
        """A page with plotly.js in it."""
        if find_spec("plotly") is None:
            message = "needs plotly, which is not here; install hpo_lab[plot]"
            raise InvalidInput([Problem(".html", message)])
        from plotly.offline import get_plotlyjs

        theme = figures.THEMES.index(self.theme or "light")
        ground, ink = (figures.TOKENS[name][theme] for name in (GROUND, INK))
        # What ends a script is no part of the data.
        data = json.dumps(self.to_json(), allow_nan=False).replace("<", "\\u003c")
        title, text = escape(self.figure.title), escape(self.text)
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            '<meta name="viewport" content="width=device-width"><style>'
            f"body{{margin:8px;background:{ground};color:{ink};font:13px/1.45 sans-serif}}"
            "p{margin:8px}</style></head>"
            f'<body><div id="plot" role="img" aria-label="{title}"></div><p>{text}</p>'
            f"<script>{get_plotlyjs()}</script><script>const figure={data};"
            f'Plotly.newPlot("plot",figure.data,figure.layout,{json.dumps(_CONFIG)})'
            "</script></body></html>"
        )

    def __repr__(self) -> str:
        return f"{self.figure.title}: {self.text}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """The figure for a notebook: for plotly where it is installed, as a picture, in words."""
        picture = image_of(self.figure, self.theme or "light dark")
        plotly = {_PLOTLY: {**self.to_json(), "config": _CONFIG}} if find_spec("plotly") else {}
        return {
            **plotly,
            "text/html": box(picture, label=self.figure.title),
            "text/plain": repr(self),
        }


def plot(
    experiment: Experiment, name: str, theme: str | None = None, focus: Sequence[str] = ()
) -> Plot:
    """The figure *name* of an *experiment* as it is now.

    Args:
        experiment: The experiment.
        name: One of `figures.names()`.
        theme: `light`, `dark` or `contrast`; None follows the reader.
        focus: The parameters to look at; by default the figure chooses.

    Raises:
        InvalidInput: There is no such figure, theme or parameter.
    """
    return plot_of(experiment.title, figures.data_of(experiment), name, theme, focus)


def plot_of(
    title: str,
    data: figures.ExperimentData,
    name: str,
    theme: str | None = None,
    focus: Sequence[str] = (),
) -> Plot:
    """The same for the *data* of an experiment called *title*."""
    names = list(data.parameters)
    there = f"; there are {', '.join(names)}"
    problems = [
        Problem(each, f"is no parameter of {title}{nearest(each, names) or there}")
        for each in focus
        if each not in names
    ]
    try:
        data = replace(data, focus=() if problems else tuple(focus))
        figure = figures.draw(name, data, theme or "light")
    except InvalidInput as error:
        raise InvalidInput([*error.problems, *problems]) from None
    if problems:
        raise InvalidInput(problems)
    return Plot(figure, theme or "")


def suffix_of(path: Path) -> str:
    """The ending of *path*, in small letters.

    Raises:
        InvalidInput: No figure can be saved with it.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        ending = f"ends in {suffix}" if suffix else "has no ending"
        message = f"{ending}; a figure is saved as {', '.join(SUFFIXES)}{nearest(suffix, SUFFIXES)}"
        raise InvalidInput([Problem(str(path), message)])
    return suffix
