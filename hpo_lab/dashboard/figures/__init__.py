"""Figures of an experiment: pure functions from plain data to plotly figures as plain data.

A front end needs three functions: `names()`, `draw(name, data, theme)`, and
`hpo_lab.dashboard.drawing.svg(figure)` for a static picture. The data of an experiment is
`data_of(experiment)`.
"""

from hpo_lab.dashboard.figures.data import ExperimentData, Mark, Row, data_of
from hpo_lab.dashboard.figures.figure import Figure, drawn_trials, nothing
from hpo_lab.dashboard.figures.registry import ENTRY_POINT_GROUP, draw, names
from hpo_lab.dashboard.figures.theme import THEMES, TOKENS
from hpo_lab.dashboard.figures.use import is_of_use

__all__ = [
    "ENTRY_POINT_GROUP",
    "THEMES",
    "TOKENS",
    "ExperimentData",
    "Figure",
    "Mark",
    "Row",
    "data_of",
    "draw",
    "drawn_trials",
    "is_of_use",
    "names",
    "nothing",
]
