"""What every way of preparing an experiment has in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hpo_lab.experiment.model import API_VERSION, ExperimentDocument, TrialTemplate
from hpo_lab.notebook.slicing import Decision
from hpo_lab.prepare.comparison import Halves
from hpo_lab.problems import Problem
from hpo_lab.workload.configuration import Configuration

__all__ = ["Prepared", "experiment_name", "trial_template"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An experiment ready to be enrolled.

    Attributes:
        experiment: The document.
        files: Its source files by name: media type and content.
        decisions: Which earlier cells a notebook's trials take along, and why.
        halves: Makes the notebook with every earlier cell and that with the kept ones.
        warnings: What a manifest says that is taken in another way.
        stops: Whether the manifest asks for the end of the experiment it describes.
        folder: Where the manifest is.
        configuration: The ConfigMaps and Secrets given with a manifest.
        overridden: Which options took the place of what a manifest says, as a sentence.
    """

    experiment: ExperimentDocument
    files: Mapping[str, tuple[str, bytes]]
    decisions: tuple[Decision, ...] = ()
    halves: Callable[[], Halves] | None = None
    warnings: tuple[Problem, ...] = ()
    stops: bool = False
    folder: Path | None = None
    configuration: Configuration = field(default_factory=Configuration)
    overridden: str = ""


def experiment_name(text: str) -> str:
    """A valid experiment name made from *text*, such as a file's stem."""
    name = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")
    if not name or not name[0].isalpha():
        name = f"tune-{name}" if name else "tune"
    return name[:40].rstrip("-")


def trial_template(kind: str, spec: Mapping[str, Any]) -> TrialTemplate:
    """A trial template of one of our own kinds."""
    return TrialTemplate(trial_spec={"apiVersion": API_VERSION, "kind": kind, "spec": dict(spec)})
