"""The best trial of an experiment, and what can be done with it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_lab.facade.summary import Best
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

        The function is that of the time when the experiment began.

        Returns:
            What it returns.

        Raises:
            InvalidInput: when it is no function that was tuned.
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
        sys.path += [path for path in spec.get("path", ()) if path not in sys.path]
        sources = self.experiment.artifact(SOURCES)
        lines = json.loads(sources.read()) if sources else {}
        return result_of(unpickled(pickled.read(), lines), spec["call"], self.parameters)
