"""Follow the names of a notebook through its cells without running them.

An abstract interpretation in the order of execution: each name stands for the cells that
may have bound it and the things that it may be; functions of the notebook are followed at
each call. What libraries do is in two tables, `hpo_lab.notebook.known_calls` and
`hpo_lab.notebook.known_types`; whatever is not there may change all that it can reach.

Limits: reading an attribute of an object of unknown type, printing it or taking its length
counts as changing nothing, and so does every `repr`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from hpo_lab.notebook import library
from hpo_lab.notebook.expressions import Expressions
from hpo_lab.notebook.known_calls import SAME_DECORATORS
from hpo_lab.notebook.name_table import IN_DOUBT
from hpo_lab.notebook.names import captured, is_store, names_bound
from hpo_lab.notebook.own_code import CACHED, CallArguments
from hpo_lab.notebook.values import (
    CLASS,
    FUNCTION,
    IMPORTED,
    NOTHING,
    UNKNOWN,
    Binding,
    Frame,
    Value,
    in_order,
    plain,
)

__all__ = ["Scope"]


class Scope(Expressions):
    """The names of a notebook; set `cell` to the number of the next cell and `run` it."""

    def run(self, body: Iterable[ast.stmt]) -> None:
        """Follow statements that run one after the other."""
        for statement in body:
            self._statement(statement)

    def run_cell(self, body: Sequence[ast.stmt], *, may_fail: bool = False) -> None:
        """Follow a cell.

        Args:
            body: Its statements.
            may_fail: Whether it may have stopped anywhere.
        """
        try:
            self._cell(body, may_fail)
        except RecursionError:  # an expression of hundreds of parts
            self._start_again()
            self._give_up()
            for statement in body:
                self._skim(statement)

    def _cell(self, body: Sequence[ast.stmt], may_fail: bool) -> None:
        if may_fail:
            with self._maybe():
                for statement in body:
                    with self._maybe():
                        self._statement(statement)
            return
        self.run(body)
        if body and isinstance(body[-1], ast.Expr) and "_" not in self.binds[self.cell]:
            self._last_value(body[-1].value)

    def _last_value(self, node: ast.expr) -> None:
        """IPython keeps the last value shown under the name `_`."""
        if isinstance(node, ast.Constant):
            return
        sources = frozenset({self.cell})
        old = self._notebook.names.get("_", Binding(NOTHING, frozenset()))
        value = self._thing(UNKNOWN, "_")
        self._notebook.names["_"] = Binding(value | old.value, sources | old.sources)

    def _skim(self, node: ast.stmt) -> None:
        """Take a statement that is not followed as one that may give its names any value."""
        value = self._give_up()
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and part.id not in self._notebook.names:
                self._load(part.id)
        for name in names_bound([node]):
            self._bind(name, value)
        self._returned(value)

    def _statement(self, node: ast.stmt) -> None:
        if self._leads_too_far() and not isinstance(node, ast.Import | ast.ImportFrom):
            self._skim(node)
            return
        match node:
            case ast.Assign():
                self._assign_all(node.targets, node.value)
            case ast.AnnAssign():
                self._value(node.annotation)
                if node.value is not None:
                    self._assign_all([node.target], node.value)
            case ast.AugAssign():
                self._augment(node)
            case ast.For() | ast.AsyncFor():
                items = self._value(node.iter)
                for _ in self._until_stable():
                    with self._maybe():
                        self._assign(node.target, self._items(items))
                        self.run(node.body)
                with self._maybe():
                    self.run(node.orelse)
            case ast.While():
                for _ in self._until_stable():
                    self._tested(node.test)
                    with self._maybe():
                        self.run(node.body)
                with self._maybe():
                    self.run(node.orelse)
            case ast.If():
                self._tested(node.test)
                with self._maybe():
                    self.run(node.body)
                with self._maybe():
                    self.run(node.orelse)
            case ast.With() | ast.AsyncWith():
                self._with(node)
            case ast.Try() | ast.TryStar():
                self._try(node)
            case ast.Match():
                self._match(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                for part in ast.walk(node.args):
                    if isinstance(part, ast.arg) and part.annotation is not None:
                        self._value(part.annotation)
                if node.returns is not None:
                    self._value(node.returns)
                self._bind(node.name, self._decorated(node, self._function_thing(node, node.args)))
            case ast.ClassDef():
                self._class(node)
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.Delete(targets=targets):
                for target in targets:
                    self._delete(target)
            case ast.Return(value=value) if value is not None:
                self._returned(self._value(value))
            case ast.Raise(exc=ast.expr() as thrown, cause=cause):
                raised = self._value(thrown)
                classes = frozenset(each for each in raised if each.kind in (CLASS, IMPORTED))
                raised = (raised - classes) | self._call_all(classes, CallArguments(), node)
                if cause is not None:
                    self._set_attribute(raised, "__cause__", self._value(cause), "__cause__")
                self._growth += not raised <= self._raised
                self._raised |= raised
            case ast.Expr(value=value):
                self._run_operators(self._value(value))
            case _:  # assert, raise, `type X = ...`, global, pass
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr) and not is_store(child):
                        self._tested(child)
                    elif isinstance(child, ast.Name):
                        self._bind(child.id, plain())

    def _tested(self, node: ast.expr) -> None:
        self._run_methods(self._value(node), NOTHING, "__")

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        with self._maybe():
            for statement in node.body:
                with self._maybe():
                    self._statement(statement)
        for handler in node.handlers:
            with self._maybe():
                if handler.type is not None:
                    self._value(handler.type)
                if handler.name:
                    self._bind(handler.name, self._thing("value", handler) | self._raised)
                self.run(handler.body)
        with self._maybe():
            self.run(node.orelse)
        with self._maybe():
            self.run(node.finalbody)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        is_suppressing = False
        managers = NOTHING
        for item in node.items:
            value = self._value(item.context_expr)
            managers |= value
            value |= self._run_methods(value, NOTHING, "__")
            self._items(frozenset(t for t in value if t.items is not None))
            value = value.union(*(t.holds for t in value if t.items is not None))
            is_suppressing |= "suppress" in ast.unparse(item.context_expr)
            is_suppressing |= any(thing.kind == "instance" for thing in value)
            if item.optional_vars is not None:
                self._assign(item.optional_vars, value)
        if is_suppressing:
            with self._maybe():
                for statement in node.body:
                    with self._maybe():
                        self._statement(statement)
        else:
            self.run(node.body)
        if self._raised:  # the managers are given what the body raises
            self._run_methods(managers, self._raised, "__exit__")
            self._run_methods(managers, self._raised, "__aexit__")
            self._items(frozenset(t for t in managers if t.items is not None))

    def _match(self, node: ast.Match) -> None:
        subject = self._value(node.subject)
        for case in node.cases:
            with self._maybe():
                parts = subject | self._items(subject)
                for part in ast.walk(case.pattern):
                    if isinstance(part, ast.expr):
                        self._value(part)
                    for name in captured(part):
                        self._bind(name, parts | self._thing("list", (part, name), parts))
                if case.guard is not None:
                    self._tested(case.guard)
                self.run(case.body)

    def _class(self, node: ast.ClassDef) -> None:
        value = self._thing(CLASS, node)
        (thing,) = value
        bases = NOTHING.union(*(self._value(base) for base in node.bases))
        thing.node, thing.receivers = node, bases
        thing.frame = Frame(parent=self._frame, depth=self._conditional, is_class=True)
        with self._in_frame(thing.frame):
            self.run(node.body)
            for keyword in node.keywords:
                self._bind("__metaclass__", self._value(keyword.value))
        members = thing.frame.names
        self._enumerate(thing)
        for binding in members.values():
            for member in binding.value:
                if member.kind == FUNCTION:
                    member.receivers |= value
        if any(self._members(base, "__init_subclass__") for base in bases):
            self._run_code(bases, value)
        for path in self._imported_bases(thing):
            if library.of_function(path) is None:
                self._what = path.rpartition(".")[2]
                self._unknown({*self._imported(path), *value}, node)
        self._bind(node.name, self._decorated(node, value))

    def _decorated(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, value: Value
    ) -> Value:
        for decorator in reversed(node.decorator_list):
            inner = decorator.func if isinstance(decorator, ast.Call) else decorator
            callee = self._value(inner)
            paths = {thing.path for thing in callee if thing.kind == IMPORTED}
            if paths & _CACHING:
                for thing in value:
                    thing.fields.setdefault(CACHED, NOTHING)
            if paths and paths <= SAME_DECORATORS:
                for part in decorator.keywords if isinstance(decorator, ast.Call) else ():
                    self._value(part.value)
                continue
            if isinstance(decorator, ast.Call):
                callee = self._value(decorator)
            if isinstance(decorator, ast.Attribute) and decorator.attr in (
                "deleter",
                "getter",
                "setter",
            ):
                value |= callee
                continue
            if paths <= _MEMBERS.keys() and paths:
                for thing in value:
                    if thing.kind == FUNCTION:
                        thing.path = _MEMBERS[min(paths)]
                continue
            before, self._what = self._what, ast.unparse(decorator)
            value = self._call_all(callee, CallArguments([value]), decorator)
            self._what = before
        return value

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        modules = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            modules = ["." * node.level + (node.module or "")]
        for module in modules:
            if not library.import_is_plain(module) and module != "__future__":
                self.keep(f"import of {module}: what it changes is not known, {IN_DOUBT}")
        if isinstance(node, ast.Import):
            for alias in node.names:
                name, path = alias.asname or alias.name.partition(".")[0], alias.name
                if not alias.asname:
                    path = name
                bound = self._frame.names.get(name, Binding(NOTHING, frozenset()))
                submodules = self.submodules[alias.name.partition(".")[0]]
                # What `import a.c` has added to the module is there after `import a.b`, too.
                is_same = bound.value == self._imported(path)
                before = bound.sources & submodules if is_same else frozenset()
                if "." in alias.name:
                    submodules.add(self.cell)
                self._bind(name, self._imported(path), sources=before)
            return
        module = modules[0]
        if module in ("__future__", "sklearn.experimental"):
            self.keep(f"from {module} import: changes how later cells work")
        for alias in node.names:
            if alias.name == "*":
                self.keep(f"from {module} import *: may define any name, {IN_DOUBT}")
            else:
                self._bind(alias.asname or alias.name, self._imported(f"{module}.{alias.name}"))

    def _delete(self, target: ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                self._load(name)
                frame = self._frame.outer.get(name, self._frame)
                # Where the name is read later, the deletion is part of its history.
                frame.names[name] = Binding(NOTHING, frozenset({self.cell}))
                path = library.builtin_path(name)
                if path is not None and frame is self._notebook:
                    frame.names[name] = Binding(self._imported(path), frozenset({self.cell}))
            case ast.Attribute(value=base) | ast.Subscript(value=base):
                holder = self._value(base)
                self._change(holder)
                for thing in in_order(holder):
                    if thing.kind == IMPORTED:
                        self._set_on_library(thing, NOTHING, ast.unparse(target))
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._delete(part)

    def _assign_all(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        if len(targets) == 1 and _pairs(targets[0], value):
            target = targets[0]
            assert isinstance(target, ast.Tuple | ast.List)
            assert isinstance(value, ast.Tuple | ast.List)
            parts = [self._value(part) for part in value.elts]
            for name, part in zip(target.elts, parts, strict=True):
                self._assign(name, part)
            return
        result = self._value(value)
        for target in targets:
            self._assign(target, result)

    def _augment(self, node: ast.AugAssign) -> None:
        added = self._value(node.value)
        target = node.target
        match target:
            case ast.Attribute(value=base, attr=name):
                old = self._attribute(self._value(base), name, target)
            case ast.Subscript(value=base, slice=key):
                old = self._subscript(self._value(base), self._value(key), target)
            case ast.Name(id=name):
                old = self._load(name)
        self._run_methods(old, added, "__")
        self._change(old)
        consumed = self._items(frozenset(t for t in added if t.kind != "atom"))
        result = NOTHING
        for thing in in_order(old):
            if thing.kind in ("list", "set", "dict", "collection", "data", UNKNOWN, "instance"):
                self._add(thing, added | consumed)
            elif thing.kind == "tensor":
                self._add(thing, added)
            elif thing.kind == IMPORTED and not library.import_is_plain(thing.path):
                self._set_on_library(thing, added, ast.unparse(target))
            result |= {thing}
        binary = self._operator(node, [old, added])
        self._assign(target, result | (binary - plain()) or plain())


_CACHING = frozenset({"functools.cache", "functools.cached_property", "functools.lru_cache"})
_MEMBERS = {
    "builtins.classmethod": "classmethod",
    "builtins.property": "property",
    "builtins.staticmethod": "staticmethod",
    "functools.cached_property": "property",
}


def _pairs(target: ast.expr, value: ast.expr) -> bool:
    """Whether *value* can be assigned to *target* item by item."""
    sequences = ast.Tuple | ast.List
    return (
        isinstance(target, sequences)
        and isinstance(value, sequences)
        and len(target.elts) == len(value.elts)
        and not any(isinstance(e, ast.Starred) for e in [*target.elts, *value.elts])
    )
