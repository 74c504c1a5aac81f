"""What the notebook of an experiment itself assigns to the parameters."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import suppress

from hpo_lab.experiment.model import Value
from hpo_lab.facade.handle import Experiment
from hpo_lab.notebook.trial_notebook import TrialNotebook
from hpo_lab.trial.folder import NOTEBOOK

__all__ = ["assigned", "notebook_defaults", "values_as_code"]


def notebook_defaults(experiment: Experiment) -> dict[str, Value]:
    """The parameter values that the notebook of an experiment itself assigns, by name."""
    artifact = experiment.artifact(NOTEBOOK)
    defaults: dict[str, Value] = {}
    try:
        assignments = TrialNotebook.read(artifact.read()).assignments if artifact else {}
    except ValueError:  # a notebook of a manifest that is none of ours
        return defaults
    for name, assignment in assignments.items():
        with suppress(ValueError):  # a manifest may hold a notebook without literals
            defaults[name] = ast.literal_eval(assignment.value)
    return defaults


def assigned(experiment: Experiment, parameters: Mapping[str, Value]) -> dict[str, Value]:
    """What a trial with *parameters* ran with: of an inactive one, what the notebook assigns."""
    own = notebook_defaults(experiment)
    names = [parameter.name for parameter in experiment.record.document.spec.parameters]
    inactive = {name: own[name] for name in names if name in own and name not in parameters}
    return {**parameters, **inactive}


def values_as_code(experiment: Experiment, number: int) -> str:
    """The values of trial *number* as Python: assignments, or a mapping for other names."""
    stored = experiment.store.trial(experiment.uid, number)
    if stored is None or not stored.trial.assignments:
        return ""
    values = assigned(experiment, stored.trial.assignments)
    if all(name.isidentifier() for name in values):
        return "\n".join(f"{name} = {value!r}" for name, value in values.items())
    lines = [f"    {name!r}: {value!r}," for name, value in values.items()]
    return "\n".join(["values = {", *lines, "}"])
