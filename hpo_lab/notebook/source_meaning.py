"""What Python source means: sources of one meaning compute the same.

Comments, formatting, `pass` and the annotations of local variables have no part in it, nor have
docstrings and the annotations of functions that nothing may read, and statements that only show
something.

A library may read the docstring and the annotations of what it is given. So they stay in a
function or class that has decorators or bases, whose name is used for anything but a call, or
whose instance is used for anything but its attributes.
"""

from __future__ import annotations

import ast
import copy
import pickle
import re
from collections.abc import Set
from typing import Any

__all__ = ["READ", "READ_ANNOTATIONS", "READ_DOCSTRINGS", "meaning", "names_that_read"]

_ALL = {"__dict__", "dir", "getmembers", "getsource", "getsourcelines", "globals", "locals", "vars"}
READ_DOCSTRINGS = {"__doc__", "docopt", "doctest", "getdoc", *_ALL}
READ_ANNOTATIONS = {
    *("__annotate__", "__annotations__", "annotationlib", "get_annotations", "get_type_hints"),
    *("getfullargspec", "signature", *_ALL),
}
_OWN_LOOK = "look="
"""Stands for code that says itself what it is to print a value or to look at it."""
_READ_OUTPUT = {
    *(_OWN_LOOK, "capture", "capture_output", "redirect_stdout", "stdout"),
    # What a cell showed last, as IPython keeps it.
    *("_", "__", "___", "Out"),
    # To look at a value may change it.
    *("__getattr__", "__getattribute__", "__getitem__", "__missing__", "defaultdict"),
    *("property", "cached_property"),
}
READ = READ_DOCSTRINGS | READ_ANNOTATIONS | _READ_OUTPUT
"""Names by which code reads docstrings, annotations or what is shown."""

_SHOWING = frozenset({"display", "print"})
_MEASURING = frozenset({"len", "repr", "round", "str", "type"})
_DISPLAYS = ("IPython", "rich")
_MAKING = frozenset(
    {"__call__", "__del__", "__enter__", "__exit__", "__init__", "__new__", "__post_init__"}
)
"""Special methods that no look at a value calls."""
_PURE = (
    *(ast.Attribute, ast.BinOp, ast.BoolOp, ast.Compare, ast.Constant, ast.Dict),
    *(ast.FormattedValue, ast.IfExp, ast.JoinedStr, ast.List, ast.Name, ast.Set, ast.Slice),
    *(ast.Subscript, ast.Tuple, ast.UnaryOp),
    *(ast.boolop, ast.cmpop, ast.expr_context, ast.operator, ast.unaryop),
)
_IMPURE = (ast.In, ast.NotIn, ast.LShift, ast.RShift)
"""Operators that take from an iterator, or that pipelines are made with."""
_CALLING = _SHOWING | _MEASURING | {"filter", "isinstance", "map", "max", "min", "sorted"}
"""Functions of Python that do no more with a function or class than to call or to name it."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def meaning(*nodes: ast.AST, read: Set[str] = frozenset()) -> str:
    """A text that is equal for syntax trees of equal meaning, empty where they compute nothing.

    Args:
        nodes: Statements or expressions.
        read: What `names_that_read` gives for all code beside *nodes*.
    """
    essence = _Essence(names_that_read(*nodes) | read)
    # A pickle copies a tree several times as fast as `deepcopy`.
    parts = (essence.visit(pickle.loads(pickle.dumps(node))) for node in nodes)
    return "\n".join(_text(part) for part in parts if part is not None)


def names_that_read(*nodes: ast.AST) -> set[str]:
    """The names in *nodes* by which docstrings, annotations and what is shown may be read.

    These are names of `READ`, those of all functions and classes that are not only called, and
    `A()` for a class of which an instance is handed on.
    """
    names = _Names()
    for node in nodes:
        names.visit(node)
    made = {f"{maker}()" for name, maker in names.makers if name in names.handed}
    return names.used & READ | names.handed | made


def _text(node: ast.AST) -> str:
    try:
        return ast.unparse(node)
    except ValueError:  # before Python 3.12 some f-strings cannot be written
        return ast.dump(node)


class _Names(ast.NodeVisitor):
    """Collects the names that are used, and those that are handed on."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.handed: set[str] = set()
        self.makers: set[tuple[str, str]] = set()
        """Variables, each with the name of what was called to make it."""

    def visit_Name(self, node: ast.Name) -> None:
        self.used.add(node.id)
        if isinstance(node.ctx, ast.Load):
            self.handed.add(node.id)
        else:
            self._bound(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.handed.add(node.attr)
        self._not_handed(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.used.update(re.findall(r"\w+", node.value))
            self.handed.add(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            self.handed.add(f"{node.func.id}()")
        self._call(node)

    def _call(self, node: ast.Call) -> None:
        self._not_handed(node.func)
        is_calling = isinstance(node.func, ast.Name) and node.func.id in _CALLING
        for value in (*node.args, *(keyword.value for keyword in node.keywords)):
            (self._not_handed if is_calling else self.visit)(value)

    def visit_Assign(self, node: ast.Assign) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                return
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=maker))):
                self._bound(name)
                self.makers.add((name, maker))
                self._not_handed(node.value)
            case _:
                self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not _is_text(node):
            self._not_handed(node.value)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        for statement in node.body:
            self.visit(statement)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.used.update(alias.name for alias in node.names)
        if not (node.module or "").startswith(_DISPLAYS):
            for alias in node.names:
                self._bound(alias.asname or alias.name)

    def visit_Import(self, node: ast.Import) -> None:
        self.used.update(alias.name for alias in node.names)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._definition(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._definition(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._definition(node)

    def visit_arg(self, node: ast.arg) -> None:
        self._bound(node.arg)

    def _definition(self, node: Any) -> None:
        self._bound(node.name)
        for decorator in node.decorator_list:
            self._not_handed(decorator)
        node = copy.copy(node)
        node.decorator_list, node.returns = [], None
        self.generic_visit(node)

    def _not_handed(self, node: ast.expr) -> None:
        match node:
            case ast.Name(id=name):
                self.used.add(name)
            case ast.Attribute(value=value, attr=name):
                self.used.add(name)
                self._not_handed(value)
            case ast.Call():
                self._call(node)
            case _:
                self.visit(node)

    def _bound(self, name: str) -> None:
        is_special = name.startswith("__") and name.endswith("__") and name not in _MAKING
        if is_special or name in _SHOWING | _MEASURING:
            self.used.add(_OWN_LOOK)


class _Essence(ast.NodeTransformer):
    """Leaves out what does not change what a statement computes.

    Args:
        read: The names by which the code, and all code that uses it, may read the rest of it.
    """

    def __init__(self, read: Set[str]) -> None:
        self._read = read
        self._reads_docstrings = bool(read & READ_DOCSTRINGS)
        self._reads_annotations = bool(read & READ_ANNOTATIONS)
        self._leaves_out_output = not read & _READ_OUTPUT
        self._in_function = False
        self._is_read = False
        """The class around may be read."""

    def generic_visit(self, node: Any) -> Any:
        """Leave no body empty."""
        node = super().generic_visit(node)
        if getattr(node, "body", None) == [] and not isinstance(node, ast.Module):
            node.body = [ast.Pass()]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Leave out texts and what only shows something."""
        if _is_text(node):
            # IPython takes any text at the top of a cell for the docstring of the module.
            return node if self._reads_docstrings and not self._in_function else None
        if self._leaves_out_output and _only_shows(node.value):
            return None
        return self.generic_visit(node)  # type: ignore[no-any-return]

    def visit_Pass(self, node: ast.Pass) -> None:
        """Leave it out; it also stands for our own magics, which are off in a trial."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Take `u"x"` for `"x"`."""
        node.kind = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Leave out the annotation of a local variable, which Python does not evaluate."""
        self.generic_visit(node)
        if not self._in_function:
            return node
        if node.value is None:
            node.annotation = ast.Constant(None)
            return node
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._definition(node)

    def visit_Try(self, node: ast.Try) -> ast.AST:
        return self._observed(node)

    def visit_TryStar(self, node: ast.AST) -> ast.AST:
        return self._observed(node)

    def visit_With(self, node: ast.With) -> ast.AST:
        return self._observed(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        return self._observed(node)

    def _observed(self, node: ast.AST) -> ast.AST:
        """Leave in what shows something, where an error in it or its output may be caught."""
        outside, self._leaves_out_output = self._leaves_out_output, False
        self.generic_visit(node)
        self._leaves_out_output = outside
        return node

    def _definition(self, node: Definition) -> ast.AST:
        outside = self._in_function, self._is_read
        is_function = not isinstance(node, ast.ClassDef)
        self._is_read = (
            (self._is_read and not self._in_function)
            or node.name in self._read
            or bool(node.decorator_list)
            or (isinstance(node, ast.ClassDef) and self._is_class_read(node))
        )
        if not (isinstance(node, ast.ClassDef) or self._is_read or self._reads_annotations):
            _take_annotations_off(node)
        docstring = [node.body.pop(0)] if _is_text(node.body[0]) else []
        if not (self._is_read or self._reads_docstrings):
            docstring = []
        self._in_function = is_function
        self.generic_visit(node)
        self._in_function, self._is_read = outside
        node.body[:0] = docstring
        return node

    def _is_class_read(self, node: ast.ClassDef) -> bool:
        instances = {"self", f"{node.name}()"}
        return bool(node.bases or node.keywords or instances & self._read)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and (
        isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    )


def _take_annotations_off(node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    if node.returns is not None and _is_pure(node.returns):
        node.returns = None
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg) and argument.annotation and _is_pure(argument.annotation):
            argument.annotation = None


def _only_shows(value: ast.expr) -> bool:
    """Whether *value*, as a statement, computes nothing that lasts."""
    match value:
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in _SHOWING:
            plain = all(keyword.arg in ("end", "flush", "sep") for keyword in keywords)
            return plain and all(map(_is_pure, [*args, *(keyword.value for keyword in keywords)]))
    return _is_pure(value)


def _is_pure(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _MEASURING:
            return all(map(_is_pure, args))
    is_pure = isinstance(node, _PURE) and not isinstance(node, _IMPURE)
    return is_pure and all(map(_is_pure, ast.iter_child_nodes(node)))
