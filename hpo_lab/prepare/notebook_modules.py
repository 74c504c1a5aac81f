"""The modules of a person's project that the cells of a trial import or run."""

from __future__ import annotations

import ast
import importlib
import json
import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from hpo_lab.notebook.parsed_cell import ParsedCell, magic_argument, magic_call
from hpo_lab.notebook.source_meaning import READ, names_that_read
from hpo_lab.prepare.project_modules import (
    imports_in,
    imports_of,
    module_parts,
    names_in,
    project_file,
)
from hpo_lab.prepare.value_text import digest

__all__ = ["modules_used"]


def modules_used(cells: Iterable[ParsedCell], folder: Path) -> dict[str, str]:
    """The parts of the project's modules that *cells* import, and of the files that they `%run`.

    Args:
        cells: The cells of a trial.
        folder: Where they run.

    Returns:
        The parts by name, as of a function; each begins with the path of its file, from *folder*
        where it is below that.
    """
    importlib.invalidate_caches()  # Files may have been written a moment ago.
    trees = [tree for cell in cells for tree in _trees(cell)]
    path = [str(folder), *_added_to_path(trees, folder), *filter(None, sys.path)]
    files: dict[Path, str] = {}
    """The name of each module by its file, empty for a file that is run."""
    pending = []
    for tree in trees:
        pending += list(imports_in(tree))
        for file in _run_by(tree, folder):
            files.setdefault(file, "")
            pending += imports_of("", file)
    seen: set[str] = set()
    while pending:
        name = pending.pop()
        if not name or name in seen:
            continue
        seen.add(name)
        if (module := project_file(name, path)) is not None:
            files.setdefault(module, name)
            pending += [name.rpartition(".")[0], *imports_of(name, module)]
    names, definitions = names_that_read(*trees), set[str]()
    for file in files:
        used, defined = names_in(file)
        names |= used
        definitions |= defined
    read = names & (READ | definitions)
    parts: dict[str, str] = {}
    for file in sorted(files):
        title = os.path.relpath(file, folder) if file.is_relative_to(folder) else str(file)
        if file.suffix == ".ipynb":
            parts[f"module {title}"] = _notebook_text(file)
        else:
            parts |= module_parts(title, file, read, is_run=not files[file])
    return parts


def _trees(cell: ParsedCell) -> Iterator[ast.AST]:
    """The tree of *cell*, and those of what its line magics run as Python."""
    if not isinstance(cell.tree, ast.Module):
        return
    yield cell.tree
    for node in ast.walk(cell.tree):
        if isinstance(node, ast.Call) and (magic := magic_call(node)) and magic[0] == "time":
            yield from _trees(magic_argument(magic[1]))


def _run_by(tree: ast.AST, folder: Path) -> Iterator[Path]:
    """The files that `%run` names."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or (magic := magic_call(node)) is None:
            continue
        if magic[0] != "run":
            continue
        try:
            words = shlex.split(magic[1])
        except ValueError:
            continue
        name = next((word for word in words if not word.startswith("-")), "")
        # IPython runs `prep.py` for `%run prep`.
        for file in (folder / name, folder / f"{name}.py"):
            if name and file.is_file():
                yield file
                break


def _added_to_path(trees: Iterable[ast.AST], folder: Path) -> Iterator[str]:
    """The folders that the cells add to `sys.path` by their names."""
    for tree in trees:
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Attribute(value=ast.Name(id="sys"), attr="path"),
                        attr="append" | "insert",
                    ),
                    args=[*_, ast.Constant(value=str(name))],
                ):
                    yield os.path.normpath(folder / name)


def _notebook_text(file: Path) -> str:
    try:
        cells = json.loads(file.read_bytes())["cells"]
        sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    except (KeyError, TypeError, ValueError):
        return digest(file.read_bytes())
    return digest(json.dumps(sources).encode())
