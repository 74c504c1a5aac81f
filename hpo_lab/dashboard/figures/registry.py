"""The figures by name.

A figure is registered under the entry point group `hpo_lab.figures` as a function from
`ExperimentData` to `Figure`::

    [project.entry-points."hpo_lab.figures"]
    history = "hpo_lab.dashboard.figures.history:history"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeAlias

from hpo_lab.dashboard.figures.data import ExperimentData
from hpo_lab.dashboard.figures.figure import Figure
from hpo_lab.dashboard.figures.theme import THEMES
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["ENTRY_POINT_GROUP", "Draw", "draw", "names"]

ENTRY_POINT_GROUP = "hpo_lab.figures"

Draw: TypeAlias = Callable[[ExperimentData], Figure]

_ORDER = [
    "history",
    "importances",
    "slices",
    "parallel",
    "curves",
    "contour",
    "space",
    "timeline",
    "edf",
    "pareto",
    "constraints",
    "rungs",
    "lineage",
]
"""Ours, those first that answer what a person asks first."""


def names() -> list[str]:
    """The names of all figures, ours first; none of them is loaded."""
    registered = _entries()
    ours = [name for name in _ORDER if name in registered]
    return [*ours, *sorted(registered.keys() - {*ours})]


def draw(name: str, data: ExperimentData, theme: str = "light") -> Figure:
    """The figure *name* of an experiment.

    Args:
        name: One of `names()`.
        data: The experiment.
        theme: `light`, `dark` or `contrast`.

    Raises:
        InvalidInput: There is no such figure or theme, or its package cannot load it.
    """
    problems = []
    if theme not in THEMES:
        problems.append(Problem(theme, f"is no theme; there are {', '.join(THEMES)}"))
    try:
        function = _function(name)
    except LookupError as error:
        problems.append(Problem(name, str(error.args[0])))
    if problems:
        raise InvalidInput(problems)
    return replace(function(data), theme=theme)


@lru_cache(maxsize=1)
def _entries() -> Mapping[str, EntryPoint]:
    """What is registered; looked up once, since it takes as long as drawing does."""
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}


@lru_cache(maxsize=64)
def _function(name: str) -> Draw:
    entry = _entries().get(name)
    if entry is None:
        raise LookupError(f"is no figure; there are {', '.join(names())}{nearest(name, names())}")
    try:
        function: Draw = entry.load()
    except Exception as error:
        package = entry.dist.name if entry.dist else "unknown"
        message = f"cannot be loaded from the package {package}: {type(error).__name__}: {error}"
        raise LookupError(message) from error
    return function
