"""Which names a piece of code binds, read off its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterable

__all__ = ["Comprehension", "captured", "is_store", "names_bound", "own_nodes", "stored"]

Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def names_bound(body: Iterable[ast.stmt]) -> list[str]:
    """The names that *body* may bind in its own scope, in order; not those of functions."""
    names: dict[str, None] = {}
    for node in own_nodes(body):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names.setdefault(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.setdefault(name)
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                names.setdefault(name)
            case ast.alias(name=name, asname=asname) if name != "*":
                names.setdefault(asname or name.partition(".")[0])
            case _:
                for name in captured(node):
                    names.setdefault(name)
    return list(names)


def own_nodes(body: Iterable[ast.AST]) -> Iterable[ast.AST]:
    """The nodes of *body* but for those in the scopes of functions and classes inside."""
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, Comprehension):
            inner: Iterable[ast.AST] = (
                part for part in ast.walk(node) if isinstance(part, ast.NamedExpr)
            )
            yield from own_nodes(inner)
            continue
        yield from own_nodes(ast.iter_child_nodes(node))


def captured(node: ast.AST) -> list[str]:
    """The names that a node of a match pattern binds."""
    match node:
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
        case ast.MatchMapping(rest=str(name)):
            return [name]
    return []


def stored(target: ast.expr) -> list[str]:
    """The names inside the target of an assignment."""
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name) and is_store(node)]


def is_store(node: ast.AST) -> bool:
    """Whether *node* is a name that is assigned."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
