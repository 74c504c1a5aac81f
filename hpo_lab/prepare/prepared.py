"""What every way of preparing an experiment has in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_lab.experiment.document import OPTIMIZATION_JOB
from hpo_lab.experiment.model import API_VERSION, ExperimentDocument, TrialTemplate
from hpo_lab.notebook.slicing import Decision
from hpo_lab.notebook.trial_code import TrialCode
from hpo_lab.prepare.wording import Dialect, Wording
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.workload.configuration import Configuration

if TYPE_CHECKING:
    from hpo_lab.execution.slice_check import Halves

__all__ = [
    "LONGEST_NAME",
    "Prepared",
    "PreparedCell",
    "PreparedManifest",
    "default_names",
    "experiment_name",
    "trial_template",
]

LONGEST_NAME = 40
"""Of an experiment, in characters."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An experiment ready to be enrolled.

    Attributes:
        experiment: The document.
        files: Its source files by name: media type and content.
        warnings: What is taken in another way than it is written.
        project: The folder that the experiment belongs to; empty for none.
        names: What to call it, the best first; empty where a person chose its name.
        file: The name of the notebook or script, if there is one,
        cell: and what tells the cell or the function from the others in it, if anything does.
        cells: The ids of the cells that the notebook has, None where that is not known.
        wording: How its author writes.
        fresh: Whether it says itself that it takes the place of a recorded experiment.
        store: The store that it names itself, None where it names none.
    """

    experiment: ExperimentDocument
    files: Mapping[str, tuple[str, bytes]]
    warnings: tuple[Problem, ...] = ()
    project: str = ""
    names: tuple[str, ...] = ()
    file: str = ""
    cell: str = ""
    cells: frozenset[str] | None = None
    wording: Wording = field(default_factory=lambda: Wording(Dialect.FIELD))
    fresh: bool = False
    store: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCell(Prepared):
    """An experiment of a notebook's cell.

    Attributes:
        decisions: Which earlier cells its trials take along, and why.
        halves: Makes the notebook with every earlier cell and that with the kept ones.
        code: What its trials run.
        is_dry: Whether its line says that it is to be shown and not run.
    """

    decisions: tuple[Decision, ...]
    halves: Callable[[], Halves]
    code: TrialCode
    is_dry: bool = False

    def check_runs(self) -> None:
        """Check that its author wants it to be run.

        Raises:
            InvalidInput: The line of the cell says that nothing is to be started.
        """
        if self.is_dry:
            message = f"--dry-run on the line of %%tune: hpo-lab validate {self.file} does it"
            raise InvalidInput([Problem(self.file, message)])


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedManifest(Prepared):
    """An experiment of a manifest.

    Attributes:
        folder: Where the manifest is.
        configuration: The ConfigMaps and Secrets given with it.
        stops: Whether it asks for the end of the experiment that it describes.
        overridden: Which options took the place of what it says, as a sentence.
        kind: What it is written as, an `Experiment` or an `OptimizationJob`.
    """

    folder: Path
    configuration: Configuration
    stops: bool = False
    overridden: str = ""
    kind: str = "Experiment"

    def in_its_words(self, problem: Problem) -> Problem:
        """*problem* of the experiment, told by the fields that the manifest has."""
        if self.kind != OPTIMIZATION_JOB:
            return problem
        from hpo_lab.experiment.optimization_reading import optimization_words

        return optimization_words(problem, self.experiment.spec)

    def check_runs(self) -> None:
        """Check that its author wants it to be run.

        Raises:
            InvalidInput: It asks for the end of the experiment.
        """
        if self.stops:
            message = "is 0, which stops an experiment: hpo_lab.get(name).stop()"
            raise InvalidInput([Problem("spec.maxTrialCount", message)])


def experiment_name(text: str) -> str:
    """A valid experiment name made from *text*, such as a file's stem."""
    name = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")
    if not name or not name[0].isalpha():
        name = f"tune-{name}" if name else "tune"
    return name[:LONGEST_NAME].rstrip("-")


def default_names(*texts: str) -> tuple[str, ...]:
    """What to call an experiment whose name nobody chose: valid names, each of them once."""
    return tuple(dict.fromkeys(map(experiment_name, texts)))


def trial_template(kind: str, spec: Mapping[str, Any]) -> TrialTemplate:
    """A trial template of one of our own kinds."""
    return TrialTemplate(trial_spec={"apiVersion": API_VERSION, "kind": kind, "spec": dict(spec)})
