"""What a person calls an experiment: its name, or the file that makes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hpo_lab.problems import InvalidInput, Problem

if TYPE_CHECKING:
    from hpo_lab.facade.handle import Experiment

__all__ = ["experiment_named", "is_file_name", "problems_of_name"]


def is_file_name(text: str) -> bool:
    """Whether *text* is the path of a notebook or manifest, which no experiment is called."""
    return Path(text).suffix in (".ipynb", ".yaml", ".yml", ".json")


def experiment_named(store: str | None, text: str) -> Experiment:
    """The experiment that *text* names here, or that the file *text* makes.

    Says so where it belongs to another folder.

    Args:
        store: Where to look, by default in the user's own store.
        text: Its name, or the path of the file.

    Raises:
        InvalidInput: There is none; or with every problem of the file.
    """
    from hpo_lab.cli.output import messages

    experiment, is_elsewhere = _experiment_named(store, text)
    if is_elsewhere:
        folder = experiment.record.project
        messages().print(f"{experiment.title} of {folder}", style="dim", soft_wrap=True)
    return experiment


def _experiment_named(store: str | None, text: str) -> tuple[Experiment, bool]:
    """The experiment that *text* names, and whether it is of another folder than expected."""
    from hpo_lab.facade.experiments import Experiments

    experiments = Experiments(store)
    if not is_file_name(text):
        experiment = experiments.find(text)
        return experiment, experiment.record.project not in ("", experiments.project)
    from hpo_lab.options import TuneOptions
    from hpo_lab.prepare import prepare_file

    return experiments.find_prepared(prepare_file(Path(text), TuneOptions(), None)), False


def problems_of_name(text: str, store: str | None) -> Iterator[Problem]:
    """Why there is no experiment called *text* in *store*."""
    try:
        _experiment_named(store, text)
    except InvalidInput as error:
        yield from error.problems
