"""Between a notebook with a `%%tune` cell and a manifest that holds it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hpo_lab.experiment.model import (
    API_VERSION,
    ExperimentDocument,
    TrialTemplate,
)
from hpo_lab.notebook.annotation_text import annotation, read_parameter
from hpo_lab.notebook.trial_notebook import Assignment, TrialNotebook
from hpo_lab.options import TuneOptions, options_of, write_line
from hpo_lab.prepare.manifest import EMBEDDED
from hpo_lab.prepare.notebook import prepare_notebook
from hpo_lab.prepare.prepared import Prepared
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.trial.folder import NOTEBOOK

__all__ = ["manifest_of", "notebook_of", "with_notebook"]

_OUT_OF_USE = re.compile(r"^( *)pass  # ([%!].*)$", re.MULTILINE)
"""A line of a trial notebook that a `ParsedCell` has put out of use."""


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
    # Each source is one text, which YAML shows as it is, where nbformat keeps a list of lines.
    notebook = TrialNotebook.read(content).document
    held = {**job, "spec": {**job["spec"], EMBEDDED: notebook}}
    changed = template.model_copy(update={"trial_spec": held})
    spec = prepared.experiment.spec.model_copy(update={"trial_template": changed})
    return prepared.experiment.model_copy(update={"spec": spec})


def notebook_of(prepared: Prepared) -> tuple[dict[str, Any], list[Problem]]:
    """A notebook whose `%%tune` cell describes the experiment of *prepared*.

    Returns:
        The notebook, and a warning for each field that a cell cannot say.

    Raises:
        InvalidInput: The manifest holds no notebook, or a value that cannot stand in a cell.
    """
    experiment = prepared.experiment
    template = experiment.spec.trial_template
    if template is None or template.kind != (API_VERSION, "NotebookTrial") or not prepared.files:
        message = "only a NotebookTrial that holds its notebook can become one"
        raise InvalidInput([Problem("spec.trialTemplate.trialSpec", message)])
    notebook = TrialNotebook.read(prepared.files[NOTEBOOK][1])
    options, problems = options_of(experiment)
    # The notebook's metadata say it.
    options = replace(options, kernel=None)
    lines, wrong = _assignments(experiment, notebook.assignments)
    line = ""
    try:
        line = write_line(options)
    except InvalidInput as error:
        problems += error.problems
    if not notebook.tuned["source"]:
        wrong.append(Problem(f"spec.trialTemplate.trialSpec.spec.{EMBEDDED}", "has no cell tune"))
    if problems := [*wrong, *problems]:
        raise InvalidInput(problems)
    source = f"%%tune {line}\n{notebook.tuned_source(lines)}"
    tuned = {**notebook.tuned, "source": source, "metadata": {}}
    # What a trial has no use for, such as the line that loads the magics, works again.
    set_up = notebook.set_up
    cells = [{**cell, "source": _OUT_OF_USE.sub(r"\1\2", cell["source"])} for cell in set_up]
    return {**notebook.document, "cells": [*cells, tuned]}, list(_unsaid(experiment, options))


def _assignments(
    experiment: ExperimentDocument, assignments: Mapping[str, Assignment]
) -> tuple[dict[str, list[str]], list[Problem]]:
    """The lines that assign the parameters, by name, and what cannot be written."""
    lines, problems = {}, []
    for index, parameter in enumerate(experiment.spec.parameters):
        name = parameter.name
        if name not in assignments:
            message = f"the notebook assigns no {name}"
            problems.append(Problem(f"spec.parameters[{index}].name", message))
            continue
        text = assignments[name].annotation
        if read_parameter(name, text) != parameter:
            text = annotation(parameter)
        lines[name] = [f"{name} = {ast.unparse(assignments[name].value)}  # tune: {text}"]
    return lines, problems


def _unsaid(experiment: ExperimentDocument, options: TuneOptions) -> Iterator[Problem]:
    """The fields of *experiment* that a cell with these *options* says in another way."""
    spec = experiment.spec
    template = spec.trial_template or TrialTemplate()
    said = options.experiment(experiment.name, spec.parameters, template)
    # The defaults of the cell are its first trial.
    here, there = (
        each.model_copy(update={"initial_points": ()}).to_document() for each in (spec, said.spec)
    )
    for name in dict.fromkeys([*here, *there]):
        if here.get(name) != there.get(name):
            yield Problem(f"spec.{name}", "is dropped; a cell cannot say it")
