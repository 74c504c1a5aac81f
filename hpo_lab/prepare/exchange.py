"""Between a notebook with a `%%tune` cell and a manifest that holds it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hpo_lab.experiment.model import (
    API_VERSION,
    Distribution,
    ExperimentDocument,
    ExperimentSpec,
    Parameter,
    ParameterType,
)
from hpo_lab.notebook.trial_notebook import OBJECTIVE_TAG, PARAMETERS_TAG, TUNE_TAG
from hpo_lab.options import TuneOptions
from hpo_lab.prepare.manifest import EMBEDDED
from hpo_lab.prepare.notebook import prepare_notebook
from hpo_lab.prepare.prepared import Prepared
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.trial.folder import NOTEBOOK

__all__ = ["annotation", "manifest_of", "notebook_of", "with_notebook"]

_DOMAINS = {
    (ParameterType.DOUBLE, Distribution.UNIFORM): "uniform",
    (ParameterType.DOUBLE, Distribution.LOG_UNIFORM): "loguniform",
    (ParameterType.DOUBLE, Distribution.NORMAL): "normal",
    (ParameterType.DOUBLE, Distribution.LOG_NORMAL): "lognormal",
    (ParameterType.INT, Distribution.UNIFORM): "int",
    (ParameterType.INT, Distribution.LOG_UNIFORM): "logint",
}


def manifest_of(path: str | Path, *, cell: str | None = None) -> ExperimentDocument:
    """The experiment of a notebook as a manifest that needs no other file.

    The notebook that each trial executes is a part of the manifest, so that it can be read and
    compared; `hpo-lab run` of the manifest is the same experiment as that of the notebook.

    Raises:
        InvalidInput: with every problem found.
    """
    return with_notebook(prepare_notebook(path, TuneOptions(), cell=cell))


def with_notebook(prepared: Prepared) -> ExperimentDocument:
    """The experiment of *prepared* with its notebook in the trial template."""
    _, content = prepared.files[NOTEBOOK]
    template = prepared.experiment.spec.trial_template
    assert template is not None and template.trial_spec is not None
    job = template.trial_spec
    notebook = json.loads(content)
    for one in notebook["cells"]:
        # One text, which YAML shows as it is, where nbformat keeps a list of lines.
        one["source"] = _source(one)
    held = {**job, "spec": {**job["spec"], EMBEDDED: notebook}}
    changed = template.model_copy(update={"trial_spec": held})
    spec = prepared.experiment.spec.model_copy(update={"trial_template": changed})
    return prepared.experiment.model_copy(update={"spec": spec})


def notebook_of(prepared: Prepared) -> dict[str, Any]:
    """A notebook whose `%%tune` cell describes the experiment of *prepared*.

    Raises:
        InvalidInput: The manifest holds no notebook, or cannot be said in a cell.
    """
    experiment = prepared.experiment
    template = experiment.spec.trial_template
    if template is None or template.kind != (API_VERSION, "NotebookTrial") or not prepared.files:
        message = "only a NotebookTrial that holds its notebook can become one"
        raise InvalidInput([Problem("spec.trialTemplate.trialSpec", message)])
    notebook: dict[str, Any] = json.loads(prepared.files[NOTEBOOK][1])
    by_tag = {tag: one for one in notebook["cells"] for tag in one["metadata"].get("tags", ())}
    assignments = dict(_assigned(_source(by_tag[PARAMETERS_TAG])))
    lines = [_magic_line(experiment)]
    lines += [
        f"{parameter.name} = {assignments[parameter.name]}  # tune: {annotation(parameter)}"
        for parameter in experiment.spec.parameters
    ]
    names = tuple(f"# {name}: set by the trial" for name in assignments)
    body = [line for line in _source(by_tag[TUNE_TAG]).splitlines() if line.strip() not in names]
    own = {PARAMETERS_TAG, OBJECTIVE_TAG, TUNE_TAG}
    cells = [one for one in notebook["cells"] if not own & {*one["metadata"].get("tags", ())}]
    tuned = {**by_tag[TUNE_TAG], "source": "\n".join([*lines, *body]), "metadata": {}}
    return {**notebook, "cells": [*cells, tuned]}


def annotation(parameter: Parameter) -> str:
    """A parameter's space as it is written in a notebook: `loguniform(0.0001, 0.1)`."""
    space = parameter.feasible_space
    if parameter.parameter_type in (ParameterType.DISCRETE, ParameterType.CATEGORICAL):
        text = f"choice({', '.join(map(repr, parameter.choices))})"
    else:
        name = _DOMAINS.get((parameter.parameter_type, parameter.distribution))
        if name is None:
            message = f"an integer cannot be {parameter.distribution.value} in a notebook"
            raise InvalidInput([Problem(parameter.name, message)])
        step = f", step={space.step!r}" if space.step is not None else ""
        text = f"{name}({space.min!r}, {space.max!r}{step})"
    return f"{text} when {parameter.when}" if parameter.when else text


def _magic_line(experiment: ExperimentDocument) -> str:
    words = ["%%tune", *_options(experiment.spec), "--name", experiment.name]
    return shlex.join(words)


def _options(spec: ExperimentSpec) -> Iterator[str]:
    objective = spec.objective
    said = [f"{type.value} {name}" for name, type in objective.objectives]
    yield from ", ".join(said).split()
    yield from ("--algorithm", spec.algorithm.algorithm_name)
    single = {
        "--goal": objective.goal,
        "--trials": spec.max_trial_count,
        "--parallel": spec.parallel_trial_count,
        "--max-failed": spec.max_failed_trial_count,
        "--seed": spec.seed,
        "--timeout": spec.active_deadline_seconds,
        "--trial-timeout": spec.trial_active_deadline_seconds,
    }
    for flag, value in single.items():
        if value is not None:
            yield from (flag, f"{value:g}" if isinstance(value, float) else str(value))
    for setting in spec.algorithm.algorithm_settings:
        yield from ("--setting", f"{setting.name}={setting.value}")
    if (rule := spec.early_stopping) is not None:
        given = ",".join(f"{name}={value}" for name, value in rule.settings.items())
        yield from ("--early-stopping", f"{rule.algorithm_name}{':' if given else ''}{given}")
    for name in spec.warm_start:
        yield from ("--warm-start", name)
    for one in objective.constraints:
        bounds = ((one.min, ">="), (one.max, "<="))
        for bound, sign in bounds:
            if bound is not None:
                yield from ("--constraint", f"{one.name}{sign}{bound!r}")
    for name in objective.additional_metric_names:
        yield from ("--additional-metric", name)
    for strategy in objective.metric_strategies:
        yield from ("--strategy", f"{strategy.name}={strategy.value.value}")


def _source(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _assigned(source: str) -> Iterator[tuple[str, str]]:
    import ast

    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            yield statement.targets[0].id, ast.unparse(statement.value)
