"""Answers with the figures of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from hpo_lab.dashboard import comparison, figures
from hpo_lab.dashboard.plot import Plot, plot_of
from hpo_lab.dashboard.widget import trial_html
from hpo_lab.server.request import ApiRequest, Fields
from hpo_lab.store import NotFound

__all__ = ["Compared", "Look", "Theme", "compared_with", "drawn", "listed", "trial_curve"]


class Theme(Fields):
    """How a figure is asked for.

    Attributes:
        theme: The colours.
    """

    theme: Literal["light", "dark", "contrast"] = "light"


class Compared(Theme):
    """With what an experiment is compared.

    Attributes:
        other: The uid of another experiment.
    """

    other: str


class Look(Theme):
    """Which of its parameters a figure looks at.

    Attributes:
        focus: The parameters to look at; by default the figure chooses.
    """

    focus: list[str] = Field(default_factory=list)


def listed(request: ApiRequest) -> Mapping[str, Any]:
    """The figures there are, and whether each has something to show."""
    with request.stores.experiment(request.uid) as experiment:
        data = figures.data_of(experiment)
        names = figures.names()
        return {
            "figures": [{"name": each, "isOfUse": figures.is_of_use(each, data)} for each in names]
        }


def drawn(request: ApiRequest) -> Mapping[str, Any]:
    """A figure as plotly reads it, with its title and what there is to see in words."""
    look: Look = request.query
    if request.path["name"] not in figures.names():
        there = ", ".join(figures.names())
        raise NotFound(f"there is no figure {request.path['name']!r}; there are {there}")
    with request.stores.experiment(request.uid) as experiment:
        title, data = experiment.title, figures.data_of(experiment)
    # Importances take seconds, in which others may ask.
    picture = plot_of(title, data, request.path["name"], look.theme, look.focus)
    return _document(picture)


def _document(picture: Plot) -> dict[str, Any]:
    return {"title": picture.figure.title, "text": picture.text, **picture.to_json()}


def compared_with(request: ApiRequest) -> Mapping[str, Any]:
    """The best so far of two experiments in one figure."""
    # Handles of their own: two requests for the same pair wait for each other never.
    pair = [request.stores.handle(uid) for uid in (request.uid, request.query.other)]
    return _document(Plot(comparison.compared(pair), request.query.theme))


def trial_curve(request: ApiRequest) -> Mapping[str, Any]:
    """What a trial reported step by step, with the best trial to compare."""
    theme = request.query.theme
    with request.stores.experiment(request.uid) as experiment:
        summary = experiment.summary()
        # After the summary, so that its best trial is among them.
        trial = experiment.tally().trials.get(request.number)
        if trial is None:
            raise NotFound(f"there is no trial {request.number}")
        figure = trial_html.trial_curve(experiment, summary, trial, theme)
    if figure is None:
        text = "The trial reported no metric step by step."
        return {"title": "", "text": text, "data": [], "layout": {}}
    return _document(Plot(figure, theme))
