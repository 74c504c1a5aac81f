"""The best trial of an experiment, and what can be done with it."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_lab.facade.another import recorded_files
from hpo_lab.facade.summary import Best
from hpo_lab.prepare.recorded_modules import edited_modules
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.store import ArtifactRecord
from hpo_lab.trial.folder import LOG, NOTEBOOK
from hpo_lab.trial.function import FUNCTION, SOURCES, result_of, unpickled

if TYPE_CHECKING:
    from hpo_lab.facade.handle import Experiment

__all__ = ["BestTrial"]


@dataclass(frozen=True, slots=True)
class BestTrial(Best):
    """The optimal trial so far, with its experiment.

    Attributes:
        experiment: The handle that it was asked from.
    """

    experiment: Experiment = field(repr=False, compare=False)

    @property
    def notebook(self) -> Path | None:
        """Its executed notebook, None where there is none on this machine."""
        return self.experiment.notebook_of(self.number)

    @property
    def kept(self) -> list[ArtifactRecord]:
        """What it kept by `hpo_lab.keep`."""
        artifacts = self.experiment.artifacts(self.number)
        return [artifact for artifact in artifacts if artifact.name not in (LOG, NOTEBOOK)]

    def run(self) -> Any:
        """Call the function that was tuned with these values, in this process.

        The function is that of the time when the experiment began, with the modules of today.

        Returns:
            What it returns.

        Raises:
            InvalidInput: when it is no function that was tuned, or a module of the project that it
                uses was edited since, each difference being a problem.
        """
        title = self.experiment.title
        pickled = self.experiment.artifact(FUNCTION)
        template = self.experiment.record.document.spec.trial_template
        if pickled is None or template is None or template.trial_spec is None:
            message = "no function was tuned, so there is none to call"
            if self.experiment.artifact(NOTEBOOK):
                write = self.experiment.store.command(f"best {title} --write NOTEBOOK.ipynb")
                message = (
                    f"a notebook cell was tuned; `%hpo best {title} --run` runs it in a notebook, "
                    f"and `{write}` writes the values into it"
                )
            raise InvalidInput([Problem(title, message)])
        spec = template.trial_spec["spec"]
        if edited := edited_modules(recorded_files(self.experiment.store, self.experiment.record)):
            message = "its trials ran other modules than those of today; take the edit back"
            raise InvalidInput([*edited, Problem(title, message)])
        sources = self.experiment.artifact(SOURCES)
        lines = json.loads(sources.read()) if sources else {}
        with _import_path(spec.get("path", ())):
            return result_of(unpickled(pickled.read(), lines), spec["call"], self.parameters)


@contextlib.contextmanager
def _import_path(folders: Sequence[str]) -> Iterator[None]:
    """Import from *folders* as well, within this context."""
    before = sys.path.copy()
    sys.path += [folder for folder in folders if folder not in before]
    try:
        yield
    finally:
        sys.path[:] = before
