"""What the notebook of an experiment itself assigns to the parameters."""

from __future__ import annotations

import ast
import json

from hpo_lab.experiment.model import Value
from hpo_lab.facade.handle import Experiment
from hpo_lab.trial.folder import NOTEBOOK

__all__ = ["notebook_defaults"]


def notebook_defaults(experiment: Experiment) -> dict[str, Value]:
    """The parameter values that the notebook of an experiment itself assigns, by name."""
    artifact = experiment.artifact(NOTEBOOK)
    if artifact is None:
        return {}
    for cell in json.loads(artifact.read())["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            source = cell["source"]
            return _literals(source if isinstance(source, str) else "".join(source))
    return {}


def _literals(source: str) -> dict[str, Value]:
    return {
        target.id: ast.literal_eval(statement.value)
        for statement in ast.parse(source).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
