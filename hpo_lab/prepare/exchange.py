"""Between a notebook with a `%%tune` cell and a manifest that holds it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hpo_lab.experiment.model import (
    API_VERSION,
    ExperimentDocument,
    TrialTemplate,
)
from hpo_lab.notebook.annotation_text import ANNOTATION, annotation, read_parameter
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.trial_notebook import (
    OBJECTIVE_TAG,
    PARAMETERS_TAG,
    TUNE_TAG,
    set_by_trial,
)
from hpo_lab.options import TuneOptions, options_of, write_line
from hpo_lab.prepare.manifest import EMBEDDED
from hpo_lab.prepare.notebook import prepare_notebook
from hpo_lab.prepare.prepared import Prepared
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.trial.folder import NOTEBOOK

__all__ = ["manifest_of", "notebook_of", "with_notebook", "written_spaces"]

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
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        # One text, which YAML shows as it is, where nbformat keeps a list of lines.
        cell["source"] = _source(cell)
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
    notebook: dict[str, Any] = json.loads(prepared.files[NOTEBOOK][1])
    by_tag = {tag: cell for cell in notebook["cells"] for tag in cell["metadata"].get("tags", ())}
    options, problems = options_of(experiment)
    lines, wrong = _assignments(experiment, _source(by_tag[PARAMETERS_TAG]))
    line = ""
    try:
        line = write_line(options)
    except InvalidInput as error:
        problems += error.problems
    if problems := [*wrong, *problems]:
        raise InvalidInput(problems)
    marks = {set_by_trial(name): name for name in lines}
    body = _source(by_tag[TUNE_TAG]).split("\n")
    # Each assignment goes back to its place; an assignment without a place comes first.
    body = [lines.pop(marks.get(line.strip(), ""), line) for line in body]
    source = "\n".join([f"%%tune {line}", *lines.values(), *body])
    own = {PARAMETERS_TAG, OBJECTIVE_TAG, TUNE_TAG}
    cells = [cell for cell in notebook["cells"] if not own & {*cell["metadata"].get("tags", ())}]
    tuned = {**by_tag[TUNE_TAG], "source": source, "metadata": {}}
    # What a trial has no use for, such as the line that loads the magics, works again.
    cells = [{**cell, "source": _OUT_OF_USE.sub(r"\1\2", _source(cell))} for cell in cells]
    return {**notebook, "cells": [*cells, tuned]}, list(_unsaid(experiment, options))


def _assignments(
    experiment: ExperimentDocument, source: str
) -> tuple[dict[str, str], list[Problem]]:
    """The lines that assign the parameters, by name, and what cannot be written."""
    lines, annotations = {}, {}
    for name, value, text in _assigned(source):
        lines[name], annotations[name] = f"{name} = {value}", text
    problems = []
    for index, parameter in enumerate(experiment.spec.parameters):
        name = parameter.name
        if name not in lines:
            message = f"the notebook assigns no {name}"
            problems.append(Problem(f"spec.parameters[{index}].name", message))
        elif read_parameter(name, annotations[name]) == parameter:
            lines[name] += f"  # tune: {annotations[name]}"
        else:
            lines[name] += f"  # tune: {annotation(parameter)}"
    return lines, problems


def written_spaces(notebook: bytes) -> dict[str, str]:
    """The space of each parameter of a trial notebook, as its author wrote it, by name."""
    cells = json.loads(notebook)["cells"]
    sources = [_source(c) for c in cells if PARAMETERS_TAG in c["metadata"].get("tags", ())]
    assigned = [each for source in sources for each in _assigned(source)]
    return {name: comment.removeprefix("# tune: ") for name, _, comment in assigned}


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


def _source(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _assigned(source: str) -> Iterator[tuple[str, str, str]]:
    """The variables that *source* assigns, each with its value and its annotation."""
    cell = ParsedCell(source)
    comments = {comment.start[0]: comment.string for comment in cell.comments}
    for statement in ast.parse(source).body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
                behind = [comments[line] for line in lines if line in comments]
                texts = [match[1].strip() for match in map(ANNOTATION.fullmatch, behind) if match]
                yield name, ast.unparse(value), texts[0] if texts else ""
