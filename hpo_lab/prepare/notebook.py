"""From an annotated cell to an experiment whose trials are notebooks."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hpo_lab.notebook.annotations import parse_annotations
from hpo_lab.notebook.document import cell_ids, choose_tune_cell, read_notebook, tune_cells
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.slicing import Decision, names_read, slice_cells
from hpo_lab.notebook.trial_notebook import (
    TUNE_TAG,
    build_trial_notebook,
    code_of_trial,
    objective_problems,
)
from hpo_lab.options import TuneOptions, parse_line
from hpo_lab.prepare.checking import every_problem
from hpo_lab.prepare.kernels import OWN_KERNEL, kernel_here, starts_otherwise
from hpo_lab.prepare.missing_names import missing_names, profile_may_define_names
from hpo_lab.prepare.notebook_modules import modules_used
from hpo_lab.prepare.prepared import PreparedCell, default_names, trial_template
from hpo_lab.prepare.wording import Dialect, Wording, worded
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.trial.fingerprint import source_of_fingerprint
from hpo_lab.trial.folder import NOTEBOOK

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from hpo_lab.execution.slice_check import Halves

__all__ = ["prepare_cell", "prepare_notebook"]

_APPLIES_BEST = re.compile(r"^[ \t]*%hpo[ \t]+best\b.*--(?:apply|run)\b.*$", re.MULTILINE)


def prepare_notebook(
    path: str | Path,
    options: TuneOptions,
    *,
    cell: str | None = None,
    dialect: Dialect = Dialect.LINE,
) -> PreparedCell:
    """Make an experiment of the `%%tune` cell of a notebook file.

    Args:
        path: The notebook.
        options: Options from elsewhere; they win over the cell's own line.
        cell: Which `%%tune` cell where there are several: its number or id.
        dialect: How an option is written, for messages.

    Raises:
        InvalidInput: with every problem.
    """
    path = Path(path)
    notebook = read_notebook(path)
    chosen = choose_tune_cell(tune_cells(notebook), cell)
    where = f"{path.name}, {chosen.label}"
    written, alongside, problems = parse_line(
        chosen.magic_line,
        where=f"{where}, line {chosen.magic_lineno}",
        needs_objective=options.metric is None,
    )
    prepared = prepare_cell(
        chosen.source,
        chosen.earlier,
        options.over(written),
        where=where,
        first_line=chosen.magic_lineno + 1,
        name=path.stem,
        file=path.name,
        cell=chosen.id,
        working_directory=path.resolve().parent,
        kernel_name=notebook.metadata.get("kernelspec", {}).get("name", OWN_KERNEL),
        dialect=dialect,
        later=chosen.later,
        problems=problems,
    )
    return replace(
        prepared,
        fresh="--fresh" in alongside,
        is_dry="--dry-run" in alongside,
        cells=cell_ids(notebook),
        store=alongside.get("--store"),
        warnings=(*prepared.warnings, *_not_applied(prepared.decisions, path.name)),
    )


def _not_applied(decisions: Sequence[Decision], file: str) -> list[Problem]:
    """A notice for each cell that applies the best of a tuned cell which the trials run."""
    notices, tuned = [], ""
    for decision in decisions:
        cell = decision.cell
        if cell.runs_tuned:
            tuned = cell.label if decision.kept else ""
        elif tuned and (line := _APPLIES_BEST.search(cell.source)):
            message = (
                f"`{line[0].strip()}` is not run in trials of a file, which run {tuned} with the "
                f"values that are written in it; hpo-lab best NAME --write {file} writes the best"
            )
            notices.append(Problem(f"{file}, {cell.label}", message))
    return notices


def prepare_cell(
    tuned: str,
    earlier: Sequence[ParsedCell],
    options: TuneOptions,
    *,
    where: str,
    name: str,
    working_directory: Path,
    file: str = "",
    cell: str = "",
    first_line: int = 2,
    kernel_name: str = OWN_KERNEL,
    dialect: Dialect = Dialect.LINE,
    types: Mapping[str, str] | None = None,
    provided: Collection[str] | None = None,
    later: Sequence[ParsedCell] = (),
    problems: Sequence[Problem] = (),
) -> PreparedCell:
    """Make an experiment of an annotated cell and the cells that came before it.

    Args:
        tuned: Source of the cell, without its `%%tune` line.
        earlier: The cells before it, in the order of execution.
        options: What to optimise and how much.
        where: What problems call the cell.
        name: What the experiment is named after, unless the options name it.
        working_directory: Where the trials run; the experiment's project.
        file: Name of the notebook.
        cell: Id of the cell.
        first_line: Line number of the first line of *tuned* within its cell.
        kernel_name: Jupyter kernel of the notebook; that of the options wins over it.
        dialect: How an option is written, for messages.
        types: Qualified names of the types of the names' values, where a kernel tells them.
        provided: Names that a kernel has before its first cell; None where no kernel tells them.
        later: The cells below the tuned cell.
        problems: The problems of the options.

    Raises:
        InvalidInput: with *problems* and every other problem.
    """
    problems = list(problems)
    notices: tuple[Problem, ...] = ()
    try:
        kernel_name, notices = kernel_here(kernel_name, options.kernel, file or where, dialect)
    except InvalidInput as error:
        problems += error.problems
    tuned_cell = ParsedCell(tuned, label=where)
    try:
        annotations = parse_annotations(tuned_cell, where=where, first_line=first_line)
    except InvalidInput as error:
        raise InvalidInput([*problems, *error.problems]) from None
    if not annotations:
        problems.append(
            Problem(
                where,
                "no annotated parameter; write one as: lr = 0.01  # tune: loguniform(1e-4, 1e-1)",
            )
        )
    if problems:
        raise InvalidInput(problems)
    decisions = slice_cells(earlier, tuned_cell, types)
    kept = [cell for cell, decision in zip(earlier, decisions, strict=True) if decision.kept]
    if provided is not None or not profile_may_define_names():
        missing = missing_names(
            tuned_cell,
            kept,
            decisions,
            first_line=first_line,
            place=f"{file}, " if file and where.startswith(file) else "",
            defined=[*(provided or ()), *(annotation.name for annotation in annotations)],
            later=later,
            in_kernel=types,
        )
        if missing and provided is None and (why := starts_otherwise(kernel_name)):
            notices += tuple(replace(each, message=f"{each.message}; {why}") for each in missing)
        else:
            problems += missing
    parameters = [annotation.parameter for annotation in annotations]
    code = code_of_trial(tuned_cell, annotations, kept, first_line=first_line)
    uses = modules_used(code.cells, working_directory)
    template = trial_template(
        "NotebookTrial",
        {
            "source": code.digest,
            "kernelName": kernel_name,
            "workingDirectory": str(working_directory),
            **({"uses": uses} if uses else {}),
        },
    )
    experiment = options.experiment(default_names(name)[0], parameters, template)
    spec = experiment.spec
    if spec.algorithm.algorithm_name != "grid":
        # The cell as it stands is the first trial, so the best is never worse than it.
        defaults = {annotation.name: annotation.default for annotation in annotations}
        spec = spec.model_copy(update={"initial_points": (defaults,)})
        experiment = experiment.model_copy(update={"spec": spec})
    objective = spec.objective
    problems += objective_problems(tuned_cell, kept, objective, where=where)
    lines = [f"{where}, line {annotation.line}" for annotation in annotations]
    problems += [
        worded(problem, Dialect.LINE, lines, where) for problem in every_problem(experiment)
    ]
    if problems:
        raise InvalidInput(problems)
    kernel = {"name": kernel_name, "display_name": kernel_name, "language": "python"}
    wording = Wording(
        Dialect.LINE,
        whole=where,
        places={each.name: f"{where}, line {each.line}" for each in annotations},
        spaces={each.name: each.text for each in annotations},
    )
    named = replace(tuned_cell, label=where.removeprefix(f"{file}, "))
    further = f"{name}-{objective.objective_metric_name}"

    def build(cells: Sequence[ParsedCell]) -> NotebookNode:
        return build_trial_notebook(
            named,
            annotations,
            cells,
            objective,
            first_line=first_line,
            metadata={"kernelspec": kernel},
        )

    def halves() -> Halves:
        from hpo_lab.execution.slice_check import Halves

        # What an earlier tuned cell of a session did was done in its trials.
        ran = [
            cell
            for cell in earlier
            if not isinstance(cell.tree, SyntaxError)
            and (cell.tune_magic is None or cell.runs_tuned)
        ]
        fingerprint = source_of_fingerprint(names_read(earlier, tuned_cell))
        whole, sliced = (_before_tuned(build(cells), fingerprint) for cells in (ran, kept))
        return Halves(whole, sliced, str(working_directory))

    return PreparedCell(
        experiment,
        {NOTEBOOK: ("application/x-ipynb+json", _dump(build(kept)))},
        decisions=decisions,
        code=code,
        warnings=notices,
        project=os.path.realpath(working_directory),
        names=default_names(name, further) if options.name is None else (),
        file=file,
        cell=cell,
        wording=wording,
        halves=halves,
    )


def _dump(notebook: object) -> bytes:
    import nbformat

    text: str = nbformat.writes(notebook)
    return text.encode()


def _before_tuned(notebook: NotebookNode, source: str) -> NotebookNode:
    """*notebook* with a cell of *source* before the tuned cell."""
    from nbformat.v4 import new_code_cell

    tags = [cell.metadata.get("tags", ()) for cell in notebook.cells]
    at = next(index for index, of_cell in enumerate(tags) if TUNE_TAG in of_cell)
    notebook.cells.insert(at, new_code_cell(source))
    return notebook
