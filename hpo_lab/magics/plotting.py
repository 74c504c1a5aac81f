"""`%hpo plot` and `%hpo report`: pictures in the output of a cell, and in files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpo_lab.dashboard.live import publish
from hpo_lab.facade.handle import Experiment
from hpo_lab.notebook.replacing import replace_file

__all__ = ["show_plot", "write_report"]


def show_plot(shell: Any, experiment: Experiment, figure: str, options: Mapping[str, str]) -> None:
    """Display a figure in the running cell, or write it into a file.

    Args:
        shell: The IPython shell.
        experiment: The experiment.
        figure: The name of the figure.
        options: `--theme`, `--focus` with names between commas, `--out` with the file.

    Raises:
        InvalidInput: with what is wrong with any of these.
    """
    names = [name.strip() for name in options.get("--focus", "").split(",")]
    focus = [name for name in names if name]
    plot = experiment.plot(figure, theme=options.get("--theme"), focus=focus)
    if path := options.get("--out"):
        plot.save(path)
        print(f"{path}: {plot.text}")
    else:
        publish(shell, plot._repr_mimebundle_())


def write_report(experiment: Experiment, path: str) -> None:
    """Write the report of *experiment* into a file, and say so."""
    from hpo_lab.dashboard.report import report_of

    replace_file(Path(path), report_of([experiment]).encode())
    print(f"{path} has the report of {experiment.title}.")
