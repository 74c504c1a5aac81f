"""Answers with the figures of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from hpo_lab.dashboard import figures
from hpo_lab.dashboard.plot import plot
from hpo_lab.server.request import ApiRequest, Fields
from hpo_lab.store import NotFound

__all__ = ["Look", "drawn", "listed"]


class Look(Fields):
    """How a figure is asked for.

    Attributes:
        theme: `light`, `dark` or `contrast`.
        focus: The parameters to look at; by default the figure chooses.
    """

    theme: str = "light"
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
        picture = plot(experiment, request.path["name"], look.theme, look.focus)
    document = picture.to_json()
    return {"title": picture.figure.title, "text": picture.text, **document}
