"""What the notebook of an experiment itself assigns to the parameters."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping

from hpo_lab.experiment.model import Value
from hpo_lab.facade.handle import Experiment
from hpo_lab.trial.folder import NOTEBOOK

__all__ = ["assigned", "notebook_defaults"]


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


def assigned(experiment: Experiment, parameters: Mapping[str, Value]) -> dict[str, Value]:
    """What a trial with *parameters* ran with: of an inactive one, what the notebook assigns."""
    own = notebook_defaults(experiment)
    names = [parameter.name for parameter in experiment.record.document.spec.parameters]
    inactive = {name: own[name] for name in names if name in own and name not in parameters}
    return {**parameters, **inactive}


def _literals(source: str) -> dict[str, Value]:
    return {
        node.id: ast.literal_eval(statement.value)
        for statement in ast.parse(source).body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
