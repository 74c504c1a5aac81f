"""Tune a notebook cell without leaving the notebook.

Everything is imported when it is first used, so that `import hpo_lab` costs nothing in a
trial.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpo_lab.api import Experiment, Experiments, get, tune
    from hpo_lab.dashboard.widget.dashboard import Dashboard
    from hpo_lab.experiment.space import (
        choice,
        integer,
        logint,
        lognormal,
        loguniform,
        normal,
        uniform,
    )
    from hpo_lab.experiment.space import (
        int as int,
    )
    from hpo_lab.problems import InvalidInput
    from hpo_lab.trial.attributes import set_attribute, trial_number
    from hpo_lab.trial.checkpoint import checkpoint_dir
    from hpo_lab.trial.keep import keep
    from hpo_lab.trial.report import report

__all__ = [
    "Dashboard",
    "Experiment",
    "Experiments",
    "InvalidInput",
    "checkpoint_dir",
    "choice",
    "get",
    "integer",
    "keep",
    "logint",
    "lognormal",
    "loguniform",
    "normal",
    "report",
    "set_attribute",
    "trial_number",
    "tune",
    "uniform",
]

__version__ = "0.1.0.dev0"

_HOMES = {
    "Dashboard": "hpo_lab.dashboard.widget.dashboard",
    "Experiment": "hpo_lab.api",
    "Experiments": "hpo_lab.api",
    "InvalidInput": "hpo_lab.problems",
    "checkpoint_dir": "hpo_lab.trial.checkpoint",
    "choice": "hpo_lab.experiment.space",
    "get": "hpo_lab.api",
    "int": "hpo_lab.experiment.space",
    "integer": "hpo_lab.experiment.space",
    "keep": "hpo_lab.trial.keep",
    "logint": "hpo_lab.experiment.space",
    "lognormal": "hpo_lab.experiment.space",
    "loguniform": "hpo_lab.experiment.space",
    "normal": "hpo_lab.experiment.space",
    "report": "hpo_lab.trial.report",
    "set_attribute": "hpo_lab.trial.attributes",
    "trial_number": "hpo_lab.trial.attributes",
    "tune": "hpo_lab.api",
    "uniform": "hpo_lab.experiment.space",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


def load_ipython_extension(shell: Any) -> None:
    """Register `%%tune` and `%hpo`: `%load_ext hpo_lab`."""
    from hpo_lab.magics.shell import load

    load(shell)
