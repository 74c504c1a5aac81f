"""Checks for what other packages add to hpo_lab, and a simulated place to run experiments at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpo_lab.testing.algorithms import check_algorithm
    from hpo_lab.testing.collectors import check_collector
    from hpo_lab.testing.figures import check_figure, random_experiment
    from hpo_lab.testing.places import PlaceCase, check_place
    from hpo_lab.testing.rules import check_early_stopping_rule

__all__ = [
    "PlaceCase",
    "check_algorithm",
    "check_collector",
    "check_early_stopping_rule",
    "check_figure",
    "check_place",
    "random_experiment",
]

_HOMES = {
    "PlaceCase": "hpo_lab.testing.places",
    "check_algorithm": "hpo_lab.testing.algorithms",
    "check_collector": "hpo_lab.testing.collectors",
    "check_early_stopping_rule": "hpo_lab.testing.rules",
    "check_figure": "hpo_lab.testing.figures",
    "check_place": "hpo_lab.testing.places",
    "random_experiment": "hpo_lab.testing.figures",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
