"""What a person calls an experiment: its name, or the file that makes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hpo_lab.problems import InvalidInput, Problem

if TYPE_CHECKING:
    from hpo_lab.facade.handle import Experiment

__all__ = ["experiment_named", "problems_of_name"]


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
    from hpo_lab.facade.experiments import Experiments

    experiments = Experiments(store)
    experiment = experiments.find(text)
    if note := experiments.note(text, experiment):
        messages().print(note, style="dim", soft_wrap=True)
    return experiment


def problems_of_name(text: str, store: str | None) -> Iterator[Problem]:
    """Why there is no experiment called *text* in *store*."""
    from hpo_lab.facade.experiments import Experiments

    try:
        Experiments(store).find(text)
    except InvalidInput as error:
        yield from error.problems
