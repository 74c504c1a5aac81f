"""Where a command writes: results to standard output, messages to standard error."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from hpo_lab.dashboard.summary import Summary
from hpo_lab.dashboard.tables import best_line, front_table, parameters_table
from hpo_lab.experiment.model import Value

__all__ = ["messages", "print_best", "print_json", "results"]

_PIPED_WIDTH = 200


def results() -> Console:
    """The console for results; wide when it is no terminal, so that nothing is cut off."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPED_WIDTH
    return console


def messages() -> Console:
    """The console for progress and messages."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_best(
    summary: Summary, notebook: str | None, defaults: Mapping[str, Value], *, intro: str = ""
) -> None:
    """Print the best trial, or, of several objectives, the Pareto front.

    Args:
        summary: Of an experiment that has a best trial.
        notebook: Path of that trial's notebook.
        defaults: What the notebook of the experiment assigns, by parameter name.
        intro: Stands before the best trial.
    """
    out = results()
    if summary.front:
        out.print(f"Pareto front: {len(summary.front)} trials", style="bold")
        out.print()
        out.print(front_table(summary))
    elif summary.best:
        out.print(f"{intro}{best_line(summary.best)}", style="bold")
        out.print()
        out.print(parameters_table(summary.best.parameters, defaults))
        if notebook:
            out.print()
            out.print(f"Notebook of that trial: {notebook}", soft_wrap=True)


def print_json(document: Any) -> None:
    """Print *document* as the one JSON document of a command."""
    print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
