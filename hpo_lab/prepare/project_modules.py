"""The modules of a person's project: those that are neither installed nor of Python itself."""

from __future__ import annotations

import ast
import contextlib
import site
import sys
import sysconfig
from collections.abc import Iterator, Sequence, Set
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import resolve_name
from pathlib import Path

from hpo_lab.experiment.function_parts import ORDER
from hpo_lab.notebook.source_meaning import meaning, names_that_read
from hpo_lab.prepare.value_text import digest, shortened

__all__ = ["imports_in", "imports_of", "module_parts", "names_in", "project_file"]

_PACKAGES = {"site-packages", "dist-packages"}
_PYTHON = {Path(sysconfig.get_paths()[name]) for name in ("stdlib", "platstdlib")}
_MAIN = ast.unparse(ast.parse("__name__ == '__main__'"))


def project_file(name: str, path: Sequence[str] = ()) -> Path | None:
    """The file of the module *name* of the project; None for any other, and where it has none.

    Args:
        name: The module.
        path: The folders in which it is looked for first.
    """
    if name.partition(".")[0] in (*sys.builtin_module_names, "hpo_lab", "__main__", "__mp_main__"):
        return None
    spec = _spec(name, path)
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    file = Path(spec.origin).absolute()
    installed = _PACKAGES & {*file.parts} or any(map(file.is_relative_to, _PYTHON))
    user = site.getusersitepackages() if site.ENABLE_USER_SITE else None
    if installed or (user and file.is_relative_to(user)) or not file.is_file():
        return None
    return file


def _spec(name: str, folders: Sequence[str] = ()) -> ModuleSpec | None:
    """How the module *name* is found, which is not imported for that, nor are its parents."""
    parent = name.rpartition(".")[0]
    if folders and not parent and (spec := PathFinder.find_spec(name, folders)) is not None:
        return spec
    module = None if folders else sys.modules.get(name)
    if module is not None and isinstance(spec := getattr(module, "__spec__", None), ModuleSpec):
        return spec
    path: Sequence[str] | None = None
    if parent:
        package = _spec(parent, folders)
        path = package.submodule_search_locations if package else None
        if path is None:
            return None
    for finder in sys.meta_path:
        with contextlib.suppress(Exception):
            spec = finder.find_spec(name, path)
            if spec is not None:
                return spec
    return None


def module_parts(
    name: str, file: Path, read: Set[str] = frozenset(), *, is_run: bool = False
) -> dict[str, str]:
    """The meaning of each definition of the module *name*, and of the rest of it.

    A variable that is assigned once, at the top, counts as a definition. A part of its own is
    the meaning of all statements in their order. What is *read* stays, as `meaning` says. A file
    that *is_run* is no module, and runs as a script.
    """
    tree = _tree(file)
    if tree is None:
        return {f"module {name}": digest(file.read_bytes())}
    parts: dict[str, list[ast.AST]] = {}
    order: list[ast.AST] = []
    for statement in tree.body if is_run else _without_main(tree.body):
        if not meaning(statement, read=read):
            continue
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                key = f"{name}.{statement.name}()"
            case ast.ClassDef():
                key = f"{name}.{statement.name}"
            case ast.Assign(targets=[ast.Name(variable)]):
                key = f"{name}.{variable}"
            case _:
                key = f"module {name}"
        parts.setdefault(key, []).append(statement)
        order.append(statement)
    texts = {key: _text(statements, read) for key, statements in parts.items()}
    if len(texts) > 1:
        texts[f"{ORDER}module {name}"] = digest(
            meaning(*order, read=read).encode("utf-8", "surrogatepass")
        )
    return texts


def _text(statements: list[ast.AST], read: Set[str]) -> str:
    match statements:
        case [ast.Assign(value=value)]:
            return shortened(meaning(value, read=read))
        case _:
            return digest(meaning(*statements, read=read).encode("utf-8", "surrogatepass"))


def _without_main(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """*body* without what runs only in a script."""
    for statement in body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == _MAIN:
            yield from statement.orelse
        else:
            yield statement


def imports_of(name: str, file: Path) -> Iterator[str]:
    """The modules, and what may be modules, that the module *name* imports anywhere."""
    tree = _tree(file)
    package = name if file.stem == "__init__" else name.rpartition(".")[0]
    return imports_in(tree, package) if tree else iter(())


def imports_in(tree: ast.AST, package: str = "") -> Iterator[str]:
    """The modules, and what may be modules, that *tree* of a module of *package* imports."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom():
                base = node.module or ""
                if node.level:
                    with contextlib.suppress(ImportError):
                        base = resolve_name("." * node.level + base, package)
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)


def names_in(file: Path) -> tuple[set[str], set[str]]:
    """The names by which *file* may read code, and those of its functions and classes."""
    tree = _tree(file)
    if tree is None:
        return set(), set()
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return names_that_read(tree), {n.name for n in ast.walk(tree) if isinstance(n, kinds)}


def _tree(file: Path) -> ast.Module | None:
    if file.suffix != ".py":
        return None
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return None
