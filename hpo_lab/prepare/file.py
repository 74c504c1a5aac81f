"""From a file, a notebook or a manifest, to an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hpo_lab.options import TuneOptions
from hpo_lab.prepare.kernels import with_kernel_here
from hpo_lab.prepare.local import local_problems
from hpo_lab.prepare.manifest import prepare_manifest
from hpo_lab.prepare.notebook import prepare_notebook
from hpo_lab.prepare.overriding import overridden
from hpo_lab.prepare.prepared import PreparedCell, PreparedManifest
from hpo_lab.prepare.wording import Dialect
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["SCRIPT", "is_file_name", "prepare_file"]

SCRIPT = ".py"
_NOTEBOOK = ".ipynb"
_MANIFESTS = (".yaml", ".yml", ".json")


def is_file_name(text: str) -> bool:
    """Whether *text* is the path of what makes experiments, which no experiment is called."""
    return Path(text).suffix in (_NOTEBOOK, SCRIPT, *_MANIFESTS)


def prepare_file(
    path: Path,
    options: TuneOptions,
    cell: str | None,
    problems: Sequence[Problem] = (),
    *,
    dialect: Dialect = Dialect.LINE,
    template: str | None = None,
    runtime: str | None = None,
    paths: Sequence[str] = (),
    beside: Sequence[str] = (),
) -> PreparedCell | PreparedManifest:
    """The checked experiment of a notebook or a manifest.

    Args:
        path: The file.
        options: They win over the cell's own line, and over what a manifest says.
        cell: Which `%%tune` cell of a notebook with several.
        problems: The problems of the options.
        dialect: How an option is written, for messages.
        template: For a manifest, as are the following; see `prepare_manifest`, `runs_here`.
        runtime: In which containers run.
        paths: Folders by path in the containers.
        beside: Files with ConfigMaps and Secrets.

    Raises:
        InvalidInput: with *problems* and every other problem.
    """
    problems = list(problems)
    try:
        # Nobody is waited for who may write into a pipe.
        if path.exists() and not path.is_file() and not path.is_dir():
            raise InvalidInput([Problem(str(path), "is no plain file")])
        if path.suffix == _NOTEBOOK:
            flags = {
                "--template": template,
                "--runtime": runtime,
                "--map": paths,
                "--with": beside,
            }
            problems += [
                Problem(flag, "is for manifests") for flag, value in flags.items() if value
            ]
            prepared: PreparedCell | PreparedManifest = prepare_notebook(
                path, options, cell=cell, dialect=dialect
            )
        elif path.suffix in _MANIFESTS:
            if cell is not None:
                flag = "--cell" if dialect is Dialect.LINE else "cell"
                problems.append(Problem(flag, "is for notebooks; a manifest has no cells"))
            problems += local_problems(runtime, paths)
            manifest = prepare_manifest(path, template=template, beside=beside)
            manifest = overridden(manifest, options, dialect)
            experiment, notices = with_kernel_here(
                manifest.experiment, options.kernel, path.name, dialect
            )
            warnings = (*manifest.warnings, *notices)
            prepared = replace(manifest, experiment=experiment, warnings=warnings)
        else:
            message = f"is no notebook ({_NOTEBOOK}) and no manifest ({', '.join(_MANIFESTS)})"
            if path.suffix == SCRIPT:
                message = f"is a script; `python {path}` runs it, and hpo_lab.tune in it"
            raise InvalidInput([Problem(str(path), message)])
    except InvalidInput as error:
        problems += [_in_dialect(each, dialect) for each in error.problems]
        raise InvalidInput(problems, error.source) from None
    if problems:
        raise InvalidInput(problems)
    if dialect is Dialect.LINE:
        return prepared
    # A manifest that says it all is written as before, whoever reads it.
    says_all = prepared.wording.dialect is Dialect.FIELD
    own = Dialect.FIELD if says_all else dialect
    wording = replace(prepared.wording, dialect=own, fresh="fresh=True")
    return replace(prepared, wording=wording)


def _in_dialect(problem: Problem, dialect: Dialect) -> Problem:
    """*problem* of the choice of a cell, in the words of who made it."""
    is_argument = problem.where == "--cell" and dialect is Dialect.ARGUMENT
    return replace(problem, where="cell") if is_argument else problem
