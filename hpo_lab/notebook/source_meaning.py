"""What Python source means: its syntax tree without comments, formatting and docstrings."""

from __future__ import annotations

import ast
import copy
from collections.abc import Set
from typing import Any

__all__ = ["READ_ANNOTATIONS", "READ_DOCSTRINGS", "meaning"]

READ_DOCSTRINGS = {"__doc__", "getdoc"}
READ_ANNOTATIONS = {"__annotations__", "get_annotations", "get_type_hints", "signature"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def meaning(*nodes: ast.AST, read: Set[str] = frozenset()) -> str:
    """A text that is equal for syntax trees of equal meaning.

    Left out are comments, formatting, docstrings, and the annotations of functions without
    decorators and of their variables. Docstrings and annotations stay where the code seems to
    read them, or what uses it, whose names are *read*. Annotations in classes
    stay, because they are fields of dataclasses.
    """
    names = {*read, *(name for node in nodes for name in _names(node))}
    plain = _Plain(
        docstrings=bool(names & READ_DOCSTRINGS), annotations=bool(names & READ_ANNOTATIONS)
    )
    return "\n".join(ast.unparse(plain.visit(copy.deepcopy(node))) for node in nodes)


def _names(tree: ast.AST) -> set[object]:
    return {
        *(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)),
        *(node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)),
        *(node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)),
    }


class _Plain(ast.NodeTransformer):
    def __init__(self, *, docstrings: bool, annotations: bool) -> None:
        self._docstrings = docstrings
        self._annotations = annotations
        self._in_function = False

    def _within(self, node: Any, *, is_function: bool) -> Any:
        if not self._docstrings and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        outside, self._in_function = self._in_function, is_function
        self.generic_visit(node)
        self._in_function = outside
        return node

    def visit_Module(self, node: ast.Module) -> Any:
        return self._within(node, is_function=False)

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        return self._within(node, is_function=False)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return self._function(node)

    def _function(self, node: Function) -> Any:
        if not node.decorator_list and not self._annotations:
            node.returns = None
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
        return self._within(node, is_function=True)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        # Python does not evaluate the annotations of a function's own variables.
        if not self._in_function or node.value is None:
            return node
        return ast.Assign(targets=[node.target], value=node.value, lineno=node.lineno)
