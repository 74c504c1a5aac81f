"""Names that a trial is certain to read and that nothing defines.

Only what is certain counts: a name in a branch that may not run, in a function that nothing
calls, or under a handler that may catch its absence is passed over, and so is everything where
star-imports, `exec` or magics may define any name.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from hpo_lab.notebook.magic_effects import BINDING, QUIET, MagicKind, kind_of
from hpo_lab.notebook.names import names_bound, own_nodes
from hpo_lab.notebook.parsed_cell import (
    FAILS_TAG,
    ParsedCell,
    is_own_magic,
    magic_argument,
    magic_call,
)

__all__ = ["UndefinedName", "undefined_names"]

_OF_IPYTHON = frozenset(
    {"In", "Out", "display", "exit", "get_ipython", "quit"}
    | {"__annotations__", "__doc__", "__loader__", "__name__", "__package__", "__spec__"}
    | {"__class__", "__module__", "__qualname__", "__session__"}
)
_OF_HISTORY = re.compile(r"_+|_i+|_i?\d+|_[dio]h")
_DYNAMIC = frozenset({"eval", "exec", "globals", "install", "locals", "update_ns", "vars"})
_DEFINING = frozenset({"__builtins__", "__main__", "builtins", "user_ns"})
_CATCHING = frozenset({"BaseException", "Exception", "NameError"})
_SUPPRESSES = re.compile(r"suppress|raises|Raises|Output$")
_LEAVES = (ast.Break, ast.Continue, ast.Raise, ast.Return)


@dataclass(frozen=True, slots=True)
class UndefinedName:
    """A name that nothing defines.

    Attributes:
        name: The name.
        cell: The cell that reads it first, or that has the function that does.
        line: The line of the cell.
    """

    name: str
    cell: ParsedCell
    line: int


def undefined_names(
    cells: Sequence[ParsedCell], defined: Collection[str] = ()
) -> list[UndefinedName]:
    """The names that *cells*, run in this order, are certain to read and that nothing defines.

    Args:
        cells: The cells.
        defined: Names that are there before the first of them runs.
    """
    if any(_may_define_anything(cell) for cell in cells):
        return []
    names = {*defined, *dir(builtins), *_OF_IPYTHON}
    bound = [_bound(cell) for cell in cells]
    functions = _functions(cells)
    everything = names.union(*bound)
    undefined: dict[str, UndefinedName] = {}
    for cell, own in zip(cells, bound, strict=True):
        names |= own
        if FAILS_TAG in cell.tags or cell.kind is not MagicKind.CODE:
            continue
        if isinstance(cell.tree, SyntaxError):
            continue
        for each in _Walk(cell, names, everything, functions).body(cell.tree.body):
            if not _OF_HISTORY.fullmatch(each.name):
                undefined.setdefault(each.name, each)
    return list(undefined.values())


def _bound(cell: ParsedCell) -> set[str]:
    """The names that *cell* may define, also by `global` in its functions."""
    names = {*cell.magic_names}
    if cell.kind is not MagicKind.CODE or isinstance(cell.tree, SyntaxError):
        return names
    names.update(names_bound(cell.tree.body))
    for node in ast.walk(cell.tree):
        if isinstance(node, ast.Global):
            names.update(node.names)
        elif isinstance(node, ast.Call) and (magic := magic_call(node)) is not None:
            text = magic_argument(magic[1])
            if kind_of(magic[0]) is MagicKind.CODE and not isinstance(text.tree, SyntaxError):
                names.update(names_bound(text.tree.body))
    return names


def _may_define_anything(cell: ParsedCell) -> bool:
    if any(magic.kind is MagicKind.OTHER and magic.name not in QUIET for magic in cell.magics):
        return True
    if cell.kind is not MagicKind.CODE:
        return False
    if isinstance(cell.tree, SyntaxError):
        return True
    for node in ast.walk(cell.tree):
        match node:
            case ast.ImportFrom(names=[ast.alias(name="*")]):
                return True
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in _DEFINING:
                return True
            case ast.alias(name=name) if name in _DEFINING:
                return True
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _DYNAMIC:
                return True
            case ast.Call() if (magic := magic_call(node)) is not None:
                name, text = magic
                is_known = kind_of(name) is not MagicKind.OTHER or name in QUIET
                loads = name in ("load_ext", "reload_ext") and text.split()[:1] == ["autoreload"]
                if name in BINDING or not (is_known or loads or is_own_magic(name, text)):
                    return True
    return False


def _functions(cells: Iterable[ParsedCell]) -> dict[str, tuple[ParsedCell, ast.FunctionDef]]:
    """The functions that are the only thing with their name, and the cells that define them."""
    functions: dict[str, tuple[ParsedCell, ast.FunctionDef]] = {}
    times: dict[str, int] = {}
    for cell in cells:
        if isinstance(cell.tree, SyntaxError):
            continue
        for node in cell.tree.body:
            for name in names_bound([node]):
                times[name] = times.get(name, 0) + 1
            if isinstance(node, ast.FunctionDef):
                functions[node.name] = cell, node
    return {name: each for name, each in functions.items() if times[name] == 1}


class _Walk:
    """A walk along the code of a cell that is certain to run."""

    def __init__(
        self,
        cell: ParsedCell,
        names: Collection[str],
        everything: Collection[str],
        functions: dict[str, tuple[ParsedCell, ast.FunctionDef]],
    ) -> None:
        """Begin.

        Args:
            cell: The cell.
            names: What is defined when it runs.
            everything: What any cell defines, which its functions may read when they are called.
            functions: Functions by name, with their cells; those that were followed are taken out.
        """
        self._cell = cell
        self._names = names
        self._everything = everything
        self._functions = functions

    def body(
        self, body: Sequence[ast.stmt], local: Collection[str] = ()
    ) -> Iterator[UndefinedName]:
        """Follow statements, until one may leave them.

        Args:
            body: The statements.
            local: The names of the scopes around them, but for the notebook's.
        """
        for node in body:
            yield from self._follow([node], local)
            if any(isinstance(each, _LEAVES) for each in own_nodes([node])):
                return

    def _follow(
        self, nodes: Iterable[ast.AST | None], local: Collection[str]
    ) -> Iterator[UndefinedName]:
        for node in nodes:
            match node:
                case None | ast.TryStar() | ast.Lambda() | ast.Assert() | ast.Delete():
                    continue
                case ast.Name(id=name, ctx=ast.Load()):
                    if name not in local and name not in self._names:
                        yield UndefinedName(name, self._cell, node.lineno)
                case ast.If(test=first) | ast.IfExp(test=first) | ast.While(test=first):
                    yield from self._follow([first], local)
                case ast.Match(subject=first) | ast.BoolOp(values=[first, *_]):
                    yield from self._follow([first], local)
                case ast.Compare(left=first, comparators=[second, *_]):
                    yield from self._follow([first, second], local)
                case ast.For(iter=items, target=target, body=body):
                    yield from self._follow([items, target], local)
                    yield from self.body(body, local)
                case ast.AsyncFor(iter=first):
                    yield from self._follow([first], local)
                case ast.Try(body=body, handlers=handlers, finalbody=last):
                    if not any(_catches(handler) for handler in handlers):
                        yield from self.body(body, local)
                    yield from self.body(last, local)
                case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                    yield from self._follow(items, local)
                    if not any(_may_catch(item.context_expr) for item in items):
                        yield from self.body(body, local)
                case ast.FunctionDef(args=args) | ast.AsyncFunctionDef(args=args):
                    parts = [*node.decorator_list, *args.defaults, *args.kw_defaults]
                    yield from self._follow(parts, local)
                case ast.ClassDef(bases=bases, body=body):
                    yield from self._follow([*node.decorator_list, *bases], local)
                    yield from self.body(body, {*local, *names_bound(body)})
                case ast.AnnAssign(value=value, target=target):
                    yield from self._follow([value, target], local)
                case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                    yield from self._follow([node.generators[0].iter], local)
                case ast.Call() if (magic := magic_call(node)) is not None:
                    tree = magic_argument(magic[1]).tree
                    if kind_of(magic[0]) is MagicKind.CODE and isinstance(tree, ast.Module):
                        for each in self.body(tree.body, local):
                            yield replace(each, line=node.lineno)
                case ast.Call(func=ast.Name(id=name)) if name not in local:
                    yield from self._follow(ast.iter_child_nodes(node), local)
                    yield from self._call(name)
                case _:
                    yield from self._follow(ast.iter_child_nodes(node), local)

    def _call(self, name: str) -> Iterator[UndefinedName]:
        """Follow a function of the notebook, once."""
        cell, function = self._functions.pop(name, (None, None))
        if cell is None or function is None or function.decorator_list:
            return
        if any(isinstance(each, ast.Yield | ast.YieldFrom) for each in own_nodes(function.body)):
            return
        local = {*names_bound(function.body)}
        local |= {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
        yield from _Walk(cell, self._everything, self._everything, self._functions).body(
            function.body, local
        )


def _catches(handler: ast.ExceptHandler) -> bool:
    """Whether *handler* catches the error of a name that is not defined."""
    if handler.type is None:
        return True
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    # What else it names may be a tuple of classes.
    return bool(names & _CATCHING) or any(not hasattr(builtins, name) for name in names)


def _may_catch(manager: ast.expr) -> bool:
    """Whether a context manager may pass over what is raised inside: only a call shows its kind."""
    return not isinstance(manager, ast.Call) or bool(_SUPPRESSES.search(ast.unparse(manager.func)))
