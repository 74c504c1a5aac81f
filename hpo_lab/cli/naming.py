"""What a person calls an experiment: its name, or the file that makes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hpo_lab.problems import InvalidInput, Problem

__all__ = ["is_file_name", "name_of", "problems_of_name"]


def is_file_name(text: str) -> bool:
    """Whether *text* is the path of a notebook or manifest, which no experiment is called."""
    return Path(text).suffix in (".ipynb", ".yaml", ".yml", ".json")


def name_of(text: str) -> str:
    """The name of the experiment that *text* names, or that the file *text* makes.

    Raises:
        InvalidInput: with every problem of the file.
    """
    if not is_file_name(text):
        return text
    from hpo_lab.options import TuneOptions
    from hpo_lab.prepare import prepare_file

    experiment = prepare_file(Path(text), TuneOptions(), None).experiment
    is_plain = experiment.namespace == "default"
    return experiment.name if is_plain else f"{experiment.namespace}/{experiment.name}"


def problems_of_name(text: str, store: str | None) -> Iterator[Problem]:
    """Why there is no experiment called *text* in *store*."""
    from hpo_lab.facade.experiments import Experiments

    try:
        Experiments(store).find(name_of(text))
    except InvalidInput as error:
        yield from error.problems
